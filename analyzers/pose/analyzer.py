"""The pose analyzer: who is where, in every frame of every session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.kept_state import StateFormat
from analyzers.pose.clock import RisingClock
from analyzers.pose.drawing import draw_people
from analyzers.pose.engine import PoseTracker, check_frame
from analyzers.pose.engines import make_engine
from analyzers.pose.people import Identities, Known
from analyzers.pose.results import of_one, of_several
from analyzers.pose.still_image import StillImages

# What BlazePose is asked to follow at most; each person takes a run of the landmark network.
MAX_POSES = 8

_OPTIONS = ("num_poses", "still")


@dataclass(slots=True)
class _Session:
    tracker: PoseTracker
    is_still: bool = False
    identities: Identities = field(default_factory=Identities)
    frames: int = 0
    frames_with_pose: int = 0


# Where people are is found anew; who they are is not.
_STATE = StateFormat(
    "pose 1",
    {_Session: None, Identities: Identities, Known: None, RisingClock: RisingClock},
    caches=("tracker",),
)


class Pose(BaseModel):
    """Finds people's landmarks with BlazePose.

    A frame's result holds `has_pose`, and the most prominent person's
    `landmarks` (x and y in 0..1 of the frame) and `world_landmarks` (metres),
    33 each or none, and `track_id`, their number, which stays. A session that
    follows several people also gets `people`: each one's number as `track_id`
    and `id`, the box around them in pixels (`bbox`) and in 0..1 (`box`), and
    both lists.

    A session's options are `num_poses`, 1 to 8, and `still`, see
    `StillImages`: every frame is a picture of its own.

    Parameters
    ----------
    engine : str
        ``openvino``, ``mediapipe``, or ``auto``: openvino where it imports.
    model : str, optional
        A pose landmarker bundle (.task: lite, full or heavy), or mediapipe's
        wheel; by default the networks in the user's cache, see `weights.load`.
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
        num_poses, is_still = _wanted(options or {}, self._num_poses, False)
        self._sessions[sid] = _Session(self._open(num_poses, is_still), is_still)

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        session = self._sessions[sid]
        before = session.tracker.num_poses, session.is_still
        wanted = _wanted(options, *before)
        if wanted != before:
            self._replace_tracker(session, *wanted)

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        check_frame(frame)
        session = self._sessions[sid]
        num_poses = session.tracker.num_poses
        try:
            people = session.tracker.detect(frame, timestamp)
        except Exception:
            # MediaPipe's graph fails for ever once it failed.
            self._replace_tracker(session, num_poses, session.is_still)
            raise
        session.frames += 1
        session.frames_with_pose += bool(people)
        if session.is_still:
            # Who was in the last picture has nothing to do with who is in this one.
            session.identities = Identities()
        numbers = session.identities.assign(frame, people, timestamp)
        if num_poses == 1:
            return of_one(people, numbers)
        return of_several(people, numbers, frame.shape[1], frame.shape[0])

    def draw(
        self, frame: NDArray[np.uint8], result: Mapping[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        draw_people(frame, result)

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

    def save(self, sid: str) -> bytes:
        return _STATE.dump(self._sessions[sid])

    def restore(self, sid: str, state: bytes) -> None:
        _STATE.fill(self._sessions[sid], state)

    def _open(self, num_poses: int, is_still: bool) -> PoseTracker:
        return StillImages(self._engine, num_poses) if is_still else self._engine.open(num_poses)

    def _replace_tracker(self, session: _Session, num_poses: int, is_still: bool) -> None:
        fresh = self._open(num_poses, is_still)
        session.tracker.close()
        session.tracker, session.is_still = fresh, is_still


def _wanted(options: Mapping[str, Any], num_poses: int, is_still: bool) -> tuple[int, bool]:
    """Return what options ask for; what they leave out stays."""
    for key in options:
        if key not in _OPTIONS:
            raise ValueError(f"pose has no option {key!r}, only {', '.join(map(repr, _OPTIONS))}")
    still = options.get("still", is_still)
    if not isinstance(still, bool):
        raise ValueError(f"still is {still!r}; it must be true or false")
    return _checked_num_poses(options.get("num_poses", num_poses)), still


def _checked_num_poses(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_POSES:
        raise ValueError(f"num_poses is {value!r}; it must be a whole number from 1 to {MAX_POSES}")
    return value
