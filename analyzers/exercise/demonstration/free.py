"""Counts whatever somebody repeats, without knowing what it is."""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.exercise.demonstration.counter import ShownCounter
from analyzers.exercise.demonstration.distilling import distilled
from analyzers.exercise.demonstration.learner import Learner, Seen
from analyzers.exercise.demonstration.motion import Moment, Motion
from analyzers.exercise.demonstration.regularity import Span

UNKNOWN = "unknown"
# Two alike may be chance, as of somebody who shifts their weight; three are an exercise.
_REPETITIONS = 3
# Nobody does the same movement so long after the last one: it is looked for anew.
_OVER_AFTER_S, _OVER_AFTER = 6.0, 3.0
_MAX_GAP_S = 1.0


class FreeCounter:
    """Finds the movement that is repeated, counts those seen so far, and from then on.

    Fed frame by frame at any rate, with landmarks alone::

        counter = FreeCounter()
        for landmarks, world, time_s in frames:
            counter.feed(landmarks, world, time_s, aspect)
        counter.finish()
        print(counter.repetitions)

    Attributes
    ----------
    spans : list of Span
        When each repetition was.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._motion = Motion()
        self._learner = Learner(_REPETITIONS, tells_progress=False)
        self._counter: ShownCounter | None = None
        self._last_s = float("-inf")
        self._active_s = float("-inf")
        self._period_s = 0.0

    @property
    def repetitions(self) -> int:
        """How many there were."""
        return len(self.spans)

    @property
    def is_counting(self) -> bool:
        """Whether a movement is being repeated."""
        return self._counter is not None

    @property
    def phase(self) -> str:
        """``rest``, ``up`` or ``down``."""
        if self._counter is None or self._counter.phase == "rest":
            return "rest"
        out = self._counter.exercise.out
        if self._counter.phase == "out":
            return out
        return "down" if out == "up" else "up"

    def accepts(self, seen: Seen) -> bool:
        """Tell whether what is repeated is to be counted: here, all is."""
        return True

    def feed(
        self,
        landmarks: Sequence[Sequence[float]],
        world: Sequence[Sequence[float]],
        time_s: float,
        aspect: float,
    ) -> int:
        """Take a frame; return how many repetitions became certain with it.

        Parameters
        ----------
        landmarks, world : 33 rows of x, y, z, visibility
            In 0..1 of the frame, and in metres from the middle of the hips.
        time_s : float
            Seconds since the session's first frame.
        aspect : float
            Width of the frame over its height.
        """
        if time_s - self._last_s > _MAX_GAP_S:
            self.begin_anew()
        return self.take(time_s, self._motion.measure(landmarks, world, time_s, aspect))

    def take(self, time_s: float, moment: Moment) -> int:
        """Take a frame that somebody else has measured; see `feed`."""
        self._last_s = time_s
        if self._counter is None:
            return self._look(time_s, moment)
        found = self._counter.feed(time_s, moment)
        if found is not None:
            self._active_s = found.span.end_s
            self.spans.append(found.span)
            return 1
        if time_s - self._active_s > max(_OVER_AFTER_S, _OVER_AFTER * self._period_s):
            self.begin_anew()
        return 0

    def finish(self) -> int:
        """End the session; return how many repetitions are certain with its end."""
        before = len(self.spans)
        if self._counter is None and (seen := self._learner.finish()) is not None:
            self._begin(seen)
        if self._counter is not None and (last := self._counter.flush()) is not None:
            self.spans.append(last.span)
        return len(self.spans) - before

    def begin_anew(self) -> None:
        """End what is going on: what comes next is another body, or another movement."""
        self._motion = Motion()
        self._learner = Learner(_REPETITIONS, tells_progress=False)
        self._counter = None

    def _look(self, time_s: float, moment: Moment) -> int:
        seen = self._learner.feed(time_s, moment)
        return 0 if seen is None else self._begin(seen)

    def _begin(self, seen: Seen) -> int:
        """Count those that were seen, and go on from there."""
        if not self.accepts(seen):
            self._learner = Learner(_REPETITIONS, tells_progress=False)
            return 0
        before = len(self.spans)
        shown = seen.signals[0][1]
        self._counter = ShownCounter(distilled(seen, UNKNOWN))
        self._active_s, self._period_s = shown.spans[-1].end_s, shown.period_s
        self.spans += shown.spans
        # What came after the last of them, while others were waited for.
        for at_s, each in zip(seen.times_s, seen.moments, strict=True):
            if at_s > self._active_s and (found := self._counter.feed(at_s, each)) is not None:
                self.spans.append(found.span)
        return len(self.spans) - before
