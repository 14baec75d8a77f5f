"""The pose analyzer: who is where, in every frame of every session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.pose.landmarker import Landmarker, LandmarkerPool, Person
from analyzers.pose.landmarks import NAMES
from analyzers.pose.people import Identities, bounding_box, box_area

# What BlazePose is asked to follow at most; each person takes a run of the landmark network.
MAX_POSES = 8

# A result crosses SCTP in packets of some 1200 bytes, thirty times a second, and full floats would
# double it. 1e-5 of a frame is a fiftieth of a pixel, 1e-4 m a tenth of a millimetre, both below
# what the network can see.
_FRAME_DECIMALS = 5
_WORLD_DECIMALS = 4
_VISIBILITY_DECIMALS = 4


@dataclass(slots=True)
class _Session:
    landmarker: Landmarker
    identities: Identities = field(default_factory=Identities)
    frames: int = 0
    frames_with_pose: int = 0


class Pose(BaseModel):
    """Finds people's landmarks with MediaPipe's PoseLandmarker.

    A frame's result holds `has_pose`, and the most prominent person's
    `landmarks` (x and y in 0..1 of the frame) and `world_landmarks` (metres),
    33 each or none. A session that follows several people also gets `people`,
    each with an `id` that stays, a `box` and both lists. The session's only
    option is `num_poses`, 1 to 8.

    Parameters
    ----------
    model : str, optional
        A pose landmarker bundle (.task: lite, full or heavy); by default one
        that is built from the networks in the mediapipe package.
    num_poses : int
        How many people a session follows unless it asks for another number.

    Raises
    ------
    AnalyzerUnavailable
        When MediaPipe or its networks are missing.
    FileNotFoundError, ValueError
        When `model` is not there, or is no pose landmarker bundle.
    """

    def __init__(self, model: str | None = None, num_poses: int = 1) -> None:
        self._num_poses = _checked_num_poses(num_poses)
        self._pool = LandmarkerPool(model, num_poses)
        self._sessions: dict[str, _Session] = {}

    def start(
        self,
        sid: str,
        timestamp: float | None = None,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        num_poses = _wanted_num_poses(options or {}, self._num_poses)
        self._sessions[sid] = _Session(self._pool.take(num_poses))

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        session = self._sessions[sid]
        num_poses = _wanted_num_poses(options, session.landmarker.num_poses)
        if num_poses != session.landmarker.num_poses:
            self._replace_landmarker(session, num_poses)

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        session = self._sessions[sid]
        try:
            people = session.landmarker.detect(frame, timestamp)
        except (RuntimeError, ValueError):
            # A graph that failed once fails for ever.
            self._replace_landmarker(session, session.landmarker.num_poses)
            raise
        session.frames += 1
        session.frames_with_pose += bool(people)
        if session.landmarker.num_poses > 1:
            return _several(people, session.identities, timestamp)
        return _single(people)

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return how many frames were seen, and how many of them had somebody in them."""
        session = self._sessions.pop(sid)
        self._pool.give_back(session.landmarker)
        return {
            "pose_summary": {
                "frames": session.frames,
                "frames_with_pose": session.frames_with_pose,
            }
        }

    def _replace_landmarker(self, session: _Session, num_poses: int) -> None:
        fresh = self._pool.take(num_poses)
        self._pool.give_back(session.landmarker)
        session.landmarker = fresh


def _wanted_num_poses(options: Mapping[str, Any], otherwise: int) -> int:
    for key in options:
        if key != "num_poses":
            raise ValueError(f"pose has no option {key!r}, only 'num_poses'")
    return _checked_num_poses(options.get("num_poses", otherwise))


def _checked_num_poses(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_POSES:
        raise ValueError(f"num_poses is {value!r}; it must be a whole number from 1 to {MAX_POSES}")
    return value


def _single(people: list[Person]) -> dict[str, Any]:
    if not people:
        return {"has_pose": False, "landmarks": [], "world_landmarks": []}
    return {"has_pose": True, **_both_lists(people[0])}


def _several(people: list[Person], identities: Identities, timestamp_ms: float) -> dict[str, Any]:
    points = [np.array([(p.x, p.y) for p in person.landmarks]) for person in people]
    numbers = identities.assign(points, timestamp_ms)
    entries: list[dict[str, Any]] = [
        {"id": number, "box": bounding_box(where), **_both_lists(person)}
        for number, where, person in zip(numbers, points, people, strict=True)
    ]
    entries.sort(key=lambda entry: entry["id"])
    prominent = max(entries, key=lambda entry: box_area(entry["box"]), default=None)
    return {
        "has_pose": bool(entries),
        "landmarks": prominent["landmarks"] if prominent else [],
        "world_landmarks": prominent["world_landmarks"] if prominent else [],
        "people": entries,
    }


def _both_lists(person: Person) -> dict[str, list[dict[str, Any]]]:
    return {
        "landmarks": _as_dicts(person.landmarks, _FRAME_DECIMALS),
        "world_landmarks": _as_dicts(person.world_landmarks, _WORLD_DECIMALS),
    }


def _as_dicts(landmarks: list[Any], decimals: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "name": name,
            "x": round(landmark.x, decimals),
            "y": round(landmark.y, decimals),
            "z": round(landmark.z, decimals),
            "visibility": round(landmark.visibility, _VISIBILITY_DECIMALS),
        }
        for index, (name, landmark) in enumerate(zip(NAMES, landmarks, strict=True))
    ]
