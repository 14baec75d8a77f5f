"""Tells people apart from frame to frame: the same person keeps the same number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.clock import RisingClock

# How far a person's landmarks may move between frames, on average, in diagonals of their box. Two
# people side by side are about 0.5 apart; someone who runs moves 0.1 in 1/30 s.
_MAX_MOVE = 0.35

# How long someone may be out of sight and keep their number.
_MEMORY_MS = 1000.0


@dataclass(slots=True)
class _Known:
    """Someone seen before."""

    number: int
    points: NDArray[np.float64]
    seen_ms: float


class Identities:
    """Numbers the people of one video, from 1 in the order in which they appear."""

    def __init__(self) -> None:
        self._known: list[_Known] = []
        self._last_number = 0
        self._clock = RisingClock()

    def assign(self, people: list[NDArray[np.float64]], timestamp_ms: float) -> list[int]:
        """Number the people of the next frame.

        The nearest pair of someone known and someone seen is matched first,
        then the next nearest, as long as the move is one that a person could
        make.

        Parameters
        ----------
        people : list of ndarray, shape (N, 2)
            Each person's landmarks, in 0..1 of the frame.
        timestamp_ms : float
            The frame's time.

        Returns
        -------
        list of int
            A number for each of `people`.
        """
        matched = self._match(people)
        numbers: list[int] = []
        now_ms = self._clock.tick(timestamp_ms)
        for index, points in enumerate(people):
            known = matched.get(index) or self._welcome()
            known.points, known.seen_ms = points, now_ms
            numbers.append(known.number)
        # Only frames without someone make them forgotten, not the time between two frames.
        self._known = [known for known in self._known if now_ms - known.seen_ms <= _MEMORY_MS]
        return numbers

    def _match(self, people: list[NDArray[np.float64]]) -> dict[int, _Known]:
        pairs = sorted(
            (_move(known.points, points), index, position)
            for position, known in enumerate(self._known)
            for index, points in enumerate(people)
        )
        matched: dict[int, _Known] = {}
        taken: set[int] = set()
        for move, index, position in pairs:
            if move > _MAX_MOVE:
                break
            if index not in matched and position not in taken:
                matched[index] = self._known[position]
                taken.add(position)
        return matched

    def _welcome(self) -> _Known:
        self._last_number += 1
        newcomer = _Known(self._last_number, np.empty((0, 2)), 0.0)
        self._known.append(newcomer)
        return newcomer


def bounding_box(points: NDArray[np.float64]) -> list[float]:
    """Return the box around landmarks: x0, y0, x1, y1 within 0..1 of the frame.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        x and y; those outside the frame are moved to its edge.
    """
    inside = points.clip(0.0, 1.0)
    return [round(float(edge), 5) for edge in (*inside.min(axis=0), *inside.max(axis=0))]


def box_area(box: list[float]) -> float:
    """Return the part of the frame, 0..1, that a box covers."""
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def _move(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Return the landmarks' mean distance in diagonals of the larger box around them."""
    diagonal = max(float(np.linalg.norm(np.ptp(points, axis=0))) for points in (before, now))
    distance = float(np.linalg.norm(now - before, axis=1).mean())
    return distance / max(diagonal, 1e-6)
