"""Analyzers for the tests, chosen with ``--analyzers tests.support.models:Name``."""

import os
import time
from typing import Any

import numpy as np

from analyzers.base_model import BaseModel
from bench.harness import barcode


class Counter(BaseModel):
    """Counts the frames of each session and tells where and on what it ran."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._options: dict[str, Any] = {}

    def start(self, sid, timestamp=None, *args, options=None, **kwargs):
        self._counts[sid] = 0
        self._options[sid] = options or {}

    def configure(self, sid, options):
        self._options[sid] = {**self._options[sid], **options}

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        self._counts[sid] += 1
        return {
            "count": self._counts[sid],
            "timestamp_ms": timestamp,
            "size": list(frame.shape[:2]),
            "mean_rgb": [round(float(v), 1) for v in frame.mean(axis=(0, 1))],
            "pid": os.getpid(),
            "options": self._options[sid],
        }

    def end(self, sid, timestamp=None, *args, **kwargs):
        return {"total": self._counts.pop(sid)}


class MovingCounter(Counter):
    """Takes its counts along to another process, and tells of each tenth as of an event."""

    name = "moving_counter"
    events = ("tens",)

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        told = super().frame(sid, frame, timestamp)
        return {**told, "tens": told["count"] // 10}

    def save(self, sid):
        return str(self._counts[sid]).encode()

    def restore(self, sid, state):
        self._counts[sid] = int(state)


class Dice(BaseModel):
    """Rolls NumPy's dice at a session's end."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        return {}

    def end(self, sid, timestamp=None, *args, **kwargs):
        return {"rolled": float(np.random.random())}


class BarCode(BaseModel):
    """Reads the number that a frame of `tests.server.recordings.movies` carries."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        bars = np.array_split(frame.mean(axis=(0, 2)), 16)
        return {"number": sum(1 << bit for bit, bar in enumerate(bars) if bar.mean() > 128)}


class Steady(BaseModel):
    """Takes 80 ms for each frame, so that it has time for some twelve a second."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        time.sleep(0.08)
        return {"steady": True}


class Every(BaseModel):
    """Is to see every frame, and writes down which it saw; takes as long as its options say."""

    consecutive = True

    def __init__(self) -> None:
        self._takes_s: dict[str, float] = {}
        self._seen: dict[str, list[tuple[int | None, float]]] = {}

    def start(self, sid, timestamp=None, *args, options=None, **kwargs):
        self._takes_s[sid] = (options or {}).get("takes_s", 0.0)
        self._seen[sid] = []

    def configure(self, sid, options):
        self._takes_s[sid] = options["takes_s"]

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        time.sleep(self._takes_s[sid])
        number = barcode.read(frame)
        self._seen[sid].append((number, timestamp))
        return {"every": number, "every_pid": os.getpid()}

    def end(self, sid, timestamp=None, *args, **kwargs):
        del self._takes_s[sid]
        return {"every_seen": self._seen.pop(sid)}


class Broken(BaseModel):
    """Fails on every frame."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        raise RuntimeError("no weights")


class Faulty(BaseModel):
    """Does what its options say, wrongly: ``{"start"|"frame"|"end": how}``."""

    def __init__(self) -> None:
        self._options: dict[str, Any] = {}

    def start(self, sid, timestamp=None, *args, options=None, **kwargs):
        self._options[sid] = options or {}
        self._misbehave(sid, "start")

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        return self._misbehave(sid, "frame")

    def end(self, sid, timestamp=None, *args, **kwargs):
        return self._misbehave(sid, "end")

    def _misbehave(self, sid: str, phase: str) -> Any:
        match self._options[sid].get(phase):
            case "raise":
                raise RuntimeError(f"broken in {phase}")
            case "raise surrogate":
                raise FileNotFoundError("no file \udcff")
            case "numpy":
                return {"faulty": np.float32(1.5)}
            case "nan":
                return {"faulty": float("nan")}
            case "bytes":
                return {"faulty": b"\x00"}
            case "block":
                time.sleep(3600)
            case "exit":
                os._exit(3)
            case "exit soon":
                time.sleep(0.2)
                os._exit(3)
            case "leak":
                kept = []
                while len(kept) < 200:
                    kept.append(b"\1" * 10_000_000)
                    time.sleep(0.005)
        return {"faulty": "fine"}


class Busy(BaseModel):
    """Takes half a second to take options."""

    def configure(self, sid, options):
        time.sleep(0.5)

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        return None


class Spin(BaseModel):
    """A second of pure Python for each frame: what an unfriendly model does to an interpreter."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        until, rounds = time.monotonic() + 1.0, 0
        while time.monotonic() < until:
            rounds += 1
        return {"spin": rounds}


class NotAnAnalyzer:
    """Has the wrong base class."""
