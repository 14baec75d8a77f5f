"""The analyzer itself; see the package."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from analyzers.mock_model_2 import skin


@dataclass(slots=True)
class _Seen:
    """What a session's summary is made from."""

    frames: int = 0
    most_pimples: int = 0


class MockModel2(BaseModel):
    """Answers `fatigue` (0..1), `pimpleCount` and `skinRegions` (rows of brightness, 0..1).

    Parameters
    ----------
    duration_s : float
        How long a frame takes.
    """

    def __init__(self, duration_s: float = 1.0) -> None:
        self._duration_s = duration_s
        self._sessions: dict[str, _Seen] = {}

    def start(self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any) -> None:
        self._sessions[sid] = _Seen()

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        time.sleep(self._duration_s)
        brightness = skin.region_brightness(frame)
        pimples = skin.pimple_count(brightness)
        seen = self._sessions[sid]
        seen.frames += 1
        seen.most_pimples = max(seen.most_pimples, pimples)
        return {
            "fatigue": skin.fatigue(seen.frames),
            "pimpleCount": pimples,
            "skinRegions": brightness,
        }

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return the session's last fatigue and highest count, and the number of frames."""
        seen = self._sessions.pop(sid)
        return {
            "fatigue": skin.fatigue(seen.frames),
            "pimpleCount": seen.most_pimples,
            "mock_model_2_frames": seen.frames,
        }
