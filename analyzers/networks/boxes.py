"""Upright boxes in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Box:
    """Where someone is, pixels.

    Attributes
    ----------
    x0, y0, x1, y1 : float
        The upper left corner and the lower right one.
    score : float
        How sure it is, 0..1.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0

    @classmethod
    def around(cls, points: NDArray[np.float64]) -> Box:
        """Return the box around points, shape (N, 2)."""
        return cls(*points.min(axis=0).tolist(), *points.max(axis=0).tolist())

    @property
    def width(self) -> float:
        """Pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Pixels."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Pixels."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def corners(self) -> NDArray[np.float64]:
        """Return all four, shape (4, 2), clockwise from the upper left."""
        x0, y0, x1, y1 = self.x0, self.y0, self.x1, self.y1
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])

    def holds(self, x: float, y: float) -> bool:
        """Tell whether a point lies in the box."""
        return self.x0 < x < self.x1 and self.y0 < y < self.y1

    def meets(self, other: Box) -> bool:
        """Tell whether the two have anything in common."""
        return min(self.x1, other.x1) > max(self.x0, other.x0) and min(self.y1, other.y1) > max(
            self.y0, other.y0
        )


def overlap(a: Box, b: Box) -> float:
    """Return intersection over union, 0..1."""
    if not a.meets(b):
        return 0.0
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    shared = width * height
    return shared / (a.area + b.area - shared)


def pair(first: Sequence[Box], second: Sequence[Box], min_overlap: float) -> dict[int, int]:
    """Match boxes one to one, those that overlap most first.

    Returns
    -------
    dict
        From index in `second` to index in `first`, for those that found one.
    """
    candidates = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(first) for j, b in enumerate(second)),
        reverse=True,
    )
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for shared, i, j in candidates:
        if shared >= min_overlap and i not in taken and j not in matched:
            matched[j] = i
            taken.add(i)
    return matched


def cut(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the part of a frame that a box covers, without copying it.

    Raises
    ------
    ValueError
        When nothing of the box is in the frame.
    """
    height, width = rgb.shape[:2]
    x0, y0 = max(round(box.x0), 0), max(round(box.y0), 0)
    x1, y1 = min(round(box.x1), width), min(round(box.y1), height)
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"nothing of {box} is in the frame of {width}x{height}")
    return rgb[y0:y1, x0:x1]
