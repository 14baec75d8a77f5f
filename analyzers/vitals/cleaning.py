"""Takes away from a skin's colours what light and the head's movement explain.

What is behind the face has the same light and no pulse, and a head that moves in light from one
side changes its colours as it moves. Both are fitted to the colours, and subtracted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.resampling import RATE_HZ
from analyzers.vitals.spectrum import detrended

# What is slower than this is no pulse: a mean over so long is taken away.
_SLOW = 2 * round(0.75 * RATE_HZ) + 1
_DEGREE = 3
# Keeps what explains little from being given much: parts of the explaining signal's power.
_RIDGE = 0.02
_TINY = 1e-9


def without_slow(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the mean of 1.5 s around each sample away, of each column of an (N, C) signal."""
    half = _SLOW // 2
    padded = np.pad(signal, ((half, half), (0, 0)), mode="edge")
    sums = np.concatenate([np.zeros((1, signal.shape[1])), np.cumsum(padded, axis=0)])
    quick: NDArray[np.float64] = signal - (sums[_SLOW:] - sums[:-_SLOW]) / _SLOW
    return quick


def quick_part(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what of colours is quick enough for a pulse."""
    return without_slow(detrended(logarithms, _DEGREE))


def cleaned(
    logarithms: NDArray[np.float64],
    explaining: NDArray[np.float64],
    seen: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return colours without what explains them.

    Parameters
    ----------
    logarithms : ndarray, shape (N, C)
        Of colours: light multiplies them.
    seen : ndarray, shape (N, C), optional
        Their `quick_part`, if it is known.
    explaining : ndarray, shape (N, E)
        Signals in which there is no pulse.
    """
    whole = detrended(explaining, _DEGREE)
    quick = without_slow(whole)
    level = np.maximum(quick.std(axis=0), _TINY)
    quick /= level
    if seen is None:
        seen = quick_part(logarithms)
    count = quick.shape[1]
    square = quick.T @ quick + _RIDGE * len(quick) * np.eye(count)
    # Fitted where a pulse would be, and taken away there and below.
    part = np.linalg.solve(square, quick.T @ seen)
    left: NDArray[np.float64] = logarithms - (whole / level) @ part
    return left
