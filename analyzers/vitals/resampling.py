"""From samples at the times when frames were taken to samples at even times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# What everything after this is computed at: three times the highest rate's second harmonic would
# be more, and a camera gives no more.
RATE_HZ = 30.0


def resample(
    times_s: NDArray[np.float64], values: NDArray[np.float64], end_s: float, seconds: float
) -> NDArray[np.float64]:
    """Return values at even times, linear between those that are there.

    Going by the times at which frames were taken, a frame that is missing costs
    a little of what was between its neighbours, and moves nothing.

    Parameters
    ----------
    times_s : ndarray, shape (N,)
        When, seconds; rises.
    values : ndarray, shape (N, C)
        What, one row a frame.
    end_s : float
        The time of the last row of the answer.
    seconds : float
        How much of the past is wanted.

    Returns
    -------
    ndarray, shape (RATE_HZ * seconds, C)
    """
    count = round(seconds * RATE_HZ)
    even_s = end_s - np.arange(count - 1, -1, -1) / RATE_HZ
    if len(times_s) < 2:
        return np.repeat(values, count, axis=0)
    # As np.interp does, for all columns at once.
    after = np.searchsorted(times_s, even_s).clip(1, len(times_s) - 1)
    before = after - 1
    part = (even_s - times_s[before]) / (times_s[after] - times_s[before])
    part = part.clip(0.0, 1.0)[:, None]
    even: NDArray[np.float64] = values[before] * (1.0 - part) + values[after] * part
    return even


def frame_rate(times_s: NDArray[np.float64]) -> float:
    """Return frames a second, 0 for fewer than two."""
    if len(times_s) < 2:
        return 0.0
    return float((len(times_s) - 1) / max(times_s[-1] - times_s[0], 1e-9))


def longest_gap(times_s: NDArray[np.float64]) -> float:
    """Return the longest time without a frame, seconds."""
    return float(np.diff(times_s).max()) if len(times_s) > 1 else 0.0
