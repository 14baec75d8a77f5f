"""Where many signals turn, each looked at coarsely and finely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A repetition holds this many turning points beside its first.
PER_REPETITION = 2
# A signal that is to turn has to come back by so many times its trembling: what is smaller may be
# the network's, and what is larger may hold smaller movements that are no repetitions.
LEVELS = (3.0, 5.5, 10.0, 18.0)
# Of one signal at one level; a demonstration has five repetitions at most.
_KEPT = 16


class TurningPoints:
    """Follows each of N signals at each of `LEVELS`; a lane is a signal at a level.

    Parameters
    ----------
    tremble : ndarray, shape (N,)
        What each signal changes by while nobody moves.
    """

    def __init__(self, tremble: Floats) -> None:
        self.least = np.outer(tremble, LEVELS).ravel()
        count = len(self.least)
        self._begun = np.zeros(count, bool)
        self._rising = np.zeros(count, bool)
        self._low, self._high = np.full(count, np.inf), np.full(count, -np.inf)
        self._low_at, self._high_at = np.zeros(count, int), np.zeros(count, int)
        self._points: list[list[tuple[int, float]]] = [[] for _ in range(count)]

    def feed(self, number: int, values: Floats) -> None:
        """Take the signals' next values, (N,), and the number of their frame."""
        now = np.repeat(values, len(LEVELS))
        # Before a lane has begun, and on its way, the extreme that it leaves and the one it seeks.
        lower = (now < self._low) & ~(self._begun & self._rising)
        higher = (now > self._high) & ~(self._begun & ~self._rising)
        self._low[lower], self._low_at[lower] = now[lower], number
        self._high[higher], self._high_at[higher] = now[higher], number
        up = (now - self._low >= self.least) & ~(self._begun & self._rising)
        down = (self._high - now >= self.least) & ~(self._begun & ~self._rising)
        for lane in np.flatnonzero(up):
            self._turn(lane, int(self._low_at[lane]), float(self._low[lane]))
            self._rising[lane] = True
            self._high[lane], self._high_at[lane] = now[lane], number
        for lane in np.flatnonzero(down & ~up):
            self._turn(lane, int(self._high_at[lane]), float(self._high[lane]))
            self._rising[lane] = False
            self._low[lane], self._low_at[lane] = now[lane], number

    def of(self, lane: int) -> list[tuple[int, float]]:
        """Return frames and values of a lane's turning points, the last of them not yet certain.

        They alternate between lows and highs.
        """
        points = self._points[lane]
        if not points:
            return []
        if self._rising[lane]:
            return [*points, (int(self._high_at[lane]), float(self._high[lane]))]
        return [*points, (int(self._low_at[lane]), float(self._low[lane]))]

    def is_rising(self, lane: int) -> bool:
        """Tell whether a lane's last turning point, which is not yet certain, is a high."""
        return bool(self._rising[lane])

    def count(self, lane: int) -> int:
        """Return how many turning points of a lane are certain."""
        return len(self._points[lane])

    def _turn(self, lane: np.intp, number: int, value: float) -> None:
        self._begun[lane] = True
        points = self._points[lane]
        points.append((number, value))
        del points[:-_KEPT]
