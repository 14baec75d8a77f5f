"""Analyzers for attacks: one that the bystander needs, and some that mean no good."""

import ctypes
import os
from typing import Any, ClassVar

import numpy as np

from analyzers.base_model import BaseModel
from bench.harness.barcode import BarcodeReader

_MODULE = "bench.parts.attacked_analyzers"
BARCODE, CRASHER, LEAKER = f"{_MODULE}:Barcode", f"{_MODULE}:Crasher", f"{_MODULE}:Leaker"
MEGABYTE = 1_000_000
# As much as networks take that one of our own analyzers loads.
NETWORKS_MB = 160


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
    """Keeps more with each frame: ``{"mb": how much}``."""

    def __init__(self) -> None:
        self._networks = np.ones(NETWORKS_MB * MEGABYTE, np.uint8)
        self._kept: list[Any] = []
        self._mb: dict[str, int] = {}

    def start(self, sid: str, timestamp: Any = None, *, options: Any = None, **more: Any) -> None:
        self._mb[sid] = (options or {})["mb"]

    def frame(self, sid: str, frame: Any, timestamp: float) -> dict[str, Any]:
        self._kept.append(np.ones(self._mb[sid] * MEGABYTE, np.uint8))
        return {"leaked": len(self._kept)}
