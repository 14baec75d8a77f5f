"""Tells which exercise somebody began, where no repetition was whole."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.definition import Definition
from analyzers.exercise.history import History
from analyzers.exercise.network.observer import Observer
from analyzers.exercise.recognition import fit_of, is_one_body
from analyzers.exercise.signals import INDEX

# A way out or back alone says less than both: it has to be longer and to fit better. Standing up
# from a chair is half a squat.
_MIN_RISE = 1.5
_MIN_FIT = 0.8
# What the network has to find of the whole clip for that to count, and for the clip to be of an
# exercise without: also of one that is held, but not for long enough.
_NOT_UNLIKELY, _SURELY = 0.15, 0.6


def partial_repetition(
    exercises: Iterable[Definition], history: History, observer: Observer
) -> Definition | None:
    """Return the exercise of which the way out or the way back was seen, if there is one.

    Parameters
    ----------
    exercises : iterable of Definition
        Which ones to look for.
    history, observer : History, Observer
        Of a short video.
    """
    if len(history.times_s) < 2:
        return None
    first_s, last_s = history.times_s[0], history.times_s[-1]
    likely = observer.likely(first_s, last_s)

    def sure(each: Definition) -> float:
        """Return how sure it is: from 1 where half a repetition was seen."""
        by_network = likely.get(each.name, _NOT_UNLIKELY)
        if each.held or by_network < _NOT_UNLIKELY or _fit(each, history) < _MIN_FIT:
            return by_network
        return 1.0 + by_network

    best = max(((sure(each), each) for each in exercises), key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= _SURELY else None


def _fit(exercise: Definition, history: History) -> float:
    times_s, rows = history.whole()
    values = exercise.direction * rows[:, INDEX[exercise.signal]]
    turn = int(values.argmax())
    before = int(values[: turn + 1].argmin())
    after = turn + int(values[turn:].argmin())
    rise, fall = values[turn] - values[before], values[turn] - values[after]
    if max(rise, fall) < _MIN_RISE * exercise.min_amplitude:
        return 0.0
    turn_s = float(times_s[turn])
    rest = before if rise >= fall else after
    cycle = Cycle(
        turn_s if rest == after else float(times_s[before]),
        turn_s,
        float(times_s[after]),
        float(values[rest]),
        float(values[turn]),
    )
    duration_s = cycle.end_s - cycle.start_s
    statistics = history.during(cycle)
    if not 0.5 * exercise.min_s <= duration_s <= exercise.max_s or not is_one_body(statistics):
        return 0.0
    return fit_of(exercise, statistics)
