"""Repetitions of built-in exercises that were not, at the same time, of one that was shown.

Whoever showed an exercise of their own, which may be much like a built-in one, is told of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzers.exercise.demonstration import ShownExercises
from analyzers.exercise.scoring import Repetition

# One of an exercise that was shown becomes certain within so long of its end.
_CERTAIN_S = 0.6


class NotShown:
    """Takes over a scorer's repetitions, once it is certain that they are nothing else.

    Parameters
    ----------
    found : sequence of Repetition
        The scorer's own list, which grows.
    shown : ShownExercises
        What goes first.
    """

    def __init__(self, found: Sequence[Repetition], shown: ShownExercises) -> None:
        self.repetitions: list[Repetition] = []
        self._found = found
        self._shown = shown
        self._taken = 0

    def update(self, time_s: float) -> list[Repetition]:
        """Return all that are certain at a time, seconds."""
        while self._taken < len(self._found):
            each = self._found[self._taken]
            if not self._shown.covers(each.start_s, each.end_s):
                recent = time_s - each.end_s < _CERTAIN_S
                if recent and self._shown.is_under_way():
                    break
                self.repetitions.append(each)
            self._taken += 1
        return self.repetitions
