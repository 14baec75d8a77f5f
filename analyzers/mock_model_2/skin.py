"""Made-up numbers about a face, from the brightness of parts of the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROWS = 2
_COLUMNS = 3


def region_brightness(frame: NDArray[np.uint8]) -> list[list[float]]:
    """Return the mean brightness, 0..1, of a grid of regions.

    Parameters
    ----------
    frame : ndarray, shape (H, W, 3), uint8
        RGB.

    Returns
    -------
    list of list of float
        Two rows of three; a region that a tiny frame leaves empty is 0.
    """
    return [
        [_mean_brightness(region) for region in np.array_split(band, _COLUMNS, axis=1)]
        for band in np.array_split(frame, _ROWS, axis=0)
    ]


def pimple_count(brightness: list[list[float]]) -> int:
    """Return as many pimples as there are regions darker than the average."""
    values = np.array(brightness)
    return int((values < values.mean()).sum())


def fatigue(frames_seen: int) -> float:
    """Return a fatigue, 0..1, that grows with the frames seen and is half-way after a hundred."""
    return round(frames_seen / (frames_seen + 100), 4)


def _mean_brightness(region: NDArray[np.uint8]) -> float:
    if region.size == 0:
        return 0.0
    return round(float(region.mean()) / 255, 4)
