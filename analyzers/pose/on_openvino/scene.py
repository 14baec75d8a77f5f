"""Decides when it is worth looking for people in a scene where nobody is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Someone who was lost is mostly found at once; only then the search slows down.
_PATIENCE_MS = 1000
# Five searches a second while nothing moves, and fifteen while something does.
_STILL_INTERVAL_MS = 200
_MOVING_INTERVAL_MS = 66

# Means of this many rows and columns of points are compared, so that camera noise averages out.
_CELLS = 16
_SAMPLES_PER_CELL = 8
# Grey levels that a cell's mean has to change by; noise of 5 levels moves the mean of 64 points by
# 0.6, someone who enters by tens.
_CHANGE = 4.0


class EmptySceneWatch:
    """Says for each frame without people whether to look for some."""

    def __init__(self) -> None:
        self._nobody_since_ms: int | None = None
        self._searched_ms = 0
        self._last_ms = 0
        self._searched: NDArray[np.float32] | None = None

    def somebody(self) -> None:
        """Take note that there are people in the scene."""
        self._nobody_since_ms = None
        self._searched = None

    def wants_search(self, rgb: NDArray[np.uint8], time_ms: int) -> bool:
        """Tell whether to search this frame; if so, it counts as searched.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            A frame in which nobody is known to be.
        time_ms : int
            Its time; rises.
        """
        if self._nobody_since_ms is None:
            self._nobody_since_ms = time_ms
        if time_ms - self._nobody_since_ms < _PATIENCE_MS:
            return True
        step_ms = time_ms - self._last_ms
        self._last_ms = time_ms
        # The frame that is nearest to the interval is searched.
        pause_ms = time_ms - self._searched_ms + step_ms / 2
        if self._searched is not None and pause_ms < _MOVING_INTERVAL_MS:
            return False
        now = _summary(rgb)
        moved = self._searched is None or np.abs(now - self._searched).max() > _CHANGE
        if not moved and pause_ms < _STILL_INTERVAL_MS:
            return False
        self._searched, self._searched_ms = now, time_ms
        return True


def _summary(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean brightness of each cell of a grid: (cells, cells)."""
    count = _CELLS * _SAMPLES_PER_CELL
    rows, columns = (np.linspace(0, side - 1, count).astype(int) for side in rgb.shape[:2])
    # Green is most of the brightness.
    points = rgb[rows[:, None], columns[None, :], 1].astype(np.float32)
    shape = (_CELLS, _SAMPLES_PER_CELL, _CELLS, _SAMPLES_PER_CELL)
    cells: NDArray[np.float32] = points.reshape(shape).mean(axis=(1, 3))
    return cells
