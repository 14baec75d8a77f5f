"""Which pixels of a face are skin that shows the pulse, and what colour they have."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.pose.on_openvino.region import Region

# Points of the mesh around each place, in any order. Forehead and cheeks have the strongest pulse
# and move least (Kim and others, "Assessment of ROI selection for facial video-based rPPG", Sensors
# 21, 2021). Nose, chin and jaws are for video that was encoded, whose steps are another in each.
PLACES = (
    (103, 67, 109, 10, 9, 107, 66, 105, 104),
    (332, 297, 338, 10, 9, 336, 296, 334, 333),
    (117, 118, 100, 36, 205, 187, 123, 50, 101),
    (346, 347, 329, 266, 425, 411, 352, 280, 330),
    (168, 122, 351, 45, 275, 4),
    (208, 428, 396, 171, 175, 199),
    (207, 214, 135, 169, 210, 202),
    (427, 434, 364, 394, 430, 422),
)
_SIDE = 96
# Fewer pixels of the picture are noise.
_FEWEST = 60
# How far a pixel's share of red and green may be from that of the face's skin, and its brightness.
_CHROMA = 0.035
_DARKEST, _BRIGHTEST = 0.6, 1.5
# A pixel as bright as this says nothing of small changes.
_CLIPPED = 250


@dataclass(frozen=True, slots=True)
class Colors:
    """What skin looks like in a frame.

    Attributes
    ----------
    places : ndarray, shape (K, 3)
        Mean red, green and blue, 0..255.
    clipped : float
        The part of it that is as bright as can be, 0..1.
    """

    places: NDArray[np.float64]
    clipped: float


class Skin:
    """The skin of one face, chosen once, in a square that follows the face.

    Parameters
    ----------
    rgb : ndarray, shape (H, W, 3), uint8
        The frame.
    region : Region
        The square.
    points : ndarray, shape (468, 2)
        The mesh, pixels of the frame.
    """

    def __init__(self, rgb: NDArray[np.uint8], region: Region, points: NDArray[np.float64]) -> None:
        self._buffer = np.empty((_SIDE, _SIDE, 3), np.uint8)
        picture = self._cut(rgb, region)
        inside = np.stack([_polygon(region.from_frame(points[list(place)])) for place in PLACES])
        somewhere: NDArray[np.bool_] = np.any(inside, axis=0)
        masks = inside & _alike(picture, somewhere)
        chosen = masks[masks.sum(axis=(1, 2)) >= _FEWEST].reshape(-1, _SIDE * _SIDE)
        # The rest of the picture is not looked at any more.
        self._pixels = np.flatnonzero(chosen.any(axis=0))
        weights = chosen[:, self._pixels]
        self._weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)

    @property
    def places(self) -> int:
        """How many places have enough skin, 0..8."""
        return len(self._weights)

    def colors(self, rgb: NDArray[np.uint8], region: Region) -> Colors:
        """Return its colours in a frame, the square being at `region`."""
        pixels = self._cut(rgb, region).reshape(-1, 3).take(self._pixels, axis=0)
        if not len(pixels):
            return Colors(np.empty((0, 3)), 0.0)
        means = self._weights @ pixels.astype(np.float32)
        # Of skin red is the brightest.
        clipped = np.count_nonzero(pixels[:, 0] >= _CLIPPED) / len(pixels)
        return Colors(means.astype(float), clipped)

    def _cut(self, rgb: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
        region.cut(rgb, self._buffer, repeat_edge=True)
        return self._buffer


def _polygon(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    hull = cv2.convexHull((points * _SIDE).round().astype(np.int32))
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillConvexPoly(mask, hull, (1,))
    return mask.astype(bool)


def _alike(picture: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pixels look like most of those inside: neither hair, glasses nor glare."""
    if not inside.any():
        return inside
    colors = picture.astype(np.float32)
    total = colors.sum(axis=2) + 1.0
    shares = colors[:, :, :2] / total[:, :, None]
    usual, level = _middle(shares[inside]), _middle(total[inside])
    near = (np.abs(shares - usual) < _CHROMA).all(axis=2)
    lit = (total > _DARKEST * level) & (total < _BRIGHTEST * level)
    unclipped = picture.max(axis=2) < _CLIPPED
    alike: NDArray[np.bool_] = near & lit & unclipped
    return alike


def _middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the value that half of them are below, of each column.

    numpy's own median imports a package when it is first called, which took the first frame with a
    face 80 ms.
    """
    middle = len(values) // 2
    found: NDArray[np.float32] = np.partition(values, middle, axis=0)[middle]
    return found
