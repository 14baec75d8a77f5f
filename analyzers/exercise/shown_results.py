"""What is told of exercises that were shown: as JSON, in the words of the built-in ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from analyzers.exercise.demonstration import UNKNOWN, FreeCounter, ShownExercises
from analyzers.exercise.demonstration.comparing import Difference
from analyzers.exercise.demonstration.counter import ShownRepetition
from analyzers.exercise.scoring import mean_parts, total

# A difference in fewer of the repetitions is a slip, and no advice.
_OFTEN = 0.25
# From this score on, and without a difference, it is as shown.
_GOOD = 85.0
_AS_SHOWN = {"code": "shown_well", "text": "As it was shown"}
_ADVICE = "Keep doing it as it was shown."


class ShownResults:
    """Makes results of exercises that were shown; what a set is like is worked out once."""

    def __init__(self, counted: ShownExercises) -> None:
        self._counted = counted
        self._of = ("", 0)
        self._done: list[ShownRepetition] = []
        self._parts: dict[str, float] = {}
        self._last: dict[str, Any] | None = None

    def after(self, name: str) -> dict[str, Any]:
        """Return what a result says while an exercise is being done."""
        now = (name, len(self._counted.repetitions))
        if now != self._of:
            self._of = now
            self._done = [each for each in self._counted.repetitions if each.exercise == name]
            self._parts = mean_parts([each.parts for each in self._done]) if self._done else {}
            self._last = as_dict(self._done[-1], self._counted) if self._done else None
        differences = self._done[-1].differences if self._done else ()
        well = bool(self._done) and not differences and self._done[-1].score >= _GOOD
        return {
            "exercise": name,
            "reps": len(self._done),
            "phase": self._counted.phase,
            "held_s": 0.0,
            "score": total(self._parts) if self._parts else None,
            "score_parts": self._parts,
            "repetition": self._last,
            "feedback": [_AS_SHOWN] if well else [],
            "warnings": [_as_warning(each) for each in differences],
        }


def of_unknown(counter: FreeCounter) -> dict[str, Any]:
    """Return what a result says of a movement that nobody knows: how often, and no corrections."""
    return {
        "exercise": UNKNOWN if counter.repetitions or counter.is_counting else "none",
        "reps": counter.repetitions,
        "phase": counter.phase,
        "held_s": 0.0,
        "score": None,
        "score_parts": {},
        "repetition": None,
        "feedback": [],
        "warnings": [],
    }


def as_dict(repetition: ShownRepetition, counted: ShownExercises) -> dict[str, Any]:
    """Return a repetition as results list it."""
    span = repetition.span
    hold_s = repetition.hold_s
    out_s = max(0.0, span.turn_s - span.start_s - hold_s / 2.0)
    back_s = max(0.0, span.end_s - span.turn_s - hold_s / 2.0)
    exercise = counted.exercises.get(repetition.exercise)
    rises = exercise is None or exercise.out == "up"
    down, up = (back_s, out_s) if rises else (out_s, back_s)
    return {
        "exercise": repetition.exercise,
        "start_ms": round(span.start_s * 1000.0),
        "turn_ms": round(span.turn_s * 1000.0),
        "end_ms": round(span.end_s * 1000.0),
        "range_of_motion": round(repetition.far, 3),
        "tempo_s": {"down": round(down, 2), "hold": round(hold_s, 2), "up": round(up, 2)},
        "score": repetition.score,
        "score_parts": repetition.parts,
        "faults": [each.code for each in repetition.differences],
    }


def summaries(repetitions: Sequence[ShownRepetition]) -> dict[str, dict[str, Any]]:
    """Return the summary of each exercise that was shown and done."""
    done: dict[str, list[ShownRepetition]] = {}
    for each in repetitions:
        done.setdefault(each.exercise, []).append(each)
    return {name: _summary(each) for name, each in done.items()}


def _summary(done: Sequence[ShownRepetition]) -> dict[str, Any]:
    often = Counter(each.code for repetition in done for each in repetition.differences)
    code, times = often.most_common(1)[0] if often else (None, 0)
    texts = {each.code: each.text for repetition in done for each in repetition.differences}
    return {
        "reps": len(done),
        "mean_score": round(fmean(each.score for each in done), 1),
        "best_score": max(each.score for each in done),
        "time_under_tension_s": round(sum(each.span.seconds for each in done), 1),
        "most_frequent_fault": code,
        "advice": f"{texts[code]}." if code and times > _OFTEN * len(done) else _ADVICE,
    }


def _as_warning(difference: Difference) -> dict[str, Any]:
    warning: dict[str, Any] = {"code": difference.code, "text": difference.text}
    if difference.joint:
        warning |= {"joint": difference.joint, "degrees": difference.degrees}
    return warning
