"""What one person does: exercises that come with Kinecast, and those that were shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzers.exercise.demonstration import UNKNOWN, ShownExercise
from analyzers.exercise.network.observer import Sight
from analyzers.exercise.not_shown import NotShown
from analyzers.exercise.options import Shown
from analyzers.exercise.range_of_motion import JointAngles, Ranges, joined, joints_of
from analyzers.exercise.scorer import NONE, ExerciseScorer, State
from analyzers.exercise.shown import ShownSession
from analyzers.exercise.shown_results import ShownResults, as_dict, of_unknown, summaries
from analyzers.exercise.summary import LISTED, FrameResults, session_summary

Landmarks = Sequence[Mapping[str, float]]
Rows = list[tuple[float, float, float, float]]


class OnePerson:
    """Scores one person's session, frame by frame.

    Parameters
    ----------
    exercises : iterable of ShownExercise
        Those that the server has beside the built-in ones.
    counts_unknown : bool
        Whether what is none of them, and surely an exercise, is counted as ``unknown``; never
        where there are others that were shown.
    """

    def __init__(
        self, exercises: Iterable[ShownExercise] = (), *, counts_unknown: bool = True
    ) -> None:
        self._counts_unknown = counts_unknown
        self._scorer = ExerciseScorer()
        self._shown = ShownSession(exercises)
        self._counted = NotShown(self._scorer.repetitions, self._shown.counted)
        self._results = FrameResults(self._scorer, self._counted.repetitions)
        self._shown_results = ShownResults(self._shown.counted)
        self._angles = JointAngles()
        # Ranges of the repetitions told so far, by exercise and end, ms.
        self._ranges: dict[tuple[str, int], Ranges] = {}
        self._ranged = self._shown_ranged = 0
        # Whether what is looked for may be a built-in exercise.
        self._looks = True
        # A frame's time and both lists of rows, when they were made before it was seen.
        self._ahead: tuple[float, Rows, Rows] | None = None

    def names_with(self, shown: Shown) -> set[str]:
        """See `ShownSession.names_with`."""
        return self._shown.names_with(shown)

    def take(self, shown: Shown, options: Mapping[str, Any]) -> None:
        """Take options that were checked."""
        self._shown.take(shown)
        if "name" not in options:
            return
        name = options["name"]
        own = name in self._shown.names or name == UNKNOWN
        self._looks = not own
        self._shown.look_for(name)
        self._scorer.look_for(None if own else name)

    def sight(
        self, landmarks: Landmarks, world: Landmarks, time_s: float, aspect: float
    ) -> Sight | None:
        """Return what the network may be asked before `seen` is; see `ExerciseScorer.sight`."""
        if not self._looks or self._shown.is_learning:
            return None
        if not self._scorer.due(time_s):
            return None
        rows = rows_of(landmarks), rows_of(world)
        self._ahead = time_s, *rows
        return self._scorer.sight(*rows, time_s, aspect)

    def seen(
        self, landmarks: Landmarks, world: Landmarks, time_s: float, aspect: float
    ) -> dict[str, Any]:
        """Take a frame with the person in it, and return what the client gets.

        Parameters
        ----------
        landmarks, world
            As pose has them.
        time_s : float
            Seconds since the session's first frame.
        aspect : float
            Width of the frame over its height.
        """
        if not self._scorer.due(time_s):
            return self._result(self._scorer.idle(time_s), time_s)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == time_s:
            _, whole, whole_world = ahead
        else:
            whole, whole_world = rows_of(landmarks), rows_of(world)
        self._angles.add(whole, whole_world, time_s, aspect)
        self._scorer.counts_unknown = self._counts_unknown and not self._shown.is_needed
        if self._looks and not self._shown.is_learning:
            state = self._scorer.feed(whole, whole_world, time_s, aspect)
        else:
            state = self._scorer.idle(time_s)
        if self._shown.is_needed:
            self._shown.feed(whole, whole_world, time_s, aspect)
        return self._result(state, time_s)

    def absent(self, time_s: float) -> dict[str, Any]:
        """Take a frame without the person, and return what the client gets."""
        self._shown.idle(time_s)
        return self._result(self._scorer.idle(time_s), time_s)

    def nothing(self) -> dict[str, Any]:
        """Return what a result says while there is nothing to say."""
        return self._results.after(State())

    def begin_anew(self) -> None:
        """End movements that are going on: what comes next is another body."""
        self._scorer.begin_anew()
        self._shown.begin_anew()

    def forget_movement(self) -> None:
        """End movements that are going on, and forget how they went."""
        self.begin_anew()
        self._angles = JointAngles()

    def end(self) -> dict[str, Any]:
        """End the session; return the summary, and what a frame's result has, of the main exercise.

        The summary has, per exercise, repetitions or seconds held, scores, and a word of advice.
        """
        self._scorer.finish()
        self._shown.finish()
        self._counted.update(float("inf"))
        self._measure_ranges()
        learning = self._shown.learning(float("inf"))
        if self._shown.free is not None:
            told, summary = self._of_unknown()
        else:
            told, summary = self._of_known()
        self._add_ranges(told, summary)
        return {**told, **learning, "exercise_summary": summary}

    def _result(self, state: State, time_s: float) -> dict[str, Any]:
        self._counted.update(time_s)
        self._measure_ranges()
        learning = self._shown.learning(time_s)
        if self._shown.free is not None:
            return {**of_unknown(self._shown.free), **learning}
        current = self._shown.counted.current(time_s)
        if current and not self._is_newer(state):
            told = self._shown_results.after(current)
        else:
            told = self._results.after(state)
        self._add_range(told["repetition"])
        return {**told, **learning}

    def _measure_ranges(self) -> None:
        """Take the range of joints of the repetitions that have become certain."""
        found, shown = self._counted.repetitions, self._shown.counted
        for each in found[self._ranged :]:
            self._measure_range(each.exercise, each.start_s, each.end_s, joints_of(each.exercise))
        for one in shown.repetitions[self._shown_ranged :]:
            joints = joints_of(one.exercise, shown.exercises.get(one.exercise))
            self._measure_range(one.exercise, one.span.start_s, one.span.end_s, joints)
        self._ranged, self._shown_ranged = len(found), len(shown.repetitions)

    def _measure_range(
        self, exercise: str, start_s: float, end_s: float, joints: Iterable[str]
    ) -> None:
        key = exercise, round(end_s * 1000.0)
        self._ranges[key] = self._angles.during(start_s, end_s, joints)

    def _add_range(self, repetition: dict[str, Any] | None) -> None:
        if repetition is not None and "range_deg" not in repetition:
            key = repetition["exercise"], repetition["end_ms"]
            repetition["range_deg"] = self._ranges.get(key, {})

    def _add_ranges(self, told: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        self._add_range(told["repetition"])
        for repetition in summary["repetitions"]:
            self._add_range(repetition)
        for name, exercise in summary["exercises"].items():
            done = [ranges for (of, _), ranges in self._ranges.items() if of == name]
            exercise["range_deg"] = joined(done)

    def _is_newer(self, state: State) -> bool:
        """Tell whether a built-in exercise was done after the last of those that were shown."""
        if state.exercise == NONE or not self._counted.repetitions:
            return False
        return self._counted.repetitions[-1].end_s > self._shown.counted.repetitions[-1].span.end_s

    def _of_known(self) -> tuple[dict[str, Any], dict[str, Any]]:
        counted = self._shown.counted
        summary = session_summary(self._scorer, self._counted.repetitions)
        told = self._results.final()
        shown = summaries(counted.repetitions)
        if shown:
            summary["exercises"] |= shown
            listed = [as_dict(each, counted) for each in counted.repetitions]
            listed = sorted(summary["repetitions"] + listed, key=lambda each: int(each["end_ms"]))
            summary["repetitions"] = listed[-LISTED:]
            name = max(shown, key=lambda each: int(shown[each]["reps"]))
            builtin = summary["exercises"].get(summary["main_exercise"], {"reps": 0})
            if shown[name]["reps"] >= builtin["reps"] and not builtin.get("held_s"):
                summary["main_exercise"] = name
                told = {**self._shown_results.after(name), "phase": "rest"}
        return told, summary

    def _of_unknown(self) -> tuple[dict[str, Any], dict[str, Any]]:
        free = self._shown.free
        assert free is not None
        told = {**of_unknown(free), "phase": "rest"}
        exercises = {UNKNOWN: {"reps": free.repetitions}} if free.repetitions else {}
        return told, {
            "exercises": exercises,
            "main_exercise": told["exercise"],
            "repetitions": [],
        }


def rows_of(landmarks: Landmarks) -> Rows:
    """Return x, y, z and visibility of each landmark."""
    return [(each["x"], each["y"], each["z"], each["visibility"]) for each in landmarks]
