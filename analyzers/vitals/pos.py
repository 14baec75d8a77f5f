"""The pulse in a colour: plane orthogonal to skin, POS.

Wang, den Brinker, Stuijk, de Haan, "Algorithmic principles of remote PPG", IEEE Transactions on
Biomedical Engineering 64 (2017). What all three colours do alike is light and movement and falls
out; of what is left, two mixtures are weighed so that they cancel what is no pulse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.resampling import RATE_HZ

# The paper's 1.6 s, over which what the light is counts as constant.
WINDOW = round(1.6 * RATE_HZ)
_PROJECTION = np.array([[0.0, 1.0, -1.0], [-2.0, 1.0, 1.0]])
# Pairs of colours; what two of them have in common counts for both.
_ONE, _OTHER = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])
_TIMES = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
_TINY = 1e-9


def pulse(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pulse wave of several places of skin.

    Parameters
    ----------
    colors : ndarray, shape (N, K, 3)
        Mean red, green and blue of K places, N samples at RATE_HZ; N at least WINDOW.

    Returns
    -------
    ndarray, shape (N, K)
        Parts of the skin's level. It has no unit that means anything between people.
    """
    # All of it by running sums: with a window's means m, its wave is the colours times
    # projection / m, so what overlaps and is added is the colours times sums of those.
    means = np.maximum(_over_windows(colors) / WINDOW, _TINY)
    first, second = _PROJECTION[0] / means, _PROJECTION[1] / means
    covariance = _over_windows(colors[..., _ONE] * colors[..., _OTHER]) / WINDOW
    covariance -= means[..., _ONE] * means[..., _OTHER]
    alpha = np.sqrt(
        np.maximum(_power(covariance, first), 0.0)
        / np.maximum(_power(covariance, second), _TINY**2)
    )
    mixture = first + alpha[..., None] * second
    offsets = (mixture * means).sum(axis=-1)
    total = (colors * _added(mixture)).sum(axis=-1) - _added(offsets[..., None])[..., 0]
    count = len(colors)
    shares = np.minimum(np.arange(1, count + 1), WINDOW)
    shares = np.minimum(np.minimum(shares, shares[::-1]), count - WINDOW + 1)
    wave: NDArray[np.float64] = total / shares[:, None]
    return wave


def _over_windows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over each window of WINDOW samples, (N - WINDOW + 1, …)."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    windows: NDArray[np.float64] = sums[WINDOW:] - sums[:-WINDOW]
    return windows


def _added(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over the windows that each sample is in, (N, …)."""
    none = np.zeros((WINDOW - 1, *windows.shape[1:]))
    return _over_windows(np.concatenate([none, windows, none]))


def _power(covariance: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of a mixture of colours, by their variances and covariances, (…, 6)."""
    power: NDArray[np.float64] = (
        covariance * weights[..., _ONE] * weights[..., _OTHER] * _TIMES
    ).sum(axis=-1)
    return power
