"""What is behind a face: it has the same light, and no pulse."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.on_openvino.region import Region

# So many pixels along the frame's longer side: fewer, and a background that sways by a pixel
# changes as much as a face does with its pulse.
_ALONG = 80
# The face, in its square's half sides.
_HALF = 0.7
_FEWEST = 64


class Background:
    """Chosen once for a face, since a choice that goes with its sway would change colour by that.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The frame.
    face : Region
        The square that holds the face; it and what is below it are left out.
    """

    def __init__(self, rgb: NDArray[np.uint8], face: Region) -> None:
        height, width = rgb.shape[:2]
        self._shape = rgb.shape
        self._step = max(1, round(max(height, width) / _ALONG))
        self._weights: NDArray[np.float32] | None = None
        half = _HALF * face.size
        top, left, right = (
            max(math.ceil((edge - self._step // 2) / self._step), 0)
            for edge in (face.y - half, face.x - half, face.x + half)
        )
        outside = np.ones(self._picked(rgb).shape[:2], np.float32)
        outside[top:, left:right] = 0.0
        count = float(outside.sum())
        if count >= _FEWEST:
            self._weights = outside.reshape(-1) / np.float32(count)

    def fits(self, rgb: NDArray[np.uint8]) -> bool:
        """Tell whether a frame has the size of that in which it was chosen."""
        return rgb.shape == self._shape

    def color(self, rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return its mean red, green and blue, 1..256; all 1 where the face leaves too little."""
        if self._weights is None:
            return np.ones(3)
        mean = self._weights @ self._picked(rgb).reshape(-1, 3).astype(np.float32)
        return mean.astype(float) + 1.0

    def _picked(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        first = self._step // 2
        return rgb[first :: self._step, first :: self._step]
