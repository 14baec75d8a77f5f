"""Anti-aliased lines, dots and boxes, placed to a fraction of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = "NDArray[np.uint8]"
"""Shape (H, W, 3), RGB, to be written into."""
Points: TypeAlias = "NDArray[np.floating[Any]]"
Colour: TypeAlias = tuple[int, int, int]

# All of them are told apart, and legible on light and on dark with OUTLINE around them.
OUTLINE: Colour = (16, 18, 24)
WHITE: Colour = (245, 246, 248)
ORANGE: Colour = (255, 150, 60)
BLUE: Colour = (80, 175, 255)
GREEN: Colour = (90, 220, 120)
AMBER: Colour = (255, 200, 70)
RED: Colour = (255, 100, 90)

# OpenCV takes coordinates as whole sixteenths of a pixel.
_FRACTION_BITS = 4
# What is further outside does not fit its integers.
_FAR_PX = 30_000.0
# The size that lengths are given for.
_NOMINAL_HEIGHT = 480.0
_NOMINAL_ASPECT = 4.0 / 3.0


def scale_of(picture: Picture) -> float:
    """Return what lengths are multiplied with: 1 for 640x480, more for larger pictures.

    It goes with the height; in an upright picture with the width, or text would not fit.
    """
    height, width = picture.shape[:2]
    return float(min(height, width * _NOMINAL_ASPECT) / _NOMINAL_HEIGHT)


def lines(picture: Picture, ends: Points, colour: Colour, width_px: float) -> None:
    """Draw straight lines with round ends.

    Parameters
    ----------
    ends : ndarray, shape (N, 2, 2)
        x and y of both ends, pixels.
    width_px
        At least one pixel is drawn.
    """
    if len(ends):
        thickness = max(round(width_px), 1)
        fixed = list(_fixed(ends))
        cv2.polylines(picture, fixed, False, colour, thickness, cv2.LINE_AA, _FRACTION_BITS)


def dots(picture: Picture, middles: Points, colour: Colour, radius_px: float) -> None:
    """Draw filled circles.

    Parameters
    ----------
    middles : ndarray, shape (N, 2)
        x and y, pixels.
    """
    radius = round(radius_px * (1 << _FRACTION_BITS))
    for x, y in _fixed(middles).tolist():
        cv2.circle(picture, (x, y), radius, colour, cv2.FILLED, cv2.LINE_AA, _FRACTION_BITS)


def box(picture: Picture, bbox: Sequence[float], colour: Colour) -> None:
    """Draw a box with strong corners, outlined.

    Parameters
    ----------
    bbox
        x0, y0, x1, y1, pixels.
    """
    scale = scale_of(picture)
    x0, y0, x1, y1 = (float(edge) for edge in bbox)
    edges = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    ring = np.stack([edges, np.roll(edges, -1, axis=0)], axis=1)
    reach = min(abs(x1 - x0), abs(y1 - y0)) * 0.22
    corners = np.array(
        [
            [(x, y), (x + dx, y + dy)]
            for x, to_x in ((x0, reach), (x1, -reach))
            for y, to_y in ((y0, reach), (y1, -reach))
            for dx, dy in ((to_x, 0.0), (0.0, to_y))
        ]
    )
    lines(picture, ring, OUTLINE, 3.0 * scale)
    lines(picture, corners, OUTLINE, 6.0 * scale)
    lines(picture, ring, colour, 1.0 * scale)
    lines(picture, corners, colour, 3.0 * scale)


def _fixed(points: Points) -> NDArray[np.int32]:
    inside = np.clip(points, -_FAR_PX, _FAR_PX)
    return np.asarray(np.rint(inside * (1 << _FRACTION_BITS)), np.int32)
