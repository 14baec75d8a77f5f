"""Gives a picture room around it.

Detectors are trained on whole scenes: someone who fills their picture from edge to edge is mostly
not found. With margins that continue what is at the edges, they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# The height of the picture with its margins: enough for every detector here, and little to compute.
_HEIGHT_PX = 480


@dataclass(frozen=True, slots=True)
class Roomy:
    """A picture with margins.

    Attributes
    ----------
    picture : ndarray, shape (H, W, 3), uint8
        RGB.
    scale : float
        How much larger than before what is within the margins is.
    left, top : int
        The margins, pixels of `picture`.
    """

    picture: NDArray[np.uint8]
    scale: float
    left: int
    top: int

    def back(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points of `picture` are in what it was made of, shape (N, 2), pixels."""
        placed: NDArray[np.float64] = (points - (self.left, self.top)) / self.scale
        return placed


def with_margins(rgb: NDArray[np.uint8], *, above: float, shape: float) -> Roomy:
    """Put margins around a picture.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The picture.
    above
        The upper and the lower margin each, in heights of the picture; more where it is wide.
    shape
        Width over height of what comes out.
    """
    height, width = rgb.shape[:2]
    wide = round(_HEIGHT_PX * shape)
    # All of it has to fit: a panorama gets its margins above and below.
    scale = min(_HEIGHT_PX / (height * (1.0 + 2.0 * above)), wide / width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    shrinks = scale < 1.0
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    left, top = (wide - size[0]) // 2, (_HEIGHT_PX - size[1]) // 2
    right, bottom = wide - size[0] - left, _HEIGHT_PX - size[1] - top
    picture = cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return Roomy(picture.astype(np.uint8, copy=False), scale, left, top)
