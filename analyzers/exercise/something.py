"""Counts what is surely done as an exercise, and is none of those that are known.

Finding out whether something is repeated costs as much as all exercises together. So it is looked
for only while movements go out and back and come to no repetition; what was seen until then is
kept for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration import FreeCounter, Seen
from analyzers.exercise.demonstration.motion import SIGNALS
from analyzers.exercise.demonstration.regularity import Span

# Twelve seconds hold three repetitions; fifteen looks a second see each of them.
_KEPT_S, _STEP_S = 12.0, 0.06
# What was kept is gone through with the frames that come, so many with each: it takes a second, as
# all at once would hold up the lane for a tenth of one.
_AT_ONCE = 16
# Who did a repetition of a known exercise so lately goes on with that.
_BUSY_S = 3.0
# Movements that come to nothing are looked into for so long after the last of them.
_LOOKS_S = 6.0
# It is still being done so long after the last repetition.
_OVER_AFTER_S = 6.0
# What sets an exercise apart from other things that are repeated: much of the body moves along,
# each time alike, evenly in time, far, and not as quickly as steps or a dance. Somebody who walks,
# talks or works has one signal that repeats, or pauses as it comes. Chosen on the clips of
# bench/exercise.py, its movements that are none, and dips.
_LEAST_SIGNALS = 5
_LEAST_LIKENESS = 0.66
_LEAST_EVEN = 0.75
_LEAST_TREMBLES = 12.0
_LEAST_S = 0.7
# Of the time from one to the next, it takes so much.
_LEAST_BUSY = 0.45

Frame = tuple[float, NDArray[np.float32], float]
Row = Sequence[float]


def is_exercise(seen: Seen) -> bool:
    """Tell whether what was repeated is done as an exercise is."""
    signal, best = seen.signals[0]
    periods_s = [after.turn_s - before.turn_s for before, after in pairwise(best.spans)]
    return (
        len(seen.signals) >= _LEAST_SIGNALS
        and best.likeness >= _LEAST_LIKENESS
        and min(periods_s) >= _LEAST_EVEN * max(periods_s)
        and best.amplitude >= _LEAST_TREMBLES * SIGNALS[signal].tremble
        and best.seconds >= max(_LEAST_S, _LEAST_BUSY * best.period_s)
    )


class ExerciseCounter(FreeCounter):
    """Counts whatever is done as an exercise is."""

    def accepts(self, seen: Seen) -> bool:
        """Tell whether it is."""
        return is_exercise(seen)


class Something:
    """Follows one person's movements that come to no repetition."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._kept: deque[Frame] = deque()
        self._counter: ExerciseCounter | None = None
        self._taken = 0
        self._counted_s = float("-inf")
        self._moved_s = self._busy_s = float("-inf")

    @property
    def phase(self) -> str:
        """``rest``, ``up`` or ``down``."""
        return "rest" if self._counter is None else self._counter.phase

    def is_done(self, time_s: float) -> bool:
        """Tell whether it is being done at a time, seconds."""
        return bool(self.spans) and time_s - self.spans[-1].end_s < _OVER_AFTER_S

    def feed(
        self,
        landmarks: Sequence[Row],
        world: Sequence[Row],
        time_s: float,
        aspect: float,
        *,
        moves: bool,
    ) -> None:
        """Take a frame.

        Parameters
        ----------
        landmarks, world : 33 rows of x, y, z, visibility
            In 0..1 of the frame, and in metres from the middle of the hips.
        time_s : float
            Seconds since the session's first frame.
        aspect : float
            Width of the frame over its height.
        moves : bool
            Whether something went out and back again and again, of late.
        """
        if self._kept and time_s - self._kept[-1][0] < _STEP_S:
            return
        self._kept.append((time_s, np.array((landmarks, world), np.float32), aspect))
        while self._kept[0][0] < time_s - _KEPT_S:
            self._kept.popleft()
        if moves:
            self._moved_s = time_s
        if time_s - self._busy_s < _BUSY_S:
            return
        if time_s - self._moved_s > _LOOKS_S and not self.is_done(time_s):
            self._counter = None
            return
        if self._counter is None:
            self._counter, self._taken = ExerciseCounter(), 0
            self._counted_s = float("-inf")
        self._count(self._counter, _AT_ONCE)

    def give_way(self, start_s: float, end_s: float) -> None:
        """Note a repetition of a known exercise: what was seen of it is nothing else."""
        self.spans = [each for each in self.spans if each.end_s <= start_s]
        self._busy_s = end_s
        self._begin_anew()

    def finish(self) -> None:
        """End movements that are going on, and count those that are certain with it."""
        if self._counter is not None:
            self._count(self._counter, len(self._kept))
            self._counter.finish()
            self._take(self._counter)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._kept.clear()
        self._counter = None

    def _count(self, counter: FreeCounter, most: int) -> None:
        """Go on with what was kept and not yet counted, so many frames at most."""
        later = [frame for frame in self._kept if frame[0] > self._counted_s]
        for time_s, (landmarks, world), aspect in later[:most]:
            counter.feed(landmarks, world, time_s, aspect)
            self._counted_s = time_s
            self._take(counter)

    def _take(self, counter: FreeCounter) -> None:
        new = counter.spans[self._taken :]
        self._taken = len(counter.spans)
        # One that a repetition of a known exercise took is not counted again, and neither is one
        # that the counter before has told, of what is still kept. Each finds slightly other ends:
        # what turned before the last one's end is that one, or before it.
        told_s = self.spans[-1].end_s if self.spans else float("-inf")
        self.spans += [
            each for each in new if each.start_s >= self._busy_s and each.turn_s > told_s
        ]
