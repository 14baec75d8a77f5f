"""Scores a repetition: 0 to 100, from parts that are each 0 to 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.history import History
from analyzers.exercise.signals import INDEX

# What a part weighs. Depth and alignment are what trainers look at first; chosen, not measured.
WEIGHTS = {"depth": 0.35, "alignment": 0.3, "symmetry": 0.1, "tempo": 0.1, "steadiness": 0.15}
# A fault of alignment costs so much of that part.
_FAULT_COST = 45.0
# Left and right differ by a few degrees in anyone; the first costs nothing, the second everything.
_ALIKE_DEG, _UNLIKE_DEG = 12.0, 50.0
# How far a signal goes in all, over the way out and back: 1 is straight there and back.
_STEADY, _UNSTEADY = 1.15, 2.2
# Within so much of the amplitude from the turn is held there.
_HELD = 0.1


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition that counted. Times in seconds since the session's first frame.

    Attributes
    ----------
    start_s, turn_s, end_s
        When it began, when it was lowest (highest, for lifts), and when it was over.
    range_of_motion
        How far the exercise's signal went, in the signal's units.
    out_s, hold_s, back_s
        Its tempo: the way out, how long it was held there, and the way back.
    score, parts
        0 to 100.
    faults
        What was wrong.
    """

    exercise: str
    start_s: float
    turn_s: float
    end_s: float
    range_of_motion: float
    out_s: float
    hold_s: float
    back_s: float
    score: float
    parts: dict[str, float]
    faults: tuple[Fault, ...]


def score_repetition(
    exercise: Definition,
    cycle: Cycle,
    statistics: dict[str, NDArray[np.float64]],
    history: History,
    live_faults: tuple[Fault, ...],
) -> Repetition:
    """Score a repetition.

    Parameters
    ----------
    exercise : Definition
        Of which exercise.
    cycle : Cycle
        The repetition on its signal.
    statistics : dict of ndarray
        As `History.during` has them.
    history : History
        Where the repetition is still in.
    live_faults : tuple of Fault
        Those that were seen while it went on.
    """
    side_on = float(statistics["mean"][INDEX["side_on"]])
    faults = live_faults + tuple(
        fault
        for fault in exercise.faults
        if fault.statistic != "live"
        and fault.shows(float(statistics[fault.statistic][INDEX[fault.signal]]), side_on)
    )
    trace = (
        exercise.direction * history.between(cycle.start_s, cycle.end_s)[:, INDEX[exercise.signal]]
    )
    out_s, hold_s, back_s = _tempo(cycle, trace)
    too_small = any(fault.part == "depth" for fault in faults)
    parts = {
        "depth": min(_depth(exercise, cycle), 50.0 if too_small else 100.0),
        "alignment": alignment(faults),
        "symmetry": _symmetry(exercise, statistics),
        "tempo": _tempo_part(exercise, out_s, back_s),
        "steadiness": _steadiness(cycle, trace),
    }
    return Repetition(
        exercise.name,
        cycle.start_s,
        cycle.turn_s,
        cycle.end_s,
        cycle.amplitude,
        out_s,
        hold_s,
        back_s,
        total(parts),
        {name: round(value, 1) for name, value in parts.items()},
        faults,
    )


def total(parts: dict[str, float]) -> float:
    """Return the score that parts make, 0 to 100; parts that are not there do not weigh."""
    weight = sum(WEIGHTS[name] for name in parts)
    return round(sum(WEIGHTS[name] * value for name, value in parts.items()) / weight, 1)


def mean_parts(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the parts of a set's score, from those of its repetitions or holds."""
    return {name: round(fmean(each[name] for each in parts), 1) for name in parts[0]}


def _percent(value: float, all_right: float, all_wrong: float) -> float:
    return 100.0 * min(1.0, max(0.0, (value - all_wrong) / (all_right - all_wrong)))


def alignment(faults: Sequence[Fault]) -> float:
    """Return the part that faults of alignment leave."""
    return max(0.0, 100.0 - _FAULT_COST * sum(each.part == "alignment" for each in faults))


def depth_part(missing: float, soft: float) -> float:
    """Return the part for depth, `missing` of which is missing; half is lost at `soft`."""
    return _percent(missing, 0.0, 2.0 * soft)


def symmetry(difference: float, side_on: float) -> float:
    """Return the part for symmetry, of degrees between left and right."""
    # From the side one limb hides the other, and where that one is is a guess.
    return 100.0 - (1.0 - side_on) * (100.0 - _percent(abs(difference), _ALIKE_DEG, _UNLIKE_DEG))


def _depth(exercise: Definition, cycle: Cycle) -> float:
    return depth_part(exercise.direction * exercise.full - cycle.turn, exercise.full_soft)


def _symmetry(exercise: Definition, statistics: dict[str, NDArray[np.float64]]) -> float:
    if not exercise.difference:
        return 100.0
    difference = float(statistics["turn"][INDEX[exercise.difference]])
    return symmetry(difference, float(statistics["mean"][INDEX["side_on"]]))


def _tempo(cycle: Cycle, trace: NDArray[np.float64]) -> tuple[float, float, float]:
    at_turn = trace >= cycle.turn - _HELD * cycle.amplitude
    duration_s = cycle.end_s - cycle.start_s
    times_s = np.linspace(0.0, duration_s, len(trace))
    if not at_turn.any():
        return cycle.turn_s - cycle.start_s, 0.0, cycle.end_s - cycle.turn_s
    first_s, last_s = float(times_s[at_turn][0]), float(times_s[at_turn][-1])
    return first_s, last_s - first_s, duration_s - last_s


def _tempo_part(exercise: Definition, out_s: float, back_s: float) -> float:
    # One that began at its turn had no way out.
    fractions = [
        min(1.0, taken / least)
        for taken, least in ((out_s, exercise.out_s), (back_s, exercise.back_s))
        if least > 0.0 and taken > 0.0
    ]
    return 100.0 * fmean(fractions) if fractions else 100.0


def _steadiness(cycle: Cycle, trace: NDArray[np.float64]) -> float:
    way = float(np.abs(np.diff(trace)).sum())
    return _percent(way / max(2.0 * cycle.amplitude, 1e-9), _STEADY, _UNSTEADY)
