"""Analyzers for attacks: one that the bystander needs, and some that mean no good."""

import ctypes
import os
from typing import Any, ClassVar

import numpy as np

from analyzers.base_model import BaseModel
from bench.harness.barcode import BarcodeReader

_MODULE = "bench.parts.attacked_analyzers"
BARCODE, CRASHER, LEAKER = f"{_MODULE}:Barcode", f"{_MODULE}:Crasher", f"{_MODULE}:Leaker"
# A leak of 150 MB a second at 30 frames.
LEAK_BYTES = 5_000_000


class Barcode(BarcodeReader):
    """Reads the bar code without a pose to be beside, which would take most of a core."""

    requires: ClassVar[tuple[str, ...]] = ()


class Crasher(BaseModel):
    """Ends its process with a frame: ``{"how": "exit" or "segfault"}``."""

    def __init__(self) -> None:
        self._how: dict[str, Any] = {}

    def start(self, sid: str, timestamp: Any = None, *, options: Any = None, **more: Any) -> None:
        self._how[sid] = (options or {}).get("how")

    def frame(self, sid: str, frame: Any, timestamp: float) -> dict[str, Any]:
        match self._how.get(sid):
            case "exit":
                os._exit(3)
            case "segfault":
                ctypes.string_at(0)
        return {"crasher": "fine"}


class Leaker(BaseModel):
    """Keeps more with each frame."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def frame(self, sid: str, frame: Any, timestamp: float) -> dict[str, Any]:
        self._kept.append(np.ones(LEAK_BYTES, np.uint8))
        return {"leaked_mb": len(self._kept) * LEAK_BYTES // 1_000_000}
