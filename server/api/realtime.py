"""The exercise scoring API, ``WS /api/ai/realtime``: pictures in, exercise and score back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web
from pydantic import ValidationError

from server.api import picture_socket
from server.api.base64_picture import decode_base64
from server.api.context import SETTINGS
from server.api.exercise_words import ExerciseWords, Seen
from server.api.models_realtime import (
    TARGET_LATENCY_MS,
    Analysis,
    ClientTimestamp,
    Performance,
    RealtimeError,
    RealtimeFrame,
    Welcome,
)
from server.api.picture_socket import Trouble
from server.sessions.results import Result
from signaling.errors import BadMessage
from signaling.json_text import check_json

_FORM = '{"frame_data": a JPEG or PNG as base64, "timestamp": any number or text}'


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Answer each picture on a socket with its analysis."""
    words = ExerciseWords(request.app[SETTINGS])
    return await picture_socket.serve(request, _Socket(words))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a picture's answer needs to know of its message."""

    client_timestamp: ClientTimestamp
    arrived_s: float


class _Socket:
    """The words of ``/api/ai/realtime``; a `PictureApi`."""

    analyzers: ClassVar[tuple[str, ...]] = ("pose", "exercise")
    # A client may send a single picture, or the same one again and again.
    options: ClassVar[dict[str, dict[str, Any]]] = {"exercise": {"still": "when_still"}}

    def __init__(self, words: ExerciseWords) -> None:
        self._words = words

    def welcome(self) -> str:
        text = "Ready: send pictures as base64 in JSON, or as binary messages"
        return Welcome(message=text).model_dump_json()

    def read(self, message: str | bytes) -> tuple[bytes, _Sent]:
        arrived_s = time.monotonic()
        if isinstance(message, bytes):
            return message, _Sent(None, arrived_s)
        frame = _parse(message)
        return decode_base64(frame.frame_data), _Sent(frame.timestamp, arrived_s)

    def answer(self, result: Result, dropped: int, context: _Sent) -> str | None:
        if any(name in result.timing.held for name in self.analyzers):
            return None
        seen = self._words.seen(result)
        if seen is None:
            return None
        return _analysis(seen, result, dropped, context).model_dump_json()

    def error(self, trouble: Trouble, context: _Sent | None) -> str:
        return RealtimeError(
            message=trouble.message,
            client_timestamp=context.client_timestamp if context else None,
            retry_after_s=trouble.retry_after_s,
        ).model_dump_json(exclude_none=True)


def _parse(message: str) -> RealtimeFrame:
    check_json(message)
    try:
        return RealtimeFrame.model_validate_json(message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = f"{first['loc'][0]}: " if first["loc"] else ""
        raise BadMessage(f"{where}{first['msg']}; send {_FORM}") from error


def _analysis(seen: Seen, result: Result, dropped: int, sent: _Sent) -> Analysis:
    assert result.frame is not None
    latency_ms = round((time.monotonic() - sent.arrived_s) * 1000)
    return Analysis(
        success=seen.success,
        score=seen.score,
        # The analyzer keeps what somebody did who is out of sight for a moment.
        exercise=seen.exercise,
        feedback=seen.feedback,
        warnings=seen.warnings,
        landmarks_count=seen.landmarks_count,
        still=seen.is_still,
        processing_time_ms=round(sum(result.timing.analyzers_ms.values()), 2),
        total_latency_ms=latency_ms,
        timestamp=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        performance=Performance(
            actual_latency_ms=latency_ms, within_target=latency_ms < TARGET_LATENCY_MS
        ),
        reps=seen.reps,
        phase=seen.phase,
        frame=result.frame.number,
        dropped=dropped,
        client_timestamp=sent.client_timestamp,
    )
