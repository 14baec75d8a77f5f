"""The signals of the last seconds, smoothed, and what they were like during a repetition."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.signals import INDEX, NAMES, PLACES, STATURE

# A repetition may take 15 s, and is looked at when it is over, or when its set is believed.
_KEPT_S = 25.0
# The network's own trembling goes, a jumping jack's arms (1 Hz) stay.
_SMOOTHING_S = 0.05
# How fast what somebody's stature is taken for follows what is seen: up, and down.
_GROWS_S, _SHRINKS_S = 0.3, 60.0
# What counts as the turn: so much before and after it.
_AROUND_TURN_S = 0.1


class History:
    """Signals by time."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self._rows: list[list[float]] = []
        self._standing: list[float] = []

    def clear(self) -> None:
        """Forget everything: what comes next does not go on from it."""
        self.times_s.clear()
        self._rows.clear()
        self._standing.clear()

    def add(self, time_s: float, values: Sequence[float]) -> list[float]:
        """Add the signals of a frame.

        Returns
        -------
        list of float
            The same, smoothed.
        """
        values = list(values)
        # Nobody is taller than they stand; who begins crouched and rises is not yet known.
        values[STATURE] = min(1.0, values[STATURE] / self._stature(time_s, values[STATURE]))
        if self._rows:
            weight = 1.0 - math.exp((self.times_s[-1] - time_s) / _SMOOTHING_S)
            row = [
                old + weight * (new - old) for old, new in zip(self._rows[-1], values, strict=True)
            ]
        else:
            row = values
        self.times_s.append(time_s)
        self._rows.append(row)
        if self.times_s[0] < time_s - 1.5 * _KEPT_S:
            # Seldom, and many at once: taking one from a list's front moves all others.
            gone = bisect_left(self.times_s, time_s - _KEPT_S)
            del self.times_s[:gone], self._rows[:gone], self._standing[:gone]
        return row

    def _stature(self, time_s: float, now: float) -> float:
        if not self._standing:
            self._standing.append(now)
            return now
        known = self._standing[-1]
        weight = 1.0 - math.exp(
            (self.times_s[-1] - time_s) / (_GROWS_S if now > known else _SHRINKS_S)
        )
        self._standing.append(known + weight * (now - known))
        return self._standing[-1]

    def know_stature(self) -> None:
        """Take the stature known last for that of the whole time: a video may begin crouching."""
        for row, standing in zip(self._rows, self._standing, strict=True):
            row[STATURE] *= standing / self._standing[-1]

    def between(self, start_s: float, end_s: float) -> NDArray[np.float64]:
        """Return the signals of a span of time, (frames, signals); one row at least."""
        first = min(bisect_left(self.times_s, start_s), len(self._rows) - 1)
        last = max(bisect_right(self.times_s, end_s), first + 1)
        return np.array(self._rows[first:last])

    def rows_between(self, start_s: float, end_s: float) -> list[tuple[float, list[float]]]:
        """Return times and signals of a span of time, oldest first."""
        span = slice(bisect_left(self.times_s, start_s), bisect_right(self.times_s, end_s))
        return list(zip(self.times_s[span], self._rows[span], strict=True))

    def whole(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times, (frames,), and signals, (frames, signals), of all that is kept."""
        return np.array(self.times_s), np.array(self._rows)

    def during(self, cycle: Cycle) -> dict[str, NDArray[np.float64]]:
        """Return each statistic of a repetition, as an array with a value for each signal."""
        rows = self.between(cycle.start_s, cycle.end_s)
        scale = _scale(rows)
        start = self.between(cycle.rest_s, cycle.rest_s)[0]
        turn = np.median(
            self.between(cycle.turn_s - _AROUND_TURN_S, cycle.turn_s + _AROUND_TURN_S), axis=0
        )
        statistics = {
            "start": start,
            "turn": turn,
            "min": rows.min(axis=0),
            "max": rows.max(axis=0),
            "mean": rows.mean(axis=0),
            "range": np.ptp(rows, axis=0),
            "change": turn - start,
        }
        return {name: values * scale for name, values in statistics.items()}

    def lately(self, seconds: float) -> dict[str, NDArray[np.float64]]:
        """Return statistics of the last seconds, as `during` has them, without start and turn."""
        rows = self.between(self.times_s[-1] - seconds, self.times_s[-1])
        return {
            "min": rows.min(axis=0),
            "max": rows.max(axis=0),
            "mean": rows.mean(axis=0),
            "range": np.ptp(rows, axis=0),
        }


def _scale(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return factors that turn places in the frame into lengths of the trunk."""
    scale = np.ones(len(NAMES))
    scale[list(PLACES)] = 1.0 / max(float(np.median(rows[:, INDEX["body_length"]])), 1e-3)
    return scale
