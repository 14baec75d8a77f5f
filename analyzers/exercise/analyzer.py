"""The exercise analyzer: what is being done, how often, and how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.exercise.definitions import definitions
from analyzers.exercise.drawing import draw_exercise
from analyzers.exercise.person import ChosenPerson
from analyzers.exercise.reference import ALONE, named_by
from analyzers.exercise.scorer import ExerciseScorer
from analyzers.exercise.signals import FACE
from analyzers.exercise.summary import FrameResults, session_summary
from analyzers.pose.clock import RisingClock

_OPTIONS = ("name", "person")
_NO_FACE = [(0.0, 0.0, 0.0, 0.0)] * FACE


@dataclass(slots=True)
class _Session:
    scorer: ExerciseScorer
    results: FrameResults
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

    A session's options are `name`, the only exercise to look for, and `person`, the id of the one
    to follow among several; either may be None. Naming another exercise keeps what was counted
    before. When the session looks for a reference person with re-identification, that one is
    followed.
    """

    name = "exercise"
    requires = ("pose",)
    after = ("reid",)
    events = ("repetition",)

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
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
        asked = _checked(options or {})
        scorer = ExerciseScorer(asked.get("name"))
        self._sessions[sid] = _Session(
            scorer, FrameResults(scorer), ChosenPerson(asked.get("person"))
        )

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        session = self._sessions[sid]
        asked = _checked(options)
        if "name" in asked:
            session.scorer.look_for(asked["name"])
        if "person" in asked:
            session.person = ChosenPerson(asked["person"])

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
        if person is None or not session.scorer.due(time_s):
            return session.results.after(session.scorer.idle(time_s))
        state = session.scorer.feed(
            _rows(person["landmarks"]), _rows(person["world_landmarks"]), time_s, width / height
        )
        return session.results.after(state)

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
        session = self._sessions.pop(sid)
        session.scorer.finish()
        return {**session.results.final(), "exercise_summary": session_summary(session.scorer)}


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    for key in options:
        if key not in _OPTIONS:
            raise ValueError(f"exercise has no option {key!r}, only {' and '.join(_OPTIONS)}")
    name, person = options.get("name"), options.get("person")
    if name is not None and name not in definitions():
        known = ", ".join(sorted(definitions()))
        raise ValueError(f"there is no exercise {name!r}; there are {known}")
    if person is not None and (isinstance(person, bool) or not isinstance(person, int)):
        raise ValueError(f"person is {person!r}; it must be the id of one of pose's people")
    return dict(options)


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
            session.scorer.begin_anew()
        session.followed = session.person.followed
    return person


def _rows(landmarks: Sequence[Mapping[str, float]]) -> list[tuple[float, float, float, float]]:
    """Return 33 rows; the face's are empty, since nothing is measured on it."""
    return _NO_FACE + [
        (each["x"], each["y"], each["z"], each["visibility"]) for each in landmarks[FACE:]
    ]
