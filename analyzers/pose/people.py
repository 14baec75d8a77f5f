"""Tells people apart from frame to frame: the same person keeps the same number.

Someone is where they would be if they went on as before, and wears what they wore. Both are weighed
against each other, so that two who cross keep their numbers, and so does who comes back.

Constants without a reason beside them were chosen on TUD-Campus (a crowd), on rendered athletes who
cross, and on clips of one person, whose number must not change; figures are in docs/accuracy.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.clock import RisingClock
from analyzers.pose.color_histogram import color_histogram, differences
from analyzers.pose.engine import Person
from analyzers.pose.landmarks import INDEX

# How long someone may be out of sight and keep their number.
_MEMORY_MS = 3000.0

# How far landmarks may be, on average, from where they are expected, in diagonals of the body: two
# people side by side are about 0.5 apart. Further for each second out of sight.
_REACH = 0.35
_REACH_PER_S = 0.7

# Who was seen just now and is this near to where they are expected is them, in whatever light.
_NEAR = 0.2
_JUST_NOW_S = 0.25

# Clothes that differ by more are somebody else's. Within three seconds those of one person differ
# by less than 0.44 in 99 % of looks, and by 0.6 and more while they are half behind another one.
_OTHER_CLOTHES = 0.7

# A difference of clothes that weighs as much as a move of `_REACH`, what both may come to, and what
# a second out of sight adds when several could be the one who is seen.
_CLOTHES = 0.65
_MOST = 1.6
_ABSENCE_PER_S = 1.0

# How long someone is expected to go on as before, and over how long their speed is averaged.
_GOES_ON_S = 0.8
_SPEED_S = 0.15

# Clothes are looked at now and then and averaged over some three.
_LOOK_MS = 100.0
_LOOK_WEIGHT = 0.3

_TORSO = [INDEX[f"{side}_{part}"] for part in ("shoulder", "hip") for side in ("left", "right")]

Points = NDArray[np.float64]


@dataclass(slots=True)
class _Seen:
    """Someone in the frame: landmarks in heights of it, shape (33, 2), and what they wear."""

    points: Points
    clothes: Points | None = None
    is_crowded: bool = False


@dataclass(slots=True)
class Known:
    """Someone seen before; the velocity is in heights of the frame a second."""

    number: int
    points: Points
    seen_ms: float
    clothes: Points | None = None
    looked_ms: float = 0.0
    looks: int = 0
    velocity: Points = field(default_factory=lambda: np.zeros(2))

    def gap_s(self, now_ms: float) -> float:
        """How long they have been out of sight."""
        return min(now_ms - self.seen_ms, _MEMORY_MS) / 1000

    def expected(self, now_ms: float) -> Points:
        """Where they would be by now if they went on as before, shape (33, 2)."""
        return self.points + self.velocity * min(self.gap_s(now_ms), _GOES_ON_S)

    def see(self, seen: _Seen, now_ms: float) -> None:
        """Take in where they are now, and what they wear."""
        gap_s = self.gap_s(now_ms)
        if gap_s < _GOES_ON_S:
            speed = (seen.points[_TORSO] - self.points[_TORSO]).mean(axis=0) / max(gap_s, 1e-3)
            self.velocity += (1.0 - np.exp(-gap_s / _SPEED_S)) * (speed - self.velocity)
        else:
            self.velocity = np.zeros(2)
        self.points, self.seen_ms = seen.points, now_ms
        # Of someone who is partly behind another one it is the other one's clothes that are seen.
        if seen.clothes is None or (seen.is_crowded and self.clothes is not None):
            return
        if now_ms - self.looked_ms >= _LOOK_MS or self.clothes is None:
            self.looks += 1
            before = seen.clothes if self.clothes is None else self.clothes
            weight = max(1.0 / self.looks, _LOOK_WEIGHT)
            self.clothes = before + weight * (seen.clothes - before)
            self.looked_ms = now_ms


class Identities:
    """Numbers the people of one video, from 1 in the order in which they appear."""

    def __init__(self) -> None:
        self._known: list[Known] = []
        self._last_number = 0
        self._clock = RisingClock()

    def assign(
        self, rgb: NDArray[np.uint8], people: Sequence[Person], timestamp_ms: float
    ) -> list[int]:
        """Number the people of the next frame.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        people
            Who is in it.
        timestamp_ms : float
            The frame's time.

        Returns
        -------
        list of int
            A number for each of `people`.
        """
        now_ms = float(self._clock.tick(timestamp_ms))
        height, width = rgb.shape[:2]
        seen = [_Seen(person.landmarks[:, :2] * (width / height, 1.0)) for person in people]
        if self._is_still_alone(seen, now_ms):
            matched = {0: self._known[0]}
            if now_ms - self._known[0].looked_ms >= _LOOK_MS:
                seen[0].clothes = color_histogram(rgb, people[0].landmarks)
        else:
            for one, person in zip(seen, people, strict=True):
                one.clothes = color_histogram(rgb, person.landmarks)
            matched = self._match(seen, now_ms)
            _mark_crowds(seen, self._out_of_sight(matched, now_ms))
        numbers = []
        for index, one in enumerate(seen):
            known = matched.get(index) or self._welcome(one, now_ms)
            known.see(one, now_ms)
            numbers.append(known.number)
        # Only frames without someone make them forgotten, not the time between two frames.
        self._known = [known for known in self._known if now_ms - known.seen_ms <= _MEMORY_MS]
        return numbers

    def _is_still_alone(self, seen: Sequence[_Seen], now_ms: float) -> bool:
        """Tell whether one person is all there is, where they were: nobody to mix them up with."""
        if len(seen) != 1 or len(self._known) != 1:
            return False
        (known,) = self._known
        move = moves([known.expected(now_ms)], [seen[0].points])[0, 0]
        return known.gap_s(now_ms) <= _JUST_NOW_S and bool(move <= _NEAR)

    def _match(self, seen: Sequence[_Seen], now_ms: float) -> dict[int, Known]:
        """Match people with those known, the likeliest pair first."""
        if not seen or not self._known:
            return {}
        worn = differences(_clothes_of(self._known), _clothes_of(seen)).tolist()
        expected = [known.expected(now_ms) for known in self._known]
        moved = moves(expected, [one.points for one in seen]).tolist()
        pairs = sorted(
            (cost, index, position)
            for position, known in enumerate(self._known)
            for index in range(len(seen))
            if (cost := _cost(moved[position][index], worn[position][index], known.gap_s(now_ms)))
            is not None
        )
        matched: dict[int, Known] = {}
        taken: set[int] = set()
        for _, index, position in pairs:
            if index not in matched and position not in taken:
                matched[index] = self._known[position]
                taken.add(position)
        return matched

    def _out_of_sight(self, matched: Mapping[int, Known], now_ms: float) -> list[Points]:
        """Return where those would be who were matched with nobody."""
        numbers = {known.number for known in matched.values()}
        return [known.expected(now_ms) for known in self._known if known.number not in numbers]

    def _welcome(self, seen: _Seen, now_ms: float) -> Known:
        self._last_number += 1
        newcomer = Known(self._last_number, seen.points, now_ms)
        self._known.append(newcomer)
        return newcomer


def moves(expected: Sequence[Points], seen: Sequence[Points]) -> Points:
    """Say how far people are from where others are expected.

    Parameters
    ----------
    expected, seen
        Landmarks, shape (33, 2) each; A and B of them.

    Returns
    -------
    ndarray, shape (A, B)
        Mean distance of landmarks, in diagonals of the larger body.
    """
    first, second = np.array(expected)[:, None], np.array(seen)[None]
    apart = first - second
    distances = np.sqrt(np.square(apart).sum(axis=3)).mean(axis=2)
    diagonals = [np.hypot(*np.moveaxis(np.ptp(points, axis=2), 2, 0)) for points in (first, second)]
    moved: Points = distances / np.maximum(np.maximum(*diagonals), 1e-6)
    return moved


def _cost(move: float, worn: float, gap_s: float) -> float | None:
    """Say how unlikely it is that two are the same; None when they can not be."""
    reach = _REACH + _REACH_PER_S * gap_s
    is_recent = gap_s <= _JUST_NOW_S
    if move > reach:
        return None
    away = move / (_REACH if is_recent else reach)
    is_unlike = worn > _OTHER_CLOTHES or away + worn / _CLOTHES > _MOST
    if is_unlike and not (is_recent and move <= _NEAR):
        return None
    return move / _REACH + worn / _CLOTHES + _ABSENCE_PER_S * min(gap_s, 1.0)


def _clothes_of(people: Sequence[_Seen] | Sequence[Known]) -> Points:
    return np.array([person.clothes for person in people])


def _mark_crowds(seen: Sequence[_Seen], hidden: Sequence[Points]) -> None:
    """Mark those whose box meets another one's, or that of someone who may be behind them.

    While one person hides another, the network may go over from the one to the other bit by bit.
    """
    boxes = [(one.points.min(axis=0), one.points.max(axis=0)) for one in seen]
    others = [(points.min(axis=0), points.max(axis=0)) for points in hidden]
    for one, (low, high) in zip(seen, boxes, strict=True):
        meets = (bool((low < far).all() and (near < high).all()) for near, far in boxes + others)
        # Everyone meets themselves.
        one.is_crowded = sum(meets) > 1
