"""Tells which exercise a movement is.

Each exercise counts cycles on its own signal, all at once. What a cycle looked like while it lasted
says how well it fits the exercise; of those that overlap in time, the best one is a repetition and
the others were never there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.cycles import Cycle, CycleCounter
from analyzers.exercise.definition import Definition
from analyzers.exercise.history import History
from analyzers.exercise.signals import INDEX

# A cycle that fits less is of no exercise.
_MIN_FIT = 0.5
# A set goes on: what was done in the last seconds is more likely than something else.
_SAME_AGAIN = 1.25
_SET_S = 8.0
# Others' cycles of the same movement end a little later on their signals. One that is on its way
# back is waited for, but for what is being done anyway.
_PATIENCE_S = 0.13
# So soon after its end a repetition has to be told, whether others may come or not.
_TOLD_WITHIN_S = 0.45
# The trunk's length in heights of the frame: a person of a sixth of the frame has 0.05. By how much
# of it the trunk may seem to change during a repetition: it does by its whole length when it turns
# towards the camera, as in push-ups from in front.
_MIN_TRUNK = 0.05
_MAX_GROWTH = 1.4
# Of the shorter one's time. More, and two cycles are the same movement.
_MAX_OVERLAP = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A cycle that may be a repetition of an exercise."""

    exercise: Definition
    cycle: Cycle
    fit: float
    statistics: dict[str, NDArray[np.float64]]
    found_s: float


def fit_of(exercise: Definition, statistics: dict[str, NDArray[np.float64]]) -> float:
    """Return how well what was seen fits an exercise, 0 to 1: the product of its conditions."""
    fit = 1.0
    for condition in exercise.conditions:
        fit *= condition.fit(float(statistics[condition.statistic][INDEX[condition.signal]]))
        if fit == 0.0:
            break
    return fit


class Recogniser:
    """Finds repetitions of several exercises.

    Parameters
    ----------
    exercises : iterable of Definition
        Which ones; what is held is left out.
    """

    def __init__(self, exercises: Iterable[Definition]) -> None:
        self._exercises = [each for each in exercises if not each.held]
        self._counters = {
            each.name: CycleCounter(
                each.min_amplitude,
                each.min_s,
                each.max_s,
                from_turn=each.from_turn,
                alike=each.alike,
            )
            for each in self._exercises
        }
        self._waiting: list[Found] = []
        self._last: Found | None = None
        self._taken_until_s = float("-inf")
        self._fed_s = float("-inf")

    def reset(self) -> None:
        """Forget movements that are going on."""
        for counter in self._counters.values():
            counter.reset()

    def phase(self, name: str) -> str:
        """Return where an exercise's movement is: ``rest``, ``out`` or ``back``."""
        return self._counters[name].phase

    def feed(self, time_s: float, row: list[float], history: History) -> list[Found]:
        """Take a frame's signals, and return the repetitions that are certain now."""
        for each in self._exercises:
            cycle = self._counters[each.name].feed(time_s, each.direction * row[INDEX[each.signal]])
            if cycle is not None:
                self._consider(each, cycle, time_s, history)
        step_s, self._fed_s = max(time_s - self._fed_s, 0.0), time_s
        return self._decide(time_s, time_s + min(step_s, _TOLD_WITHIN_S))

    def flush(self, time_s: float, history: History) -> list[Found]:
        """Return what was still undecided when the video ended."""
        for each in self._exercises:
            cycle = self._counters[each.name].flush()
            if cycle is not None:
                self._consider(each, cycle, time_s, history)
        return self._decide(float("inf"), float("inf"))

    def _consider(
        self, exercise: Definition, cycle: Cycle, time_s: float, history: History
    ) -> None:
        statistics = history.during(cycle)
        fit = fit_of(exercise, statistics) if is_one_body(statistics) else 0.0
        if fit >= _MIN_FIT:
            if cycle.partial:
                self._counters[exercise.name].rest_there()
            self._waiting.append(Found(exercise, cycle, fit, statistics, time_s))

    def _decide(self, time_s: float, next_s: float) -> list[Found]:
        due = [
            found
            for found in self._waiting
            if next_s > found.cycle.end_s + _TOLD_WITHIN_S
            or (time_s >= found.found_s + _PATIENCE_S and not self._has_rival_to_come(found))
        ]
        decided: list[Found] = []
        for found in due:
            if found not in self._waiting:
                continue
            rivals = [other for other in self._waiting if _overlap(found, other) > _MAX_OVERLAP]
            best = max(rivals, key=self._likelihood)
            self._waiting = [other for other in self._waiting if other not in rivals]
            if best.cycle.start_s >= self._taken_until_s - _MAX_OVERLAP * _duration(best):
                self._accept(best)
                decided.append(best)
        return decided

    def _has_rival_to_come(self, found: Found) -> bool:
        if self._is_again(found):
            return False
        return any(
            counter.returning_since_s < found.cycle.turn_s + _PATIENCE_S
            for name, counter in self._counters.items()
            if name != found.exercise.name
        )

    def _likelihood(self, found: Found) -> float:
        return found.fit * (_SAME_AGAIN if self._is_again(found) else 1.0)

    def _is_again(self, found: Found) -> bool:
        """Tell whether it goes on with the set."""
        last = self._last
        return (
            last is not None
            and last.exercise.name == found.exercise.name
            and found.cycle.start_s - last.cycle.end_s < _SET_S
        )

    def _accept(self, found: Found) -> None:
        self._taken_until_s = found.cycle.end_s
        self._counters[found.exercise.name].accept(found.cycle)
        self._last = found


def is_one_body(statistics: dict[str, NDArray[np.float64]]) -> bool:
    """Tell whether landmarks can have been on one and the same person all the time.

    Where nobody is, or while someone walks in, the network sees people in furniture: very small
    ones, and of another size in every frame.
    """
    length = INDEX["body_length"]
    mean = float(statistics["mean"][length])
    return mean >= _MIN_TRUNK and float(statistics["range"][length]) <= _MAX_GROWTH * mean


def _duration(found: Found) -> float:
    return found.cycle.end_s - found.cycle.start_s


def _overlap(one: Found, other: Found) -> float:
    """Return how much of the shorter one's time both take."""
    both_s = min(one.cycle.end_s, other.cycle.end_s) - max(one.cycle.start_s, other.cycle.start_s)
    return both_s / max(min(_duration(one), _duration(other)), 1e-6)
