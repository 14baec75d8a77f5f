"""Breaths a minute: from how far the chest rises, beside the head's own movement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.history import Moment
from analyzers.vitals.resampling import RATE_HZ, resample

LOWEST, HIGHEST = 6.0, 40.0
PER_MINUTE = np.arange(LOWEST, HIGHEST + 0.25, 0.25)
SHORTEST_S, LONGEST_S = 15.0, 30.0
# Five a second are enough for what comes, and a sixth of the work.
_EACH = 6
# Shoulders sway with the head, but less.
_SWAY = 0.8
# How much of what moves a breath has to explain: noise alone comes to 0.71 over 15 s, to 0.57 over
# 20 and to 0.47 over 30, once in a hundred times.
_SURE, _SURE_S = 0.43, 4.3
# A slower breath than this has not been seen twice.
_CYCLES = 1.8
# In parts of the face; what moves less may be the camera's noise.
_LEAST = 0.0008


@dataclass(frozen=True, slots=True)
class Breathing:
    """What a stretch says of it.

    Attributes
    ----------
    per_minute : float
        The likeliest rate.
    share : float
        The part of all movement that it explains, 0..1.
    seconds : float
        How long was looked.
    """

    per_minute: float
    share: float
    seconds: float

    @property
    def is_sure(self) -> bool:
        """Whether to tell it."""
        return self.share >= _SURE + _SURE_S / self.seconds


@dataclass(frozen=True, slots=True)
class _Waves:
    """What a breath of each rate looks like, and what drifts do, over so many samples.

    Fitted beside a drift, a slow breath keeps its rate, which it loses where a drift is taken away
    before.
    """

    weight: NDArray[np.float64]
    drift: NDArray[np.float64]
    one: NDArray[np.float64]
    other: NDArray[np.float64]


def breathing(moments: Sequence[Moment], end_s: float, seconds: float) -> Breathing:
    """Look for the breath in at least `SHORTEST_S` of still time."""
    times_s = np.array([moment.time_s for moment in moments])
    # The chest in widths of the face, as its place is.
    moved = [(each.chest * each.reading.place[2], -each.reading.place[1]) for each in moments]
    # By whole seconds: for each length there are waves to make.
    return find(resample(times_s, np.array(moved), end_s, float(int(seconds))))


def find(signals: NDArray[np.float64]) -> Breathing:
    """Look for the breath in how far chest and head rise, shape (N, 2), of `LONGEST_S` at most."""
    rows = len(signals) // _EACH * _EACH
    seconds = rows / RATE_HZ
    chest, head = signals[len(signals) - rows :].reshape(-1, _EACH, 2).mean(axis=1).T
    waves = _waves(len(chest))
    seen = waves.weight * (chest - _SWAY * head)
    seen = seen - waves.drift @ (waves.drift.T @ seen)
    power = float(seen @ seen)
    if power < _LEAST**2 * float((waves.weight**2).sum()):
        return Breathing(0.0, 0.0, seconds)
    shares = ((waves.one @ seen) ** 2 + (waves.other @ seen) ** 2) / power
    shares[PER_MINUTE / 60.0 * seconds < _CYCLES] = 0.0
    top = int(shares.argmax())
    return Breathing(float(PER_MINUTE[top]), float(shares[top]), seconds)


@lru_cache(maxsize=round(LONGEST_S - SHORTEST_S) + 1)
def _waves(count: int) -> _Waves:
    weight = np.sqrt(np.hanning(count + 2)[1:-1])
    times = np.linspace(-1.0, 1.0, count)
    drift = np.linalg.qr(weight[:, None] * np.polynomial.legendre.legvander(times, 2))[0]
    turns = 2.0 * np.pi * np.outer(PER_MINUTE / 60.0, np.arange(count) * _EACH / RATE_HZ)
    one, other = (weight * wave for wave in (np.cos(turns), np.sin(turns)))
    one, other = (wave - (wave @ drift) @ drift.T for wave in (one, other))
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other -= (other * one).sum(axis=1, keepdims=True) * one
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return _Waves(weight, drift, one, other)
