"""Clips' landmarks as another camera would have seen them, or another tempo."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bench.parts.exercise_clips import Floats, Landmarks

# BlazePose's numbers of the left side's points, each with the right side's beside it.
_PAIRS = ((1, 4), (2, 5), (3, 6), (7, 8), (9, 10), *((at, at + 1) for at in range(11, 33, 2)))
_NOISE_M, _SEED = 0.02, 5
_LOWER_BODY = slice(25, 33)
_HIDDEN = 0.1


def mirrored(seen: Landmarks) -> Landmarks:
    """Return left and right the other way round."""
    swap = np.arange(33)
    for left, right in _PAIRS:
        swap[left], swap[right] = right, left
    flat, solid = seen.flat[:, swap], seen.solid[:, swap]
    flat[..., 0], solid[..., 0] = 1.0 - flat[..., 0], -solid[..., 0]
    return replace(seen, flat=flat, solid=solid)


def slower(seen: Landmarks, factor: float) -> Landmarks:
    """Return it played so many times as slowly."""
    return replace(seen, times_s=seen.times_s * factor)


def at_rate(seen: Landmarks, rate_hz: float) -> Landmarks:
    """Return as many of the frames as are at most so many a second."""
    _, first = np.unique((seen.times_s * rate_hz + 1e-6).astype(int), return_index=True)
    return Landmarks(seen.times_s[first], seen.flat[first], seen.solid[first], seen.aspect)


def rolled(seen: Landmarks, degrees: float) -> Landmarks:
    """Return it seen by a camera that is not held level."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))

    def turned(points: Floats, wide: float, middle: float) -> Floats:
        x, y = (points[..., 0] - middle) * wide, points[..., 1] - middle
        out = points.copy()
        out[..., 0], out[..., 1] = (x * c - y * s) / wide + middle, x * s + y * c + middle
        return out

    return replace(seen, flat=turned(seen.flat, seen.aspect, 0.5), solid=turned(seen.solid, 1.0, 0))


def trembling(seen: Landmarks) -> Landmarks:
    """Return it with noise of 2 cm on each landmark of each frame."""
    rng = np.random.default_rng(_SEED)
    noise = rng.normal(0.0, _NOISE_M, (*seen.solid.shape[:2], 3))
    flat, solid = seen.flat.copy(), seen.solid.copy()
    # A trunk is half a metre: what that is in the picture says what a metre is there.
    trunk = np.nanmedian(np.abs(flat[:, 11:13, 1].mean(1) - flat[:, 23:25, 1].mean(1)))
    solid[..., :3] += noise
    flat[..., :3] += noise * max(float(trunk), 0.05) / 0.5 / (seen.aspect, 1.0, seen.aspect)
    return replace(seen, flat=flat, solid=solid)


def without_legs(seen: Landmarks) -> Landmarks:
    """Return knees and feet as hidden, where pose guesses them: as from behind a table."""
    flat, solid = seen.flat.copy(), seen.solid.copy()
    for points in (flat, solid):
        points[:, _LOWER_BODY, 3] = np.minimum(points[:, _LOWER_BODY, 3], _HIDDEN)
    return replace(seen, flat=flat, solid=solid)


WAYS: Mapping[str, Callable[[Landmarks], Landmarks]] = {
    "as filmed": lambda seen: seen,
    "mirrored": mirrored,
    "half as fast": lambda seen: slower(seen, 2.0),
    "1.5 times as fast": lambda seen: slower(seen, 1.0 / 1.5),
    "15 frames a second": lambda seen: at_rate(seen, 15.0),
    "10 frames a second": lambda seen: at_rate(seen, 10.0),
    "camera rolled by 10 degrees": lambda seen: rolled(seen, 10.0),
    "noise of 2 cm": trembling,
    "knees and feet hidden": without_legs,
}
