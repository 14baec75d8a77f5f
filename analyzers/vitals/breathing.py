"""Breaths a minute: from the chest, the head that rises with it, and the pulse's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.history import Moment
from analyzers.vitals.resampling import RATE_HZ, resample
from analyzers.vitals.spectrum import detrended

LOWEST, HIGHEST = 6.0, 40.0
PER_MINUTE = np.arange(LOWEST, HIGHEST + 0.25, 0.25)
SHORTEST_S, LONGEST_S = 15.0, 30.0
# Ten a second are enough for what comes, and a third of the work.
_EACH = 3
_TIMES_S = np.arange(round(LONGEST_S * RATE_HZ) // _EACH) * _EACH / RATE_HZ
# Made once: waves of each rate cost more than all that is done with them.
_TURNS = 2.0 * np.pi * np.outer(PER_MINUTE / 60.0, _TIMES_S)
_COS, _SIN = np.cos(_TURNS), np.sin(_TURNS)
# Chest, head and the skin's brightness: how much each is listened to.
_WEIGHTS = np.array([1.0, 0.4, 0.2])
_NEAR = 3.0
# Noise comes to 0.65 once in 300 times, and a breath over 15 s to 0.77.
_MIN_SHARE = 0.68
# A slower breath than this has not been seen twice.
_CYCLES = 2.0
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
        The part of all power in the band that is at it, 0..1.
    """

    per_minute: float
    share: float

    @property
    def is_sure(self) -> bool:
        """Whether to tell it."""
        return self.share >= _MIN_SHARE


def breathing(moments: Sequence[Moment], end_s: float, seconds: float) -> Breathing:
    """Look for the breath in at least `SHORTEST_S` of still time."""
    times_s = np.array([moment.time_s for moment in moments])
    green = np.array([each.reading.colors[:, 1] for each in moments]).mean(axis=1)
    moved = np.array([(each.chest, -each.reading.place[1]) for each in moments])
    seen = np.column_stack([moved, green])
    return find(resample(times_s, seen, end_s, seconds))


def find(signals: NDArray[np.float64]) -> Breathing:
    """Look for the breath in chest, head and brightness, shape (N, 3), of `LONGEST_S` at most."""
    whole = signals[: len(signals) // _EACH * _EACH]
    slow = whole.reshape(-1, _EACH, signals.shape[1]).mean(axis=1)
    moved = detrended(slow, 2)
    level = moved.std(axis=0)
    if level[0] < _LEAST:
        return Breathing(0.0, 0.0)
    count = len(slow)
    seconds = count * _EACH / RATE_HZ
    tapered = moved / np.maximum(level, 1e-12) * np.hanning(count)[:, None]
    power = ((_COS[:, :count] @ tapered) ** 2 + (_SIN[:, :count] @ tapered) ** 2) @ _WEIGHTS
    power[PER_MINUTE / 60.0 * seconds < _CYCLES] = 0.0
    top = int(power.argmax())
    near = np.abs(PER_MINUTE - PER_MINUTE[top]) <= _NEAR
    # A breath is no sine: its own second harmonic speaks for it.
    near |= np.abs(PER_MINUTE - 2.0 * PER_MINUTE[top]) <= _NEAR
    share = float(power[near].sum() / max(float(power.sum()), 1e-30))
    return Breathing(float(PER_MINUTE[top]), share)
