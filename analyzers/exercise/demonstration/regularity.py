"""Finds the repetitions at a signal's end, and says how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Parts of a repetition's amplitude within which a body is at rest.
_AT_REST = 0.12
# Repetitions that somebody shows are alike: so large and so long at least, in parts of the largest
# and the longest one, and shaped so: the least correlation with their mean.
_LEAST_AMPLITUDE = 0.6
_LEAST_DURATION = 0.45
_LEAST_LIKENESS = 0.85
# Between two of them rest comes to this at most, in lengths of the longest, and in seconds.
_MOST_REST, _MOST_REST_S = 3.0, 3.0
# Their rests differ by this at most, in amplitudes; a body that walks away comes back to none.
_MOST_DRIFT = 0.4
# How long they take.
_MIN_S, _MAX_S = 0.4, 15.0
_PHASES = 24


@dataclass(frozen=True, slots=True)
class Span:
    """When a repetition began, turned and was over, in seconds."""

    start_s: float
    turn_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Repeated:
    """Repetitions on one signal.

    Attributes
    ----------
    spans : tuple of Span
        When each was.
    direction : int
        1 when the signal rises on the way out, -1 when it falls.
    rest, turn : float
        The signal's values there, medians.
    likeness : float
        How alike they are, 0 to 1.
    """

    spans: tuple[Span, ...]
    direction: int
    rest: float
    turn: float
    likeness: float

    @property
    def amplitude(self) -> float:
        return abs(self.turn - self.rest)

    @property
    def seconds(self) -> float:
        """How long one takes, the median."""
        return median(span.seconds for span in self.spans)

    @property
    def period_s(self) -> float:
        """How long after one the next one turns, on average; of a single one, how long it takes."""
        pauses = len(self.spans) - 1
        if not pauses:
            return self.seconds
        return (self.spans[-1].turn_s - self.spans[0].turn_s) / pauses


def repeated(
    points: Sequence[tuple[int, float]],
    direction: int,
    count: int,
    times_s: Floats,
    values: Floats,
) -> Repeated | None:
    """Return the last repetitions if they are alike, else None.

    Parameters
    ----------
    points : sequence of (int, float)
        Frames and values where the signal turns, `2 * count + 1` of them: from rest to rest.
    direction : int
        1 when the first of them is a low.
    count : int
        How many repetitions.
    times_s, values : ndarray, shape (N,)
        The signal; frames count from its beginning.
    """
    heights = direction * np.array([value for _, value in points])
    rests, turns = heights[::2], heights[1::2]
    ways = np.concatenate((turns - rests[:-1], turns - rests[1:]))
    amplitude = median(ways.tolist())
    if amplitude <= 0.0 or ways.min() < _LEAST_AMPLITUDE * ways.max():
        return None
    if np.ptp(rests) > _MOST_DRIFT * amplitude:
        return None
    frames = [frame for frame, _ in points]
    spans, shapes = [], []
    for number in range(count):
        before, turn, after = frames[2 * number : 2 * number + 3]
        first, last = _active(direction * values, before, turn, after)
        span = Span(float(times_s[first]), float(times_s[turn]), float(times_s[last]))
        if not _MIN_S <= span.seconds <= _MAX_S:
            return None
        spans.append(span)
        shapes.append(_shape(times_s, values, first, last))
    seconds = [span.seconds for span in spans]
    if min(seconds) < _LEAST_DURATION * max(seconds):
        return None
    rest_s = max(_MOST_REST * max(seconds), _MOST_REST_S)
    if any(b.start_s - a.end_s > rest_s for a, b in pairwise(spans)):
        return None
    likeness = _likeness(np.array(shapes))
    if likeness < _LEAST_LIKENESS:
        return None
    even = float(ways.min() / ways.max()) * (min(seconds) / max(seconds)) ** 0.5
    return Repeated(
        tuple(spans),
        direction,
        direction * median(rests.tolist()),
        direction * median(turns.tolist()),
        likeness * even,
    )


def _active(heights: Floats, before: int, turn: int, after: int) -> tuple[int, int]:
    """Return the frames between which a repetition is away from rest."""
    up, down = heights[turn] - heights[before], heights[turn] - heights[after]
    resting = np.flatnonzero(heights[before : turn + 1] <= heights[before] + _AT_REST * up)
    back = np.flatnonzero(heights[turn : after + 1] <= heights[after] + _AT_REST * down)
    return before + int(resting[-1]), turn + int(back[0])


def _shape(times_s: Floats, values: Floats, first: int, last: int) -> Floats:
    at = np.linspace(times_s[first], times_s[last], _PHASES)
    span = slice(first, last + 1)
    shape: Floats = np.interp(at, times_s[span], values[span])
    return shape


def _likeness(shapes: Floats) -> float:
    """Return the least correlation of a shape with the mean of all, 1 for a single one."""
    if len(shapes) == 1:
        return 1.0
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    mean = centred.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1) * np.linalg.norm(mean)
    return float((centred @ mean / np.maximum(norms, 1e-9)).min())
