"""Counts several exercises that were shown, and tells them apart."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.exercise.demonstration.counter import ShownCounter, ShownRepetition
from analyzers.exercise.demonstration.definition import ShownExercise
from analyzers.exercise.demonstration.motion import Moment

# The same movement is over a little later on another exercise's signals: so long it is waited for.
_PATIENCE_S = 0.2
# Of the shorter one's time. More, and two repetitions are the same movement.
_MAX_OVERLAP = 0.35
# An exercise is over when nothing of it was seen for so long.
_OVER_AFTER_S = 6.0


class ShownExercises:
    """Counts all at once; of those that a movement may be, it is the one whose way is nearest.

    Parameters
    ----------
    exercises : iterable of ShownExercise
        Which ones.
    """

    def __init__(self, exercises: Iterable[ShownExercise] = ()) -> None:
        self.repetitions: list[ShownRepetition] = []
        self._counters: dict[str, ShownCounter] = {}
        self._waiting: list[tuple[float, ShownRepetition]] = []
        self._current = ""
        self._active_s = float("-inf")
        for exercise in exercises:
            self.add(exercise)

    def __len__(self) -> int:
        return len(self._counters)

    @property
    def exercises(self) -> dict[str, ShownExercise]:
        """Those that are looked for, by name."""
        return {name: counter.exercise for name, counter in self._counters.items()}

    def add(self, exercise: ShownExercise) -> None:
        """Look for another one, too; one of the same name is replaced."""
        self._counters[exercise.name] = ShownCounter(exercise)

    def only(self, exercises: Iterable[ShownExercise]) -> None:
        """Look for these; what was counted so far stays."""
        self._counters = {each.name: ShownCounter(each) for each in exercises}
        self._waiting.clear()
        if self._current not in self._counters:
            self._current = ""

    def feed(self, time_s: float, moment: Moment) -> list[ShownRepetition]:
        """Take the next frame; return the repetitions that are certain now."""
        for counter in self._counters.values():
            found = counter.feed(time_s, moment)
            if found is not None:
                self._waiting.append((time_s, found))
        return self._decided(time_s)

    def flush(self, time_s: float) -> list[ShownRepetition]:
        """Return what was undecided when the person went, or the video ended."""
        for counter in self._counters.values():
            found = counter.flush()
            if found is not None:
                self._waiting.append((time_s, found))
        return self._decided(float("inf"))

    def begin_anew(self) -> None:
        """End movements that are going on: what comes next is another body, or later."""
        for counter in self._counters.values():
            counter.begin_anew()

    def current(self, time_s: float) -> str:
        """Return the name of the exercise that is being done, or nothing."""
        if self._current and self.phase != "rest" and time_s - self._active_s <= 2 * _OVER_AFTER_S:
            return self._current
        return self._current if time_s - self._active_s <= _OVER_AFTER_S else ""

    @property
    def phase(self) -> str:
        """Where the current one's movement is: ``rest``, ``down`` or ``up``."""
        counter = self._counters.get(self._current)
        if counter is None or counter.phase == "rest":
            return "rest"
        out = counter.exercise.out
        if counter.phase == "out":
            return out
        return "down" if out == "up" else "up"

    def covers(self, start_s: float, end_s: float) -> bool:
        """Tell whether a movement of so long was a repetition of one of these."""
        return any(
            _overlap(each.span.start_s, each.span.end_s, start_s, end_s) > _MAX_OVERLAP
            for each in reversed(self.repetitions[-8:])
        )

    def is_under_way(self) -> bool:
        """Tell whether a repetition of one of these may be going on, or is not yet decided."""
        return bool(self._waiting) or any(
            counter.phase == "back" for counter in self._counters.values()
        )

    def _decided(self, time_s: float) -> list[ShownRepetition]:
        decided = []
        while self._waiting and time_s >= self._waiting[0][0] + _PATIENCE_S:
            first = self._waiting[0][1]
            rivals = [each for each in self._waiting if _same(each[1], first)]
            best = min((each for _, each in rivals), key=lambda each: each.apart_deg)
            self._waiting = [each for each in self._waiting if each not in rivals]
            if self.repetitions and _same(self.repetitions[-1], best):
                continue
            self.repetitions.append(best)
            self._current, self._active_s = best.exercise, best.span.end_s
            decided.append(best)
        return decided


def _same(one: ShownRepetition, other: ShownRepetition) -> bool:
    a, b = one.span, other.span
    return _overlap(a.start_s, a.end_s, b.start_s, b.end_s) > _MAX_OVERLAP


def _overlap(a_start: float, a_end: float, b_start: float, b_end: float) -> float:
    """Return how much of the shorter one's time both take."""
    both_s = min(a_end, b_end) - max(a_start, b_start)
    return both_s / max(min(a_end - a_start, b_end - b_start), 1e-6)
