"""A session's results on their way to whoever reads them: the message and what a sink is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from server.workers.mailbox import FrameInfo


@dataclass(frozen=True, slots=True)
class Timing:
    """Where one frame's time went."""

    queue_ms: float
    """From the decoder to the worker."""
    analyzers_ms: dict[str, float]
    held: dict[str, int]
    """Analyzers whose values are of an earlier frame: that frame's number."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the analyzers say of one frame, or, when final, of the session."""

    frame: FrameInfo | None
    fragments: dict[str, bytes]
    """The analyzers' values as JSON, key by key."""
    timing: Timing
    dropped: int
    """Frames skipped so far."""
    final: bool = False
    timestamp_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    _encoded: dict[frozenset[str] | None, bytes] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What `encode` has made: one for all sinks that want the same keys."""

    def text(self, keys: frozenset[str] | None = None) -> str:
        """The JSON object that goes over the wire.

        Parameters
        ----------
        keys
            Only these of the analyzers' keys; None for all.
        """
        return self.encode(keys).decode()

    def encode(self, keys: frozenset[str] | None = None) -> bytes:
        """The same as bytes."""
        if (encoded := self._encoded.get(keys)) is None:
            encoded = self._encoded[keys] = self._encode(keys)
        return encoded

    def _encode(self, keys: frozenset[str] | None) -> bytes:
        parts = [
            orjson.dumps(key) + b":" + value
            for key, value in self.fragments.items()
            if keys is None or key in keys
        ]
        parts.append(orjson.dumps(self._envelope())[1:-1])
        return b"{" + b",".join(parts) + b"}"

    def _envelope(self) -> dict[str, Any]:
        frame, timing = self.frame, self.timing
        envelope: dict[str, Any] = {
            "final": self.final,
            "timestamp": self.timestamp_ms,
            "frame": None,
            "timing": {
                "queue_ms": round(timing.queue_ms, 2),
                "analyzers": {k: round(v, 2) for k, v in timing.analyzers_ms.items()},
            },
            "dropped": self.dropped,
        }
        if timing.held:
            envelope["timing"]["held"] = timing.held
        if frame is not None:
            envelope["frame"] = {
                "number": frame.number,
                "pts": round(frame.pts_ms, 2),
                "width": frame.width,
                "height": frame.height,
                "received_at": round(frame.received_at_ms, 2),
            }
        return envelope


class Sink(Protocol):
    """Whoever reads a session's results. No method may block or raise."""

    def result(self, result: Result) -> None:
        """One frame's result. A slow reader's sink drops it."""

    def notice(self, message: dict[str, Any]) -> None:
        """Something the client should know: a message with a ``type``."""

    def final(self, result: Result) -> None:
        """The last result, which is never dropped."""
