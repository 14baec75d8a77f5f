"""A pretended heart-rate model, as an example of an analyzer in one file.

It shows how such a file looks, and being slow on purpose it proves that a slow
analyzer slows no other. What it answers is made up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel

_HEART_RATE_BPM = 65
_HEART_RATE_VARIABILITY_MS = 105


@dataclass(slots=True)
class _Sums:
    """What a session's averages are made from."""

    frames: int = 0
    heart_rate_bpm: float = 0.0
    variability_ms: float = 0.0


class MockModel1(BaseModel):
    """Answers a constant heart rate (`hr`, beats a minute) and variability (`hrv`, ms).

    Parameters
    ----------
    duration_s : float
        How long a frame takes.
    """

    def __init__(self, duration_s: float = 0.2) -> None:
        self._duration_s = duration_s
        self._sessions: dict[str, _Sums] = {}

    def start(self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any) -> None:
        self._sessions[sid] = _Sums()

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        time.sleep(self._duration_s)
        sums = self._sessions[sid]
        sums.frames += 1
        sums.heart_rate_bpm += _HEART_RATE_BPM
        sums.variability_ms += _HEART_RATE_VARIABILITY_MS
        return {"hr": _HEART_RATE_BPM, "hrv": _HEART_RATE_VARIABILITY_MS}

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the session's averages, and how many frames they are over."""
        sums = self._sessions.pop(sid)
        if sums.frames == 0:
            return {"mock_model_1_frames": 0}
        return {
            "hr": sums.heart_rate_bpm / sums.frames,
            "hrv": sums.variability_ms / sums.frames,
            "mock_model_1_frames": sums.frames,
        }
