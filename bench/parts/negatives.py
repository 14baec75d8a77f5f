"""Movements that are none of the exercises: landmarks of our own athlete's skeleton.

Each kind of movement that tools/exercise_network moves it by, twice: other people, other views
and other mistakes of pose than those that the network is trained on, but of the same making; what
real people do instead of exercising is more than that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzers.exercise.network.features import POINTS
from bench.parts.exercise_clips import Landmarks
from tools.exercise_network import others
from tools.exercise_network.body import Figure, some_build, wandering
from tools.exercise_network.view import look

# Training that is none of the exercises: dips, rows, high knees. It may be counted as `unknown`.
OTHER_TRAINING = ("dip", "arms", "legs")
# None of training's, which begin at 0.
_SEED = 77_000_000
_VIEWS = 2
_LASTS_S, _RATE = 12.0, 25.0
_ASPECT = 4.0 / 3.0


@dataclass(frozen=True, slots=True)
class Negative:
    """One of them: its kind and number, and what pose would say of it."""

    name: str
    landmarks: Landmarks

    @property
    def may_be_unknown(self) -> bool:
        """Whether it is exercise of another kind."""
        return self.name.rpartition(" ")[0] in OTHER_TRAINING


def negatives() -> Iterator[Negative]:
    """Yield all, the same each time."""
    for kind_number, kind in enumerate(others.NAMES):
        for view in range(_VIEWS):
            yield Negative(f"{kind} {view + 1}", _made(kind, _SEED + _VIEWS * kind_number + view))


def _made(kind: str, seed: int) -> Landmarks:
    rng, count = np.random.default_rng(seed), int(_LASTS_S * _RATE)
    figure = Figure(rng, some_build(rng), count)
    others.pose(kind, figure, _RATE)
    joints = figure.joints() + 0.008 * wandering(rng, count, (15, 3), 0.8 * _RATE)
    seen = look(rng, joints, 1.0 / _RATE)
    flat, solid = np.zeros((count, 33, 4)), np.zeros((count, 33, 4))
    points = list(POINTS)
    flat[:, points, :2] = seen.picture / (_ASPECT, 1.0)
    solid[:, points, :3] = seen.world
    # Depth in the picture is on the scale of x: a metre is as long as the trunk says.
    lengths = (np.linalg.norm(np.diff(each[:, [11, 23], :2], axis=1)[:, 0], axis=-1).mean()
               for each in (flat * (_ASPECT, 1.0, 1.0, 1.0), solid))  # fmt: skip
    scale = next(lengths) / max(next(lengths), 1e-6)
    flat[:, :, 2] = solid[:, :, 2] * scale / _ASPECT
    # Heels, which nothing here moves by themselves, are where the ankles are.
    for heel, ankle in ((29, 27), (30, 28)):
        flat[:, heel], solid[:, heel] = flat[:, ankle], solid[:, ankle]
    flat[:, points, 3] = solid[:, points, 3] = seen.visibility
    return Landmarks(np.arange(count) / _RATE, flat, solid, _ASPECT)
