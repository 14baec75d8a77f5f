"""One session's exercises by demonstration: those it learns, and those it counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from analyzers.exercise.demonstration import (
    UNKNOWN,
    FreeCounter,
    Learner,
    ShownExercise,
    ShownExercises,
    distilled,
)
from analyzers.exercise.demonstration.definition import MAX_EXERCISES, BadExercise
from analyzers.exercise.demonstration.motion import Moment, Motion
from analyzers.exercise.options import Lesson, Shown

# Nobody can do half a repetition unseen.
_MAX_GAP_S = 1.0
# Somebody who is out of sight for so long has ended what they were about to end.
_AWAY_S = 0.25
# Somebody who has moved for so long without being understood is told what helps.
_PATIENT_S = 15.0

HINTS = {
    "learning_nobody": "Step into the picture, so that all of you is seen",
    "learning_begin": "Begin when you are ready",
    "learning_uneven": "Do all repetitions alike: the same way, as far, and back to the start",
}


class ShownSession:
    """Measures one person's motion, and feeds it to whatever is learned or counted by it.

    Parameters
    ----------
    exercises : iterable of ShownExercise
        Those that the server itself has.
    """

    def __init__(self, exercises: Iterable[ShownExercise] = ()) -> None:
        self._own = tuple(exercises)
        self._custom: tuple[ShownExercise, ...] = ()
        self._learned: dict[str, ShownExercise] = {}
        self._wanted: str | None = None
        self.counted = ShownExercises(self._own)
        self.free: FreeCounter | None = None
        self._lesson: Lesson | None = None
        self._learner: Learner | None = None
        self._lesson_s: float | None = None
        self._motion = Motion()
        self._last_s = float("-inf")
        self._is_away = True
        # Which of the keys a client knows of, and so has to hear the end of.
        self._told_of_lesson = False
        self._definition: ShownExercise | None = None

    @property
    def names(self) -> set[str]:
        """Names of the exercises that the session has."""
        return {each.name for each in self._all()}

    @property
    def is_learning(self) -> bool:
        """Whether somebody shows an exercise now."""
        return self._learner is not None

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to learn or to count."""
        return bool(len(self.counted)) or self._learner is not None or self.free is not None

    def names_with(self, shown: Shown) -> set[str]:
        """Return the names that it would have with what options say.

        Raises
        ------
        BadExercise
            Those are too many.
        """
        custom = self._custom if shown.custom is None else shown.custom
        names = {each.name for each in (*self._own, *custom)} | self._learned.keys()
        if shown.lesson is not None:
            names.add(shown.lesson.name)
        if len(names) > MAX_EXERCISES + len(self._own):
            raise BadExercise(f"a session has {MAX_EXERCISES} exercises of its own at most")
        return names

    def take(self, shown: Shown) -> None:
        """Take what options say of exercises that are shown."""
        if shown.custom is not None:
            self._custom = shown.custom
            self._look_for()
        if shown.learns:
            self._lesson, self._lesson_s = shown.lesson, None
            self._learner = None if shown.lesson is None else Learner(shown.lesson.repetitions)

    def look_for(self, name: str | None) -> None:
        """Look for one exercise only, or for all; `unknown` counts whatever is repeated."""
        self._wanted = name
        self.free = FreeCounter() if name == UNKNOWN else None
        self._look_for()

    def feed(
        self,
        landmarks: Sequence[Sequence[float]],
        world: Sequence[Sequence[float]],
        time_s: float,
        aspect: float,
    ) -> None:
        """Take a frame with the person in it; see `Motion.measure`."""
        if not self.is_needed:
            return
        if time_s - self._last_s > _MAX_GAP_S:
            self.begin_anew()
        self._last_s, self._is_away = time_s, False
        moment = self._motion.measure(landmarks, world, time_s, aspect)
        if self._learner is not None:
            self._learn(self._learner, time_s, moment)
            return
        self.counted.feed(time_s, moment)
        if self.free is not None:
            self.free.take(time_s, moment)

    def idle(self, time_s: float) -> None:
        """Take a frame without the person."""
        if not self._is_away and time_s - self._last_s >= _AWAY_S:
            self._is_away = True
            self.counted.flush(time_s)

    def begin_anew(self) -> None:
        """End movements that are going on: what comes next is another body, or later."""
        self.counted.flush(self._last_s)
        self.counted.begin_anew()
        self._motion = Motion()
        if self.free is not None:
            self.free.begin_anew()
        if self._learner is not None:
            self._learner.begin_anew()

    def finish(self) -> None:
        """End the session; a lesson that has all it needs is learned with its end."""
        if self._learner is not None and self._lesson is not None:
            seen = self._learner.finish()
            if seen is not None:
                self._definition = distilled(seen, self._lesson.name)
                self._learner = self._lesson = None
        if self.free is not None:
            self.free.finish()
        self.counted.flush(self._last_s)

    def learning(self, time_s: float) -> dict[str, Any]:
        """Return what a result says of the lesson: nothing in a session that never had one."""
        if self._lesson is not None and self._learner is not None:
            self._told_of_lesson = True
            return {
                "exercise_learning": {
                    "name": self._lesson.name,
                    "seen": self._learner.seen,
                    "wanted": self._lesson.repetitions,
                    "hint": self._hint(time_s, self._learner.seen),
                },
                "exercise_learned": None,
            }
        if self._definition is not None:
            told, self._definition = self._definition.as_json(), None
            self._told_of_lesson = True
            return {"exercise_learning": None, "exercise_learned": told}
        if self._told_of_lesson:
            return {"exercise_learning": None, "exercise_learned": None}
        return {}

    def _all(self) -> list[ShownExercise]:
        by_name = {each.name: each for each in (*self._own, *self._custom)} | self._learned
        return list(by_name.values())

    def _look_for(self) -> None:
        wanted = self._wanted
        self.counted.only(each for each in self._all() if wanted in (None, each.name))

    def _learn(self, learner: Learner, time_s: float, moment: Moment) -> None:
        if self._lesson_s is None:
            self._lesson_s = time_s
        assert self._lesson is not None
        seen = learner.feed(time_s, moment)
        if seen is None:
            return
        exercise = distilled(seen, self._lesson.name)
        self._learned[exercise.name] = self._definition = exercise
        self._learner = self._lesson = None
        self._look_for()
        # What came after the last shown one, while others were waited for, counts.
        shown_s = seen.signals[0][1].spans[-1].end_s
        for at_s, each in zip(seen.times_s, seen.moments, strict=True):
            if at_s > shown_s:
                self.counted.feed(at_s, each)

    def _hint(self, time_s: float, seen: int) -> dict[str, str] | None:
        if self._is_away:
            code = "learning_nobody"
        elif seen:
            return None
        elif self._lesson_s is None or time_s - self._lesson_s < _PATIENT_S:
            code = "learning_begin"
        else:
            code = "learning_uneven"
        return {"code": code, "text": HINTS[code]}
