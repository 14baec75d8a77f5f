"""What is told of a session: its status while it runs, and its summary when it is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import orjson

from server.media.clock import SessionClock
from server.sessions.notes import Notes
from server.sessions.results import Result
from server.workers.mailbox import FrameInfo

_SENDS_NOTHING_S = 2.0


class Reported(Protocol):
    """What is told of a session is read from these of its attributes."""

    sid: str
    name: str | None
    health: dict[str, Any] | None
    notes: Notes
    created_at_ms: int
    restarts: int
    end_reason: str | None

    @property
    def clock(self) -> SessionClock: ...

    @property
    def frames_in(self) -> int: ...

    @property
    def frames_analyzed(self) -> int: ...

    @property
    def frames_unreadable(self) -> int: ...

    @property
    def last_frame(self) -> FrameInfo | None: ...

    @property
    def last(self) -> Result | None: ...

    @property
    def history(self) -> Sequence[StrEnum]: ...

    @property
    def analyzers(self) -> tuple[str, ...]: ...

    @property
    def problems(self) -> Sequence[dict[str, Any]]: ...

    @property
    def worker_index(self) -> int | None: ...

    @property
    def dropped(self) -> int: ...

    @property
    def every_frame(self) -> dict[str, dict[str, float]]: ...


def status(session: Reported) -> dict[str, Any]:
    """State, counts and rates, for /sessions."""
    now_s = time.monotonic()
    streamed_s = session.clock.elapsed_s(now_s)
    last = session.last_frame
    # A camera that was stopped is still connected, and sends nothing.
    if last is None or now_s - last.received_monotonic_s > _SENDS_NOTHING_S:
        streamed_s = 0.0
    return {
        "id": session.sid,
        "name": session.name,
        "state": str(session.history[-1]),
        "created_at": session.created_at_ms,
        "analyzers": list(session.analyzers),
        "worker": session.worker_index,
        "frames": session.frames_in,
        "analyzed": session.frames_analyzed,
        "dropped": session.dropped,
        "unreadable": session.frames_unreadable,
        "every_frame": session.every_frame,
        "frames_per_s": round(session.frames_in / streamed_s, 1) if streamed_s else 0.0,
        "results_per_s": round(session.frames_analyzed / streamed_s, 1) if streamed_s else 0.0,
        "latency_ms": _latency_ms(session),
        "restarts": session.restarts,
        "problems": list(session.problems),
        "health": session.health,
        "end_reason": session.end_reason,
    }


def _latency_ms(session: Reported) -> float | None:
    """From the last analyzed frame's arrival to its result; both by our clock."""
    last = session.last
    if last is None or last.frame is None or last.final:
        return None
    return round(last.timestamp_ms - last.frame.received_at_ms, 1)


# What there is to see of somebody at a glance.
_AT_A_GLANCE = ("exercise", "reps", "held_s", "warnings", "framing")


def doing(last: Result | None) -> dict[str, Any] | None:
    """What somebody does, by the last result; None where nobody counts."""
    if last is None or "exercise" not in last.values:
        return None
    told = {key: orjson.loads(last.values.one(key)) for key in _AT_A_GLANCE if key in last.values}
    for key in ("warnings", "framing"):
        # Anybody's analyzer may say something else under these names.
        texts = told.get(key)
        listed = texts if isinstance(texts, list) else []
        told[key] = [each["code"] for each in listed if isinstance(each, dict) and "code" in each]
    return told


def summary(session: Reported) -> dict[str, Any]:
    """What summary.json says when the session is over."""
    told = status(session)
    return {
        **{key: told[key] for key in ("id", "created_at", "analyzers", "frames", "analyzed")},
        **{key: told[key] for key in ("dropped", "unreadable", "every_frame")},
        **{key: told[key] for key in ("restarts", "problems")},
        "ended_at": time.time_ns() // 1_000_000,
        "end_reason": session.end_reason,
        "states": [str(state) for state in session.history],
        "duration_ms": round(session.last_frame.pts_ms, 2) if session.last_frame else 0.0,
        "notes": list(session.notes.kept),
        "final": orjson.loads(session.last.encode()) if session.last else None,
    }
