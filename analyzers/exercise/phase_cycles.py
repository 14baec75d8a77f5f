"""Finds repetitions in the phase that the network tells."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.definition import Definition
from analyzers.exercise.history import History
from analyzers.exercise.network.network import Told
from analyzers.exercise.signals import INDEX

# The phase's cosine is 1 at rest and -1 at the turn. Half-way between both it is told least surely.
_AT_REST, _AT_TURN = 0.6, -0.3
# Of what is the least movement on an exercise's own signal, a cycle of the phase has so much.
_MIN_PART = 0.5


@dataclass(frozen=True, slots=True)
class PhaseCycle:
    """From rest over the turn to rest. Times in seconds."""

    start_s: float
    turn_s: float
    end_s: float


class PhaseCounter:
    """Follows one person's phase."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the movement that is going on."""
        self._start_s: float | None = None
        self._turn: tuple[float, float] | None = None

    @property
    def moving_since_s(self) -> float:
        """When the movement that is going on turned; infinite when there is none."""
        return float("inf") if self._turn is None else self._turn[1]

    def feed(self, time_s: float, told: Told) -> PhaseCycle | None:
        """Take the next moment, and return the repetition that it ended, if it did."""
        cosine = told.cosine
        if self._turn is None:
            if cosine < _AT_TURN:
                self._turn = (cosine, time_s)
            elif cosine > _AT_REST:
                self._start_s = time_s
            return None
        if cosine <= self._turn[0]:
            self._turn = (cosine, time_s)
        if cosine <= _AT_REST:
            return None
        # Where a video begins on the way back, what came before is not known.
        cycle = None if self._start_s is None else PhaseCycle(self._start_s, self._turn[1], time_s)
        self._start_s, self._turn = time_s, None
        return cycle


def on_signal(found: PhaseCycle, exercise: Definition, history: History) -> Cycle | None:
    """Return a cycle on the signal of an exercise, or None where that moved too little for it.

    Parameters
    ----------
    found : PhaseCycle
        What the phase says.
    exercise : Definition
        One that is repeated.
    history : History
        With the signals of that time.
    """
    if not exercise.min_s <= found.end_s - found.start_s <= exercise.max_s:
        return None
    signal = [
        (exercise.direction * row[INDEX[exercise.signal]], time_s)
        for time_s, row in history.rows_between(found.start_s, found.end_s)
    ]
    if not signal:
        return None
    # The signal says more exactly than the phase when it turned.
    turn, turn_s = max(signal)
    rest = min(signal[0][0], signal[-1][0])
    if turn - rest < _MIN_PART * exercise.min_amplitude:
        return None
    return Cycle(found.start_s, turn_s, found.end_s, rest, turn)
