"""A session's results on their way to whoever reads them: the message and what a sink is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from analyzers.compact import Form, compact, joined
from analyzers.lane import Fragments
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo


@dataclass(frozen=True, slots=True)
class Timing:
    """Where one frame's time went."""

    queue_ms: float
    """From its arrival to the analyzers, a video's decoding among it."""
    analyzers_ms: dict[str, float]
    held: dict[str, int]
    """Analyzers whose values are of another frame: that frame's number."""
    every_frame: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of those that are to see every frame: `lag_ms` of the last, and how many are `dropped`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the analyzers say of one frame, or, when final, of the session."""

    frame: FrameInfo | None
    values: Values
    timing: Timing
    dropped: int
    """Frames skipped so far."""
    final: bool = False
    events: tuple[str, ...] = ()
    """Keys whose every new value must arrive, and that have one."""
    timestamp_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    _encoded: dict[tuple[frozenset[str] | None, Form], bytes] = field(
        default_factory=dict, compare=False, repr=False
    )
    """What `encode` has made: one for all sinks that want the same."""

    @property
    def fragments(self) -> Fragments:
        """The analyzers' values as JSON, key by key."""
        return self.values.json

    def text(self, keys: frozenset[str] | None = None) -> str:
        """The JSON object that goes over the wire.

        Parameters
        ----------
        keys
            Only these of the analyzers' keys; None for all.
        """
        return self.encode(keys).decode()

    def encode(self, keys: frozenset[str] | None = None, form: Form = Form.JSON) -> bytes:
        """The same as bytes, in any form."""
        if (encoded := self._encoded.get((keys, form))) is None:
            encode = self._as_json if form is Form.JSON else self._as_cbor
            encoded = self._encoded[keys, form] = encode(keys)
        return encoded

    def _as_json(self, keys: frozenset[str] | None) -> bytes:
        parts = [
            orjson.dumps(key) + b":" + value
            for key, value in self.values.json.items()
            if keys is None or key in keys
        ]
        parts.append(orjson.dumps(self._envelope())[1:-1])
        return b"{" + b",".join(parts) + b"}"

    def _as_cbor(self, keys: frozenset[str] | None) -> bytes:
        wanted = {k: v for k, v in self.values.cbor.items() if keys is None or k in keys}
        envelope = {key: compact(orjson.dumps(v)) for key, v in self._envelope().items()}
        return joined(wanted | envelope)

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
        if timing.every_frame:
            envelope["timing"]["every_frame"] = timing.every_frame
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
