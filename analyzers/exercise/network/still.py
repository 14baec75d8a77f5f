"""The network for single pictures: which exercise's turn a posture is, or none's.

One hidden layer over the features of one moment. What `network.py` reads off a movement a picture
does not have, so this one is trained on moments alone, at the turns of repetitions and between
them. Made in tools/exercise_network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import POINTS, FeatureMaker

WEIGHTS = Path(__file__).with_name("still.npz")

Array = NDArray[np.float64]
Row = Sequence[float]


@cache
def _shipped() -> dict[str, NDArray[np.float32]]:
    """Return the weights that come with the package, read once."""
    with np.load(WEIGHTS) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def features_of_still(picture: Array, world: Array, seen: Array) -> Array:
    """Return the features of one moment by itself, (WIDTH,).

    Parameters
    ----------
    picture, world, seen : ndarray, (15, 2), (15, 3) and (15,)
        As `FeatureMaker.make` takes them, of one moment.
    """
    made: Array = FeatureMaker().make(picture[None], world[None], seen[None], np.zeros(1))[0]
    return made


def likely_still(landmarks: Sequence[Row], world: Sequence[Row], aspect: float) -> dict[str, float]:
    """Return how likely a picture shows each of CLASSES: at its turn, or ``none``.

    Parameters
    ----------
    landmarks, world : 33 rows of x, y, z, visibility
        In 0..1 of the frame, and in metres from the middle of the hips.
    aspect : float
        Width of the frame over its height.
    """
    flat, solid = (np.array([rows[point] for point in POINTS]) for rows in (landmarks, world))
    features = features_of_still(flat[:, :2] * (aspect, 1.0), solid[:, :3], flat[:, 3])
    weights = _shipped()
    hidden = (features - weights["mean"]) / weights["spread"] @ weights["first_w"]
    out = np.maximum(hidden + weights["first_b"], 0.0) @ weights["last_w"] + weights["last_b"]
    likely = np.exp(out - out.max())
    return dict(zip(CLASSES, (likely / likely.sum()).tolist(), strict=True))
