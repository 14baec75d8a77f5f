"""What was seen of one face in the last half minute, while it kept still."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.face_tracker import Reading

KEPT_S = 32.0
# Whoever gives all frames one time has them a millisecond apart: as many as 120 a second are kept.
_MOST = round(KEPT_S * 120)
# A longer pause is filled by nothing. A busy server leaves out runs of frames, up to a key frame.
LONGEST_GAP_S = 1.5
# Parts of the face's width in half a second; people who sit and rest sway by 1 or 2 %.
MOVED = 0.06
_OVER_S = 0.5
# After a movement blood and light need a moment, and so does whoever moved.
SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame.

    Attributes
    ----------
    time_s : float
        When.
    reading : Reading
        Of the face.
    behind : ndarray, shape (3,)
        Mean red, green and blue of what is around the face.
    chest : float
        How far the chest has risen, in parts of the face's width.
    """

    time_s: float
    reading: Reading
    behind: NDArray[np.float64]
    chest: float


class StillTime:
    """The moments since the face last moved."""

    def __init__(self) -> None:
        self.moments: deque[Moment] = deque(maxlen=_MOST)
        self._recent: deque[Moment] = deque()
        self.moved_s = float("-inf")
        self.paused_s = float("-inf")

    def add(self, moment: Moment) -> None:
        """Take one more; what was before a movement or a pause is forgotten."""
        now_s = moment.time_s
        if self._recent:
            last = self._recent[-1]
            if now_s - last.time_s > LONGEST_GAP_S:
                self.forget()
                self.paused_s = now_s
            elif last.reading.anchor != moment.reading.anchor:
                self._move(now_s)
        self._recent.append(moment)
        while now_s - self._recent[0].time_s > _OVER_S:
            self._recent.popleft()
        if _distance(self._recent[0].reading, moment.reading) > MOVED:
            self._move(now_s)
        if now_s - self.moved_s >= SETTLE_S:
            self.moments.append(moment)
        while self.moments and now_s - self.moments[0].time_s > KEPT_S:
            self.moments.popleft()

    def forget(self) -> None:
        """Begin anew."""
        self.moments.clear()
        self._recent.clear()

    def _move(self, now_s: float) -> None:
        self.moved_s = now_s
        self.moments.clear()

    @property
    def seconds(self) -> float:
        """How long it has kept still."""
        return self.moments[-1].time_s - self.moments[0].time_s if self.moments else 0.0

    def last(self, seconds: float) -> list[Moment]:
        """Return the moments of the last so many seconds."""
        if not self.moments:
            return []
        first_s = self.moments[-1].time_s - seconds
        return [moment for moment in self.moments if moment.time_s >= first_s]


def _distance(before: Reading, after: Reading) -> float:
    """Return how far a face has moved, in parts of its width."""
    if before.anchor != after.anchor:
        return 0.0
    step = after.place - before.place
    return float(np.hypot(step[0], step[1]) + abs(step[2]) + 0.5 * abs(step[3]))
