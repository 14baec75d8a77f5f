"""The square of a frame that a network looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# How much larger than the circle around the body its region is: MediaPipe's
# RectTransformationCalculator in pose_detection_to_roi.pbtxt and pose_landmarks_to_roi.pbtxt.
_MARGIN = 1.25


@dataclass(frozen=True, slots=True)
class Region:
    """A square, turned so that the person in it stands upright.

    Attributes
    ----------
    x, y : float
        Its middle, pixels of the frame.
    size : float
        Its side, pixels.
    angle : float
        How far it is turned, radians, clockwise as seen; -pi to pi.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    @classmethod
    def around(cls, middle: NDArray[np.float64], edge: NDArray[np.float64]) -> Region:
        """Return the region around the circle that BlazePose draws about a body.

        Parameters
        ----------
        middle : ndarray, shape (2,)
            The middle of the hips, pixels.
        edge : ndarray, shape (2,)
            The circle's point above the head, pixels.
        """
        dx, dy = (float(part) for part in edge - middle)
        # A person who stands has the edge straight above, where atan2 says 90 degrees.
        angle = math.remainder(math.pi / 2 - math.atan2(-dy, dx), 2 * math.pi)
        radius = math.hypot(dx, dy)
        return cls(float(middle[0]), float(middle[1]), 2 * radius * _MARGIN, angle)

    @classmethod
    def whole(cls, rgb: NDArray[np.uint8]) -> Region:
        """Return the square around a frame, as large as its longer side."""
        height, width = rgb.shape[:2]
        return cls(width / 2, height / 2, max(width, height))

    @property
    def is_usable(self) -> bool:
        """Whether there is anything to look at: networks can answer with points on one spot."""
        return math.isfinite(self.x + self.y + self.size) and self.size >= 1.0

    def scaled(self, factor: float) -> Region:
        """Return the region in a frame of another size."""
        return Region(self.x * factor, self.y * factor, self.size * factor, self.angle)

    def rotation(self) -> NDArray[np.float64]:
        """Return the matrix, shape (2, 2), that turns row vectors from the region to the frame."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cos, sin], [-sin, cos]])

    def to_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn points, shape (N, 2), in 0..1 of the region into pixels of the frame."""
        return (points - 0.5) @ self.rotation() * self.size + (self.x, self.y)

    def from_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn points, shape (N, 2), in pixels of the frame into 0..1 of the region."""
        return (points - (self.x, self.y)) / self.size @ self.rotation().T + 0.5

    def cut(
        self, rgb: NDArray[np.uint8], into: NDArray[np.uint8], *, repeat_edge: bool = False
    ) -> None:
        """Sample the region into a square picture, bilinearly.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        into : ndarray, shape (N, N, 3), uint8
            Is overwritten.
        repeat_edge : bool
            What lies outside the frame looks like its edge; otherwise black.
        """
        side = into.shape[0]
        scale = self.size / side
        cos, sin = scale * math.cos(self.angle), scale * math.sin(self.angle)
        half = side / 2
        matrix = np.array(
            [
                [cos, -sin, self.x - half * (cos - sin)],
                [sin, cos, self.y - half * (sin + cos)],
            ]
        )
        cv2.warpAffine(
            rgb,
            matrix,
            (side, side),
            dst=into,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT,
        )


def overlap(a: Region, b: Region) -> float:
    """Return intersection over union of two regions, 0..1, their angles left out."""
    shared = 1.0
    for one, other in ((a.x, b.x), (a.y, b.y)):
        low = max(one - a.size / 2, other - b.size / 2)
        high = min(one + a.size / 2, other + b.size / 2)
        shared *= max(0.0, high - low)
    return shared / max(a.size**2 + b.size**2 - shared, 1e-9)
