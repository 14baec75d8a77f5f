"""Tells which exercise a movement is.

Each exercise counts cycles on its own signal, all at once, and the network's phase counts them for
whichever exercise the network takes it for. What a cycle looked like while it lasted says how well
it fits the exercise, the network how likely it is; of those that overlap in time, the surest one is
a repetition and the others were never there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.cycles import Cycle, CycleCounter
from analyzers.exercise.definition import Definition
from analyzers.exercise.found import SMALL, Found
from analyzers.exercise.history import History
from analyzers.exercise.network.network import Told
from analyzers.exercise.network.observer import Observer
from analyzers.exercise.phase_cycles import PhaseCounter, PhaseCycle, on_signal
from analyzers.exercise.sets import SET_S, Sets
from analyzers.exercise.signals import INDEX
from analyzers.exercise.sureness import CHOSEN, Judgement

# What the conditions or the network alone are so sure of, and both together are not, is something,
# but not known; so often within so many seconds it is told.
_SURE_ALONE = 0.6
_UNKNOWN_TIMES, _UNKNOWN_S = 2, 8.0
# What goes out and back so often within so many seconds, on any exercise's signal, may be one.
_MOVES_TIMES, _MOVES_S = 2, 10.0
# A movement that is hardly more than an exercise's least is one only if the network saw it turn,
# and speaks for its set by so much less: who gets into position lowers themselves a little, too.
_OF_SMALL = 0.35
# What the conditions rule out is one all the same where the network is as sure as this.
_RULED_OUT, _SURE_AGAINST = 0.1, 0.88
# A set goes on: what was done in the last seconds is more likely than something else.
_SAME_AGAIN = 1.25
# Where both have a cycle of the same movement, the signal says more exactly when it was.
_BY_PHASE = 0.85
# Others' cycles of the same movement end a little later on their signals. One that is on its way
# back is waited for, but for what is being done anyway.
_PATIENCE_S = 0.13
# So soon after its end a repetition has to be told, whether others may come or not.
_TOLD_WITHIN_S = 0.45
# The trunk's length in heights of the frame: a person of a sixth of the frame has 0.05. By how much
# of it the trunk may seem to change during a repetition: it does by its whole length when it turns
# towards the camera, as in push-ups from in front.
_MIN_TRUNK = 0.05
# Where the network is as sure as this, by more: it knows bodies that come towards the camera.
_MAX_GROWTH = 1.4
_SURELY, _MAX_GROWTH_SURELY = 0.8, 3.0
# Of the shorter one's time. More, and two cycles are the same movement.
_MAX_OVERLAP = 0.35


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
    judgement : Judgement
        How sure a repetition has to be.
    """

    def __init__(self, exercises: Iterable[Definition], judgement: Judgement = CHOSEN) -> None:
        self._exercises = [each for each in exercises if not each.held]
        # Of the only exercise that is asked for, its conditions say whether it is done well enough:
        # which one it is, and whether any, was said by who asked.
        only = len(self._exercises) == 1
        self._judgement = replace(judgement, conditions_weigh=1.0, sure=0.5) if only else judgement
        self._may_be_none = not only
        self._sets = Sets()
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
        self._phase = PhaseCounter()
        self._unknown: deque[tuple[float, float]] = deque(maxlen=_UNKNOWN_TIMES)
        self._moved: deque[tuple[float, float]] = deque(maxlen=_MOVES_TIMES)
        self._waiting: list[Found] = []
        self._last: Found | None = None
        self._taken_until_s = float("-inf")
        self._fed_s = float("-inf")

    def reset(self) -> None:
        """Forget movements that are going on."""
        for counter in self._counters.values():
            counter.reset()
        self._phase.reset()

    def phase(self, name: str) -> str:
        """Return where an exercise's movement is: ``rest``, ``out`` or ``back``."""
        return self._counters[name].phase

    def feed(
        self,
        time_s: float,
        row: list[float],
        history: History,
        observer: Observer,
        told: Sequence[tuple[float, Told]],
    ) -> list[Found]:
        """Take a frame's signals, and return the repetitions that are certain now.

        Parameters
        ----------
        time_s, row : float, list of float
            The frame's time, seconds, and its signals, smoothed.
        history, observer : History, Observer
            What was measured, and what the network said, until now.
        told : sequence of (float, Told)
            What the network said of the moments since the last frame.
        """
        for each in self._exercises:
            cycle = self._counters[each.name].feed(time_s, each.direction * row[INDEX[each.signal]])
            if cycle is not None:
                _note(cycle, self._moved)
                self._consider(each, cycle, time_s, history, observer)
        for moment_s, said in told:
            by_phase = self._phase.feed(moment_s, said)
            if by_phase is not None:
                self._consider_phase(by_phase, time_s, history, observer)
        step_s, self._fed_s = max(time_s - self._fed_s, 0.0), time_s
        return self._decide(time_s, time_s + min(step_s, _TOLD_WITHIN_S))

    def flush(self, time_s: float, history: History, observer: Observer) -> list[Found]:
        """Return what was still undecided when the video ended."""
        for each in self._exercises:
            cycle = self._counters[each.name].flush()
            if cycle is not None:
                self._consider(each, cycle, time_s, history, observer)
        return self._decide(float("inf"), float("inf"))

    def _consider(
        self,
        exercise: Definition,
        cycle: Cycle,
        time_s: float,
        history: History,
        observer: Observer,
        *,
        by_phase: bool = False,
    ) -> None:
        statistics = history.during(cycle)
        likely = observer.likely(cycle.start_s, cycle.end_s)
        surely = likely.get(exercise.name, 0.0) > _SURELY
        if not is_one_body(statistics, _MAX_GROWTH_SURELY if surely else _MAX_GROWTH):
            return
        if not exercise.posture.allows(statistics):
            return
        is_small = cycle.amplitude < SMALL * exercise.min_amplitude
        if is_small and exercise.name in likely and not observer.turned(cycle.start_s, cycle.end_s):
            return
        judgement = self._judgement
        fit = fit_of(exercise, statistics)
        own = likely.get(exercise.name, 1.0)
        if fit < _RULED_OUT and own < _SURE_AGAINST:
            return
        sure = judgement.sureness(fit, likely, exercise.name)
        if sure < (judgement.sure_by_phase if by_phase else judgement.sure):
            if not is_small and max(fit, likely.get(exercise.name, 0.0)) >= _SURE_ALONE:
                _note(cycle, self._unknown)
            return
        if cycle.partial:
            self._counters[exercise.name].rest_there()
        evidence = judgement.evidence(fit, likely, exercise.name)
        if is_small and evidence > 0.0:
            evidence *= _OF_SMALL
        self._waiting.append(Found(exercise, cycle, sure, statistics, time_s, by_phase, evidence))

    def _consider_phase(
        self, by_phase: PhaseCycle, time_s: float, history: History, observer: Observer
    ) -> None:
        """Take the network's cycle for one of the exercise that it finds the likeliest."""
        likely = observer.likely(by_phase.start_s, by_phase.end_s)
        known = [each for each in self._exercises if each.name in likely]
        if not known:
            return
        exercise = max(known, key=lambda each: likely[each.name])
        if time_s - by_phase.end_s > _TOLD_WITHIN_S:
            # It ended while nobody was in sight.
            return
        cycle = on_signal(by_phase, exercise, history)
        if cycle is None or not self._counters[exercise.name].is_alike(cycle.amplitude):
            return
        self._consider(exercise, cycle, time_s, history, observer, by_phase=True)

    def is_unknown(self, time_s: float) -> bool:
        """Tell whether something is done again and again, and it is not sure what."""
        return len(self._unknown) == _UNKNOWN_TIMES and time_s - self._unknown[0][0] < _UNKNOWN_S

    def moves(self, time_s: float) -> bool:
        """Tell whether something goes out and back again and again, whatever it is."""
        return len(self._moved) == _MOVES_TIMES and time_s - self._moved[0][0] < _MOVES_S

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
                decided += self._sets.take(best) if self._may_be_none else [best]
        return decided

    def not_believed(self) -> list[Found]:
        """Return those of the last seconds that so little speaks for that they were not told."""
        return self._sets.not_believed()

    def _has_rival_to_come(self, found: Found) -> bool:
        own = self._counters[found.exercise.name]
        if found.by_phase and own.returning_since_s < found.cycle.turn_s + _PATIENCE_S:
            return True
        if self._is_again(found):
            return False
        return any(
            counter.returning_since_s < found.cycle.turn_s + _PATIENCE_S
            for name, counter in self._counters.items()
            if name != found.exercise.name
        )

    def _likelihood(self, found: Found) -> float:
        by_phase = _BY_PHASE if found.by_phase else 1.0
        return found.sure * by_phase * (_SAME_AGAIN if self._is_again(found) else 1.0)

    def _is_again(self, found: Found) -> bool:
        """Tell whether it goes on with the set."""
        last = self._last
        return (
            last is not None
            and last.exercise.name == found.exercise.name
            and found.cycle.start_s - last.cycle.end_s < SET_S
        )

    def _accept(self, found: Found) -> None:
        self._taken_until_s = found.cycle.end_s
        self._counters[found.exercise.name].accept(found.cycle)
        self._last = found


def is_one_body(
    statistics: dict[str, NDArray[np.float64]], most_growth: float = _MAX_GROWTH
) -> bool:
    """Tell whether landmarks can have been on one and the same person all the time.

    Where nobody is, or while someone walks in, the network sees people in furniture: very small
    ones, and of another size in every frame.
    """
    length = INDEX["body_length"]
    mean = float(statistics["mean"][length])
    return mean >= _MIN_TRUNK and float(statistics["range"][length]) <= most_growth * mean


def _note(cycle: Cycle, movements: deque[tuple[float, float]]) -> None:
    # Several exercises' cycles of one movement are one movement.
    if not movements or cycle.start_s >= movements[-1][1]:
        movements.append((cycle.start_s, cycle.end_s))


def _duration(found: Found) -> float:
    return found.cycle.end_s - found.cycle.start_s


def _overlap(one: Found, other: Found) -> float:
    """Return how much of the shorter one's time both take."""
    both_s = min(one.cycle.end_s, other.cycle.end_s) - max(one.cycle.start_s, other.cycle.start_s)
    return both_s / max(min(_duration(one), _duration(other)), 1e-6)
