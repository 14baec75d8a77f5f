"""The exercise analyzer: what is being done, how often, and how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import MAX_STATE_BYTES, BaseModel
from analyzers.exercise.definitions import definitions
from analyzers.exercise.demonstration import ShownExercise
from analyzers.exercise.demonstration.folder import read_folder
from analyzers.exercise.drawing import draw_exercise
from analyzers.exercise.everyone import Everyone
from analyzers.exercise.framing import Framing
from analyzers.exercise.network.observer import look_ahead
from analyzers.exercise.one_person import OnePerson, rows_of
from analyzers.exercise.options import WHEN_STILL, Shown, check_options, read_shown
from analyzers.exercise.person import ChosenPerson
from analyzers.exercise.reference import ALONE, named_by
from analyzers.exercise.scorer import NONE
from analyzers.exercise.state import format_with
from analyzers.exercise.still import of_still
from analyzers.exercise.stillness import Stillness
from analyzers.pose.clock import RisingClock


@dataclass(slots=True)
class _Session:
    scored: OnePerson
    everyone: Everyone
    framing: Framing = field(default_factory=Framing)
    person: ChosenPerson = field(default_factory=ChosenPerson)
    clock: RisingClock = field(default_factory=RisingClock)
    followed: int | None = None
    # Whom re-identification named last; it may fail on a frame.
    named: Sequence[int | None] | None = None
    wants_one: bool = False
    # Whether every frame is a picture of its own, and whether they are while nobody moves.
    is_still: bool = False
    stillness: Stillness | None = None
    # Options that everybody's scores go by.
    kept: dict[str, Any] = field(default_factory=dict)


_STATE = format_with(_Session)


class Exercise(BaseModel):
    """Recognises and scores exercises on the landmarks that pose finds.

    A frame's result holds `exercise` (``none`` when there is none), `reps`, `phase` (``rest``,
    ``down``, ``up``, ``hold``), `held_s`, `score` (0 to 100, or None) with its `score_parts`,
    the last `repetition`, and `feedback` and `warnings`, each a list of `code` and `text`.

    A session's options are `name`, the only exercise to look for (``unknown`` counts whatever is
    repeated), and `person`, the id of the one to follow among several; either may be None. Naming
    another exercise keeps what was counted before. When the session looks for a reference person
    with re-identification, that one is followed.

    Beside these, `framing` says what is wrong with the picture and `ready` whether it has been
    right for a second. Where pose follows several, `people` are pose's, each with what they do as
    `exercise`.

    With `still` every frame is a picture of its own, of which `exercise`, `score`, `feedback` and
    `warnings` are told; with ``"when_still"`` they are of one in which nobody has moved, as long as
    nothing else is known. With either, results say by `still` whether they are of one.

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
        session = _Session(OnePerson(self._own), Everyone(lambda: self._newcomer(session)))
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
        seen = results or {}
        if session.is_still:
            told = session.scored.nothing() | {"still": True}
            return told | _still(session, seen.get("pose"), width / height)
        person = _person(session, seen, time_s, width, height)
        people: Sequence[Mapping[str, Any]] = (seen.get("pose") or {}).get("people", ())
        if people:
            _look_ahead(session, person, people, time_s, width / height)
        if person is None:
            told = session.scored.absent(time_s)
        else:
            told = session.scored.seen(
                person["landmarks"], person["world_landmarks"], time_s, width / height
            )
            is_still = session.stillness is not None and session.stillness.look(person, time_s)
            if is_still and told["exercise"] == NONE:
                told |= _still(session, person, width / height) | {"still": True}
        if session.stillness is not None:
            told.setdefault("still", False)
        told |= session.framing.look(
            frame,
            person,
            time_s,
            exercise=told["exercise"],
            # Who wants several to be scored has several in the picture.
            people=len(people) if session.wants_one else 1,
        )
        if "people" in (seen.get("pose") or {}):
            told["people"] = session.everyone.look(people, time_s, width / height)
        return told

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
        told, people = session.scored.end(), session.everyone.end()
        if people:
            told["exercise_summary"]["people"] = people
        return told

    def save(self, sid: str) -> bytes:
        """Return all that was counted, and movements that are going on.

        Where that is too much, it is without those movements, of everybody.
        """
        session = self._sessions[sid]
        state = _STATE.dump(session)
        if len(state) > MAX_STATE_BYTES:
            session.everyone.change(OnePerson.forget_movement)
            session.scored.forget_movement()
            state = _STATE.dump(session)
        return state

    def restore(self, sid: str, state: bytes) -> None:
        _STATE.fill(self._sessions[sid], state)

    def _newcomer(self, session: _Session) -> OnePerson:
        """Return what scores one more person, as the session's options have it."""
        person = OnePerson(self._own, counts_unknown=False)
        person.take(read_shown(session.kept), session.kept)
        return person


def _take(session: _Session, options: Mapping[str, Any]) -> None:
    """Take options, all of them or, when one is wrong, none."""
    shown: Shown = read_shown(options)
    check_options(options, session.scored.names_with(shown))
    session.scored.take(shown, options)
    # A lesson is the chosen one's alone.
    others = {key: options[key] for key in ("name", "custom") if key in options}
    session.kept |= others
    theirs = Shown(False, None, shown.custom)
    session.everyone.change(lambda person: person.take(theirs, others))
    if "still" in options:
        session.is_still = options["still"] is True
        session.stillness = Stillness() if options["still"] == WHEN_STILL else None
    if "person" in options:
        session.wants_one = options["person"] is not None
        session.person = ChosenPerson(options["person"])


def _look_ahead(
    session: _Session,
    person: Mapping[str, Any] | None,
    people: Sequence[Mapping[str, Any]],
    time_s: float,
    aspect: float,
) -> None:
    """Ask the network about everybody at once, which is cheaper than one by one."""
    sights = session.everyone.sights(people, time_s, aspect)
    if person is not None:
        lists = person["landmarks"], person["world_landmarks"]
        chosen = session.scored.sight(*lists, time_s, aspect)
        sights += [] if chosen is None else [chosen]
    look_ahead(sights)


def _still(session: _Session, pose: Mapping[str, Any] | None, aspect: float) -> dict[str, Any]:
    """Return what a picture by itself shows, of the most prominent person."""
    if not pose or not pose.get("has_pose", True):
        return {}
    flat, solid = rows_of(pose["landmarks"]), rows_of(pose["world_landmarks"])
    name = session.kept.get("name")
    return of_still(flat, solid, aspect, name if name in definitions() else None)


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
