"""What is told of repetitions and holds: as JSON, and as the session's summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import UNKNOWN
from analyzers.exercise.hold import HoldCounter
from analyzers.exercise.scorer import NONE, ExerciseScorer, State
from analyzers.exercise.scoring import Repetition, mean_parts, total

# From which a part of the score is worth a good word.
_GOOD = 80.0
# Who mostly held did so for this many times as long as they did repetitions: people also rest at
# the top of a push-up, and get into a plank by something like one.
_MOSTLY_HELD = 2.0
# A data channel takes 64 kB in one message; the last so many repetitions are 30 kB.
LISTED = 100
# A fault in fewer of the repetitions is a slip, and no advice.
_OFTEN = 0.25


class FrameResults:
    """Makes the results of a session's frames; what a set is like is worked out once per change.

    Parameters
    ----------
    scorer : ExerciseScorer
        Whose session it is.
    repetitions : sequence of Repetition, optional
        Those that count, which grow; without it, all of the scorer's.
    """

    def __init__(
        self, scorer: ExerciseScorer, repetitions: Sequence[Repetition] | None = None
    ) -> None:
        self._scorer = scorer
        self._repetitions = scorer.repetitions if repetitions is None else repetitions
        self._of: tuple[str, int] | None = None
        self._done: list[Repetition] = []
        self._last: dict[str, Any] | None = None
        self._parts: dict[str, float] = {}
        self._score: float | None = None

    def after(self, state: State) -> dict[str, Any]:
        """Return what the client gets after a frame."""
        now = (state.exercise, len(self._repetitions))
        if now != self._of:
            self._of = now
            self._done = [e for e in self._repetitions if e.exercise == state.exercise]
            self._last = _as_dict(self._done[-1]) if self._done else None
            self._parts = mean_parts([e.parts for e in self._done]) if self._done else {}
            self._score = total(self._parts) if self._parts else None
        parts, score = self._parts, self._score
        if state.phase == "hold":
            parts = next(each.now.parts for each in self._scorer.holds if each.now is not None)
            score = total(parts)
        return self._result(state, parts, score)

    def final(self) -> dict[str, Any]:
        """Return what the client gets at the end, of the main exercise, as the summary has it."""
        name = main_exercise(self._scorer, self._repetitions)
        holds = next((each for each in self._scorer.holds if each.exercise.name == name), None)
        if holds is None:
            done = [each for each in self._repetitions if each.exercise == name]
            return self.after(State(name, faults=done[-1].faults if done else ()))
        self._done, self._last = [], None
        if not holds.holds:
            # A short session showed a part of one.
            return self._result(State(name), {}, None)
        fault = holds.most_frequent_fault()
        state = State(name, faults=(fault,) if fault else (), held_s=holds.seconds)
        parts = mean_parts([each.parts for each in holds.holds])
        return self._result(state, parts, total(parts))

    def _result(self, state: State, parts: dict[str, float], score: float | None) -> dict[str, Any]:
        exercise = definitions().get(state.exercise)
        is_unknown = state.exercise == UNKNOWN
        return {
            "exercise": state.exercise,
            "reps": len(self._scorer.something.spans) if is_unknown else len(self._done),
            "phase": state.phase,
            "held_s": round(state.held_s, 2),
            "score": score,
            "score_parts": parts,
            "repetition": self._last,
            "feedback": [] if exercise is None else _feedback(exercise, parts, self._done, state),
            "warnings": as_texts(state.faults),
        }


def session_summary(
    scorer: ExerciseScorer, repetitions: Sequence[Repetition] | None = None
) -> dict[str, Any]:
    """Return what there is to say of the whole session: for each exercise, and in all.

    `repetitions` are those that count; without it, all of the scorer's.
    """
    if repetitions is None:
        repetitions = scorer.repetitions
    exercises: dict[str, list[Repetition]] = {}
    for each in repetitions:
        exercises.setdefault(each.exercise, []).append(each)
    told = {
        name: _repetitions_summary(definitions()[name], done) for name, done in exercises.items()
    }
    for holds in scorer.holds:
        if holds.holds:
            told[holds.exercise.name] = _holds_summary(holds)
    if scorer.something.spans:
        told[UNKNOWN] = {"reps": len(scorer.something.spans)}
    return {
        "exercises": told,
        "main_exercise": main_exercise(scorer, repetitions),
        "repetitions": [_as_dict(each) for each in repetitions[-LISTED:]],
    }


def main_exercise(scorer: ExerciseScorer, repetitions: Sequence[Repetition]) -> str:
    """Return what was mostly done, else what was begun, else ``none``."""
    held_s, held = max(((e.seconds, e.exercise.name) for e in scorer.holds), default=(0.0, NONE))
    something = scorer.something.spans
    counted = Counter(each.exercise for each in repetitions)
    if something:
        counted[UNKNOWN] = len(something)
    if counted:
        moving_s = sum(each.end_s - each.start_s for each in repetitions)
        moving_s += sum(each.seconds for each in something)
        return held if held_s > _MOSTLY_HELD * moving_s else counted.most_common(1)[0][0]
    if held_s > 0.0:
        return held
    return NONE if scorer.partial_repetition is None else scorer.partial_repetition.name


def _feedback(
    exercise: Definition, parts: dict[str, float], done: Sequence[Repetition], state: State
) -> list[dict[str, str]]:
    now = done[-1].parts if done and state.phase != "hold" else parts
    return praise(exercise, now, has_faults=bool(state.faults))


def praise(
    exercise: Definition, parts: Mapping[str, float], *, has_faults: bool
) -> list[dict[str, str]]:
    """Return what is good about depth and alignment, as `code` and `text`."""
    first = parts.get("depth", parts.get("steadiness", 0.0)) >= _GOOD
    second = parts.get("alignment", 0.0) >= _GOOD and not has_faults
    return [
        {"code": code, "text": text}
        for (code, text), deserved in zip(exercise.good, (first, second), strict=True)
        if deserved
    ]


def as_texts(faults: Sequence[Fault]) -> list[dict[str, str]]:
    """Return faults as `code` and `text`."""
    return [{"code": each.code, "text": each.text} for each in faults]


def _as_dict(repetition: Repetition) -> dict[str, Any]:
    return {
        "exercise": repetition.exercise,
        "start_ms": round(repetition.start_s * 1000.0),
        "turn_ms": round(repetition.turn_s * 1000.0),
        "end_ms": round(repetition.end_s * 1000.0),
        "range_of_motion": round(repetition.range_of_motion, 3),
        "tempo_s": _tempo(repetition),
        "score": repetition.score,
        "score_parts": repetition.parts,
        "faults": [each.code for each in repetition.faults],
    }


def _tempo(repetition: Repetition) -> dict[str, float]:
    out, back = repetition.out_s, repetition.back_s
    down, up = (out, back) if definitions()[repetition.exercise].out == "down" else (back, out)
    return {"down": round(down, 2), "hold": round(repetition.hold_s, 2), "up": round(up, 2)}


def _repetitions_summary(exercise: Definition, done: Sequence[Repetition]) -> dict[str, Any]:
    counted = Counter(fault for each in done for fault in each.faults)
    fault, times = counted.most_common(1)[0] if counted else (None, 0)
    return {
        "reps": len(done),
        "mean_score": total(mean_parts([each.parts for each in done])),
        "best_score": max(each.score for each in done),
        "time_under_tension_s": round(sum(each.end_s - each.start_s for each in done), 1),
        "most_frequent_fault": fault.code if fault else None,
        "advice": f"{fault.text}." if fault and times > _OFTEN * len(done) else exercise.advice,
    }


def _holds_summary(holds: HoldCounter) -> dict[str, Any]:
    fault = holds.most_frequent_fault()
    return {
        "reps": 0,
        "held_s": round(holds.seconds, 2),
        "mean_score": total(mean_parts([each.parts for each in holds.holds])),
        "best_score": max(total(each.parts) for each in holds.holds),
        "time_under_tension_s": round(holds.seconds, 1),
        "most_frequent_fault": fault.code if fault else None,
        "advice": f"{fault.text}." if fault else holds.exercise.advice,
    }
