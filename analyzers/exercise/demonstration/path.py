"""The way that a body takes through a repetition, and how far one leaves another.

Two ways are compared after dynamic time warping (Sakoe and Chiba, 1978), so that who pauses
half-way takes the same one. A way's points are joints' angles at evenly spread phases.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration.regularity import Span

Floats = NDArray[np.float64]

# Points of a way: so many out, and as many back.
HALF = 10
POINTS = 2 * HALF
# How far apart in phase two points may be that are compared, in points.
_BAND = 5
# A degree that joints are off where they were shown makes a way so much less like it.
_OFF_COSTS = 0.01


def path_of(times_s: Floats, angles_deg: Floats, span: Span) -> Floats:
    """Return a repetition's way, shape (POINTS, joints).

    Parameters
    ----------
    times_s, angles_deg : ndarray, shape (N,) and (N, joints)
        Frames that hold the repetition.
    span : Span
        When it was.
    """
    at = np.concatenate(
        (
            np.linspace(span.start_s, span.turn_s, HALF, endpoint=False),
            np.linspace(span.turn_s, span.end_s, HALF),
        )
    )
    return np.stack([np.interp(at, times_s, joint) for joint in angles_deg.T], axis=1)


def warped(path: Floats, shown: Floats, weights: Floats) -> Floats:
    """Return differences between a way and one that was shown, each point of it beside its match.

    Parameters
    ----------
    path, shown : ndarray, shape (POINTS, joints)
        Degrees.
    weights : ndarray, shape (joints,)
        How much each joint says in the matching.

    Returns
    -------
    ndarray, shape (M, joints)
        Path less shown, degrees, along the warped time.
    """
    costs = (np.abs(path[:, None] - shown[None]) * weights).sum(axis=2)
    sums = np.full((POINTS + 1, POINTS + 1), np.inf)
    sums[0, 0] = 0.0
    for i in range(POINTS):
        for j in range(max(0, i - _BAND), min(POINTS, i + _BAND + 1)):
            sums[i + 1, j + 1] = costs[i, j] + min(sums[i, j], sums[i, j + 1], sums[i + 1, j])
    pairs = []
    i = j = POINTS
    while i > 0 and j > 0:
        pairs.append((i - 1, j - 1))
        before = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        i, j = min(before, key=lambda place: sums[place])
    ours, theirs = (np.array(side) for side in zip(*pairs[::-1], strict=True))
    difference: Floats = path[ours] - shown[theirs]
    return difference


def apart_deg(path: Floats, shown: Floats, weights: Floats) -> float:
    """Return how far two ways are apart on average, degrees, joints weighed."""
    total = max(float(weights.sum()), 1e-9)
    return float((np.abs(warped(path, shown, weights)).mean(axis=0) * weights).sum()) / total


def alike(path: Floats, shown: Floats, weights: Floats) -> float:
    """Return how much a way is like one that was shown: 1 for the same, about 0 for any other.

    That joints move together as shown, and others do not, says what is done; from another side
    they do as well, while their angles differ. So it is the cosine between both ways' changes from
    rest, less how far the joints that were to move are off.

    Parameters
    ----------
    path, shown : ndarray, shape (POINTS, joints)
        Degrees.
    weights : ndarray, shape (joints,)
        How much each joint says.
    """
    ours, theirs = (way - way[[0, -1]].mean(axis=0) for way in (path, shown))
    both, one, other = (
        float((a * b * weights).sum()) for a, b in ((ours, theirs), (ours, ours), (theirs, theirs))
    )
    moved = np.ptp(shown, axis=0) * weights
    off = np.abs(path - shown).mean(axis=0) @ moved / max(float(moved.sum()), 1e-9)
    return both / max(math.sqrt(one * other), 1e-9) - _OFF_COSTS * float(off)
