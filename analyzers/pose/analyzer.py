"""The pose analyzer: who is where, in every frame of every session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.pose.engine import Person, PoseTracker, check_frame
from analyzers.pose.engines import make_engine
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
    tracker: PoseTracker
    identities: Identities = field(default_factory=Identities)
    frames: int = 0
    frames_with_pose: int = 0


class Pose(BaseModel):
    """Finds people's landmarks with BlazePose.

    A frame's result holds `has_pose`, and the most prominent person's
    `landmarks` (x and y in 0..1 of the frame) and `world_landmarks` (metres),
    33 each or none. A session that follows several people also gets `people`,
    each with an `id` that stays, a `box` and both lists. The session's only
    option is `num_poses`, 1 to 8.

    Parameters
    ----------
    engine : str
        ``openvino``, ``mediapipe``, or ``auto``: openvino where it imports.
    model : str, optional
        A pose landmarker bundle (.task: lite, full or heavy); by default the
        networks in the mediapipe package.
    num_poses : int
        How many people a session follows unless it asks for another number.
    device : str
        What openvino computes on: CPU, GPU, NPU, AUTO and so on.
    precision : str
        What openvino computes in: ``f32``, ``bf16``, or ``auto``.
    detector : str, optional
        A person detector's network for openvino, to find several people.

    Raises
    ------
    AnalyzerUnavailable
        When the engine, its device or its networks are missing.
    FileNotFoundError, ValueError
        When a file is not there, or is not what it should be.
    """

    def __init__(
        self,
        engine: str = "auto",
        *,
        model: str | None = None,
        num_poses: int = 1,
        device: str = "CPU",
        precision: str = "auto",
        detector: str | None = None,
    ) -> None:
        self._num_poses = _checked_num_poses(num_poses)
        self._engine = make_engine(
            engine,
            model=model,
            num_poses=num_poses,
            device=device,
            precision=precision,
            detector=detector,
        )
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
        self._sessions[sid] = _Session(self._engine.open(num_poses))

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        session = self._sessions[sid]
        num_poses = _wanted_num_poses(options, session.tracker.num_poses)
        if num_poses != session.tracker.num_poses:
            self._replace_tracker(session, num_poses)

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        check_frame(frame)
        session = self._sessions[sid]
        try:
            people = session.tracker.detect(frame, timestamp)
        except Exception:
            # MediaPipe's graph fails for ever once it failed.
            self._replace_tracker(session, session.tracker.num_poses)
            raise
        session.frames += 1
        session.frames_with_pose += bool(people)
        if session.tracker.num_poses > 1:
            return _several(people, session.identities, timestamp)
        return _single(people)

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return how many frames were seen, and how many of them had somebody in them."""
        session = self._sessions.pop(sid)
        session.tracker.close()
        return {
            "pose_summary": {
                "frames": session.frames,
                "frames_with_pose": session.frames_with_pose,
            }
        }

    def _replace_tracker(self, session: _Session, num_poses: int) -> None:
        fresh = self._engine.open(num_poses)
        session.tracker.close()
        session.tracker = fresh


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
    points = [person.landmarks[:, :2] for person in people]
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


def _as_dicts(landmarks: NDArray[np.float64], decimals: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "name": name,
            "x": round(x, decimals),
            "y": round(y, decimals),
            "z": round(z, decimals),
            "visibility": round(visibility, _VISIBILITY_DECIMALS),
        }
        for index, (name, (x, y, z, visibility)) in enumerate(
            zip(NAMES, landmarks.tolist(), strict=True)
        )
    ]
