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
    count = len(colors)
    # (windows, K, 3, WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(colors, WINDOW, axis=0)
    normal = windows / np.maximum(windows.mean(axis=-1, keepdims=True), _TINY)
    first, second = np.moveaxis(_PROJECTION @ normal, -2, 0)
    alpha = first.std(axis=-1) / np.maximum(second.std(axis=-1), _TINY)
    waves = first + alpha[..., None] * second
    waves -= waves.mean(axis=-1, keepdims=True)
    # Overlap and add: each sample is the mean of all windows that it is in.
    total = np.zeros((count, colors.shape[1]))
    for offset in range(WINDOW):
        total[offset : offset + len(waves)] += waves[:, :, offset]
    shares = np.minimum(np.arange(1, count + 1), WINDOW)
    shares = np.minimum(np.minimum(shares, shares[::-1]), len(waves))
    return total / shares[:, None]
