"""The exercise analyzer: what is being done, how often, and how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import ShownExercise
from analyzers.exercise.demonstration.folder import read_folder
from analyzers.exercise.drawing import draw_exercise
from analyzers.exercise.one_person import OnePerson
from analyzers.exercise.options import Shown, check_options, read_shown
from analyzers.exercise.person import ChosenPerson
from analyzers.exercise.reference import ALONE, named_by
from analyzers.pose.clock import RisingClock


@dataclass(slots=True)
class _Session:
    scored: OnePerson
    person: ChosenPerson = field(default_factory=ChosenPerson)
    clock: RisingClock = field(default_factory=RisingClock)
    followed: int | None = None
    # Whom re-identification named last; it may fail on a frame.
    named: Sequence[int | None] | None = None


class Exercise(BaseModel):
    """Recognises and scores exercises on the landmarks that pose finds.

    A frame's result holds `exercise` (``none`` when there is none), `reps`, `phase` (``rest``,
    ``down``, ``up``, ``hold``), `held_s`, `score` (0 to 100, or None) with its `score_parts`,
    the last `repetition`, and `feedback` and `warnings`, each a list of `code` and `text`.

    A session's options are `name`, the only exercise to look for (``unknown`` counts whatever is
    repeated), and `person`, the id of the one to follow among several; either may be None. Naming
    another exercise keeps what was counted before. When the session looks for a reference person
    with re-identification, that one is followed.

    `learn` has it watch for an exercise that is shown: while it does, results hold
    `exercise_learning`, and then once `exercise_learned`, a definition. `custom` is a list of
    those, to look for beside the built-in ones.

    Parameters
    ----------
    exercises : str, optional
        A folder of definitions, JSON files, that every session has.

    Raises
    ------
    ValueError
        A file of that folder can not be used.
    """

    name = "exercise"
    requires = ("pose",)
    after = ("reid",)
    events = ("repetition", "exercise_learned")

    def __init__(self, exercises: str | None = None) -> None:
        self._sessions: dict[str, _Session] = {}
        self._own: tuple[ShownExercise, ...] = () if exercises is None else read_folder(exercises)
        # Found and checked before the first frame waits for it.
        definitions()

    def start(
        self,
        sid: str,
        timestamp: float | None = None,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        asked = options or {}
        session = _Session(OnePerson(self._own))
        _take(session, asked)
        self._sessions[sid] = session

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        _take(self._sessions[sid], options)

    def frame(
        self,
        sid: str,
        frame: NDArray[np.uint8],
        timestamp: float,
        *args: Any,
        results: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        session = self._sessions[sid]
        time_s = session.clock.tick(timestamp) / 1000.0
        height, width = frame.shape[:2]
        person = _person(session, results or {}, time_s, width, height)
        if person is None:
            return session.scored.absent(time_s)
        return session.scored.seen(
            person["landmarks"], person["world_landmarks"], time_s, width / height
        )

    def draw(
        self, frame: NDArray[np.uint8], result: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        draw_exercise(frame, result)

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the summary, and what a frame's result has, of what was mostly done.

        The summary has, per exercise, repetitions or seconds held, scores, and a word of advice.
        """
        return self._sessions.pop(sid).scored.end()


def _take(session: _Session, options: Mapping[str, Any]) -> None:
    """Take options, all of them or, when one is wrong, none."""
    shown: Shown = read_shown(options)
    check_options(options, session.scored.names_with(shown))
    session.scored.take(shown, options)
    if "person" in options:
        session.person = ChosenPerson(options["person"])


def _person(
    session: _Session, results: Mapping[str, Any], time_s: float, width: int, height: int
) -> Mapping[str, Any] | None:
    """Return the person to score, with both lists of landmarks, or None."""
    pose: Mapping[str, Any] | None = results.get("pose")
    if not pose or not pose["has_pose"]:
        return None
    people = pose.get("people")
    if "reid" in results:
        session.named = named_by(results["reid"], people, pose["landmarks"], width, height)
    if people is None:
        if session.named is None:
            return pose
        people = [{**pose, "id": ALONE}]
    person = session.person.choose(people, time_s, session.named)
    if person is not None and session.person.followed != session.followed:
        if session.followed is not None:
            session.scored.begin_anew()
        session.followed = session.person.followed
    return person
