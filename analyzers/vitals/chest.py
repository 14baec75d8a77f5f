"""How far the chest rises, from a strip of shoulders below a face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, cut
from analyzers.pose.on_openvino.region import Region

# Breathing is 40 a minute at most; ten looks a second are plenty. With seven it was told later.
_EVERY_S = 0.095
_WIDTH, _HEIGHT = 96, 48
# The strip, in sizes of the square that holds the face.
_HALF_WIDTH, _TOP, _BOTTOM = 1.15, 0.62, 1.45
# When the strip would have to lie elsewhere, parts of its width.
_STRAYED = 0.08
_FEWEST_PX = 24
# Without as much to hold on to there is no telling.
_MIN_TEXTURE = 4.0


class Chest:
    """The chest of one person."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._look: NDArray[np.float32] | None = None
        self._down: NDArray[np.float32] | None = None
        self._energy = 0.0
        self._looked_s = float("-inf")
        self._risen = 0.0
        self._offset = 0.0

    def rise(self, rgb: NDArray[np.uint8], face: Region, time_s: float) -> float:
        """Return how far it has risen since it was first seen, in sizes of the face's square.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        face : Region
            The square that holds the face.
        time_s : float
            When; rises.
        """
        if time_s - self._looked_s < _EVERY_S:
            return self._risen
        self._looked_s = time_s
        wanted = _strip(face, *rgb.shape[:2])
        if wanted.height < _FEWEST_PX or wanted.width < _FEWEST_PX:
            return self._risen
        if self._box is None or _apart(self._box, wanted) > _STRAYED:
            self._begin(rgb, wanted)
            return self._risen
        assert self._look is not None
        assert self._down is not None
        now = _picture(rgb, self._box)
        # Least squares: by how many rows the picture has moved down.
        rows = float(((self._look - now + now.mean() - self._look.mean()) * self._down).sum())
        moved = -rows / self._energy * self._box.height / _HEIGHT / face.size
        self._risen = self._offset + moved
        return self._risen

    def _begin(self, rgb: NDArray[np.uint8], box: Box) -> None:
        self._offset = self._risen
        self._box = box
        self._look = _picture(rgb, box)
        self._down = np.gradient(self._look, axis=0).astype(np.float32)
        self._energy = max(float((self._down**2).sum()), _MIN_TEXTURE * _WIDTH * _HEIGHT)


def _strip(face: Region, height: int, width: int) -> Box:
    return Box(
        max(face.x - _HALF_WIDTH * face.size, 0.0),
        min(face.y + _TOP * face.size, float(height)),
        min(face.x + _HALF_WIDTH * face.size, float(width)),
        min(face.y + _BOTTOM * face.size, float(height)),
    )


def _apart(one: Box, other: Box) -> float:
    (x0, y0), (x1, y1) = one.middle, other.middle
    return float(np.hypot(x1 - x0, y1 - y0) / max(one.width, 1.0))


def _picture(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    strip = cut(rgb, box)
    # Every second row and column of a strip that large are enough, and a fifth of the work.
    step = max(1, min(strip.shape[0] // (2 * _HEIGHT), strip.shape[1] // (2 * _WIDTH)))
    green = np.ascontiguousarray(strip[::step, ::step, 1])
    small = cv2.resize(green, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    blurred: NDArray[np.float32] = cv2.GaussianBlur(small, (5, 5), 0).astype(np.float32)
    return blurred
