"""What is none of the eleven: everyday movements, sports, and training of other kinds."""

from __future__ import annotations

import numpy as np

from tools.exercise_network import everyday, sports
from tools.exercise_network.body import Figure


def some_other(figure: Figure, rate: float) -> str:
    """Pose one of them, chosen at random, and return its name."""
    kind = str(figure.rng.choice(NAMES, p=_SHARES))
    pose(kind, figure, rate)
    return kind


def pose(kind: str, figure: Figure, rate: float) -> None:
    """Pose one of NAMES."""
    _KINDS[kind][0](figure, rate)


# Each with how often it is chosen.
_KINDS = {
    "stand": (everyday.stand, 6),
    "gesture": (everyday.gesture, 12),
    "walk": (everyday.walk, 14),
    "sit": (everyday.sit, 4),
    "chair": (everyday.chair, 8),
    "shoes": (everyday.shoes, 5),
    "pick_up": (everyday.pick_up, 6),
    "reach": (everyday.reach, 9),
    "wave": (everyday.wave, 4),
    "dance": (everyday.dance, 9),
    "stretch": (sports.stretch, 8),
    "ball": (sports.ball, 8),
    "jump": (sports.jump, 6),
    "wild": (sports.wild, 8),
    "lie": (sports.lie, 5),
    "kneel": (sports.kneel, 6),
    "hang": (sports.hang, 5),
    "prone": (sports.prone, 7),
    "dip": (sports.dip, 6),
    "arms": (sports.arms_training, 9),
    "legs": (sports.legs_training, 6),
}
NAMES = tuple(_KINDS)
_SHARES = np.array([share for _, share in _KINDS.values()], float)
_SHARES /= _SHARES.sum()
