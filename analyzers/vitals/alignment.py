"""Keeps a square on the same piece of a face, to a fraction of a pixel.

Inverse compositional alignment (Baker and Matthews, "Lucas-Kanade 20 years on", International
Journal of Computer Vision 56, 2004) of a small picture by four numbers: where, how large and how
far turned. It costs a tenth of the network that finds the face, and trembles less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.pose.on_openvino.region import Region

_SIDE = 48
_STEPS = 3
# Of the picture's side, a tenth of its pixel: what is left after such a step is a hundredth.
_ENOUGH = 0.002
_LARGEST = 0.15
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Aligned:
    """Where the piece is now, and how much it looks as it did.

    Attributes
    ----------
    region : Region
        Where.
    likeness : float
        Correlation with the piece, -1..1.
    """

    region: Region
    likeness: float


class Template:
    """What a square of a frame, shape (H, W, 3), looks like."""

    def __init__(self, rgb: NDArray[np.uint8], region: Region) -> None:
        self._buffer = np.empty((_SIDE, _SIDE, 3), np.uint8)
        v, u = (np.mgrid[0:_SIDE, 0:_SIDE] + 0.5) / _SIDE - 0.5
        # The middle is the face; around it is what is behind.
        weight = np.exp(-((u / 0.42) ** 4) - (v / 0.42) ** 4)
        self._weight = (weight / weight.sum()).astype(np.float32).reshape(-1)
        look = self._cut(rgb, region)
        down, across = np.gradient(look.reshape(_SIDE, _SIDE), 1.0 / _SIDE)
        steepest = np.stack([across, down, across * u + down * v, down * u - across * v])
        weighted = steepest.reshape(4, -1) * self._weight
        hessian = weighted @ steepest.reshape(4, -1).T
        self._solve = (np.linalg.pinv(hessian) @ weighted).astype(np.float32)
        self._look = look
        self._weighted_look = look * self._weight

    def find(self, rgb: NDArray[np.uint8], near: Region) -> Aligned:
        """Return where the square is in another frame, given where it was."""
        region, likeness = near, -1.0
        for _ in range(_STEPS):
            now = self._cut(rgb, region)
            likeness = float(now @ self._weighted_look)
            dx, dy, scale, turn = (
                min(max(each, -_LARGEST), _LARGEST)
                for each in (self._solve @ (now - self._look)).tolist()
            )
            cos, sin = math.cos(region.angle), math.sin(region.angle)
            region = Region(
                region.x - region.size * (dx * cos - dy * sin),
                region.y - region.size * (dx * sin + dy * cos),
                region.size * (1.0 - scale),
                region.angle - turn,
            )
            if max(abs(dx), abs(dy), abs(scale), abs(turn)) < _ENOUGH:
                break
        return Aligned(region, likeness)

    def _cut(self, rgb: NDArray[np.uint8], region: Region) -> NDArray[np.float32]:
        """Return the square, of mean 0 and variance 1 where it counts, so that light is nothing."""
        region.cut(rgb, self._buffer, repeat_edge=True)
        grey: NDArray[np.float32] = (
            cv2.GaussianBlur(self._buffer[:, :, 1], (3, 3), 0).astype(np.float32).reshape(-1)
        )
        grey -= float(grey @ self._weight)
        grey /= math.sqrt(float((grey * grey) @ self._weight) + _TINY)
        return grey
