"""The vitals analyzer: heart and breathing rate from the face. It is no medical device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable, BaseModel
from analyzers.networks.runtime import Runtime
from analyzers.pose.clock import RisingClock
from analyzers.vitals import weights
from analyzers.vitals.face_detector import FaceDetector
from analyzers.vitals.face_mesh import FaceMesh
from analyzers.vitals.options import Options, read
from analyzers.vitals.people import People
from analyzers.vitals.pulse import Told
from analyzers.vitals.reasons import TEXTS, Reason
from analyzers.vitals.summary import Summary

_NOBODY = Told(None, 0.0, Reason.NO_FACE)
# Of the curve, at every second of its values: what is on a screen needs no more, and results with
# it are half a kilobyte larger.
_CURVE_DECIMALS = 2
# Whom pose follows alone.
_ALONE = 0


@dataclass(slots=True)
class _Session:
    people: People
    options: Options = field(default_factory=Options)
    clock: RisingClock = field(default_factory=RisingClock)
    summary: Summary = field(default_factory=Summary)


class Vitals(BaseModel):
    """Measures heart and breathing rate of people who keep still before a camera.

    A frame's result holds `vitals`: `heart_rate_bpm` with its `confidence` (0 to 1, that it is
    within 5 of the true rate), or null with a `reason` (`code` and `text`) that says what to do;
    `respiration_per_min` or null; and, when the session's option `signal` is true, `signal`, the
    pulse of the last 6 seconds within -1..1, 15 values a second.

    Where several people are measured, `vitals` is of the one with the largest face, and has
    `people`: the same of each, with `id`. With pose they are pose's, and else up to `num_faces`.

    It is not a medical device, and no diagnosis may rest on it.

    Raises
    ------
    AnalyzerUnavailable
        When OpenVINO or the networks for faces are missing.
    """

    after = ("pose",)
    # Every frame counts: where a lane is made that leaves none out, this belongs in it. Times are
    # those of capture, so one that is left out all the same costs quality and moves nothing.
    consecutive: ClassVar[bool] = True

    def __init__(self) -> None:
        runtime = Runtime()
        networks = weights.load()
        try:
            self._detector = FaceDetector(runtime, runtime.read(networks.detector))
            self._mesh = FaceMesh(runtime, runtime.read(networks.mesh))
        except ValueError as error:
            raise AnalyzerUnavailable(f"vitals has no networks for faces: {error}") from error
        self._sessions: dict[str, _Session] = {}

    def start(
        self,
        sid: str,
        timestamp: float | None = None,
        *args: Any,
        options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        session = _Session(People(self._detector, self._mesh))
        session.options = read(options or {}, session.options)
        self._sessions[sid] = session

    def configure(self, sid: str, options: Mapping[str, Any]) -> None:
        session = self._sessions[sid]
        session.options = read(options, session.options)

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
        pose = (results or {}).get("pose")
        if pose is None:
            told = session.people.by_detector(frame, time_s, session.options.num_faces)
            several = session.options.num_faces > 1
        else:
            told = session.people.by_pose(frame, time_s, _posed(pose))
            several = "people" in pose
        first = session.people.largest(told)
        said = _NOBODY if first is None else told[first]
        session.summary.add(said, time_s)
        entry = _as_dict(said, session.options.signal)
        if several:
            entry["people"] = [
                {"id": number, **_as_dict(each, session.options.signal)}
                for number, each in sorted(told.items())
            ]
        return {"vitals": entry}

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return mean, lowest and highest rate, and how long there was one."""
        return {"vitals_summary": self._sessions.pop(sid).summary.told()}


def _posed(pose: Mapping[str, Any]) -> dict[int, Any]:
    if not pose["has_pose"]:
        return {}
    if "people" in pose:
        return {each["id"]: each["landmarks"] for each in pose["people"]}
    return {pose.get("track_id") or _ALONE: pose["landmarks"]}


def _as_dict(told: Told, with_signal: bool) -> dict[str, Any]:
    reason = told.reason
    entry: dict[str, Any] = {
        "heart_rate_bpm": told.heart_rate_bpm,
        "confidence": round(told.confidence, 2),
        "reason": None if reason is None else {"code": reason.value, "text": TEXTS[reason]},
        "respiration_per_min": told.respiration_per_min,
    }
    if with_signal:
        wave = told.signal
        entry["signal"] = [] if wave is None else np.round(wave[::2], _CURVE_DECIMALS).tolist()
    return entry
