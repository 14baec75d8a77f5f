"""Believes in a set once its repetitions, all together, speak for it.

Somebody who bends down for something does what a squat does, and the network is not sure of it:
one such movement is none, and three are three where it gets surer of them. What each speaks for
the set is added up; a repetition that is done well is believed at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzers.exercise.found import Found

# What comes so soon after the last one goes on with its set.
SET_S = 8.0
# What has to speak for a set: chosen on the clips of bench/exercise.py, where 0.5 gives the same
# (docs/accuracy.md).
_BELIEVED = 0.4
# Who has done a set already is there to exercise: nothing may speak clearly against the next.
_BELIEVED_NEXT = -0.25
# Who got ready for long, and then begins, is believed after a repetition or two all the same.
_MOST_DOUBT = -0.5
# What waited, is small, and is less than so much of what was believed came before the set.
_ALIKE = 0.5
# A repetition can be scored for as long as its signals are kept.
_KEPT_S = 24.0


@dataclass(slots=True)
class ExerciseSet:
    evidence: float = 0.0
    is_believed: bool = False
    last_s: float = 0.0
    waiting: list[Found] = field(default_factory=list)


class Sets:
    """Follows one person's sets, each exercise by itself."""

    def __init__(self) -> None:
        self._sets: dict[str, ExerciseSet] = {}
        self._enough = _BELIEVED

    def take(self, found: Found) -> list[Found]:
        """Take the next repetition, and return those that are believed now."""
        name, cycle = found.exercise.name, found.cycle
        current = self._sets.get(name)
        if current is None or cycle.start_s - current.last_s >= SET_S:
            current = self._sets[name] = ExerciseSet()
        current.last_s = cycle.end_s
        current.waiting = [each for each in current.waiting if _is_kept(each, found)]
        current.waiting.append(found)
        if not current.is_believed:
            current.evidence = max(current.evidence + found.evidence, _MOST_DOUBT)
            current.is_believed = current.evidence >= self._enough
            if not current.is_believed:
                return []
            self._enough = _BELIEVED_NEXT
        told = [each for each in current.waiting if _belongs(each, found)]
        current.waiting = []
        return told

    def not_believed(self) -> list[Found]:
        """Return what waits, oldest first, and forget it."""
        waiting = [each for one in self._sets.values() for each in one.waiting]
        self._sets = {}
        return sorted(waiting, key=lambda each: each.cycle.end_s)


def _is_kept(waiting: Found, last: Found) -> bool:
    return last.cycle.end_s - waiting.cycle.start_s < _KEPT_S


def _belongs(waiting: Found, last: Found) -> bool:
    return not waiting.is_small or waiting.cycle.amplitude >= _ALIKE * last.cycle.amplitude
