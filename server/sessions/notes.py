"""Notes: what an older client says of whoever it films, kept with the session."""

from __future__ import annotations

import time
from typing import Any

import orjson

from signaling.errors import BadMessage, TooLarge
from signaling.json_text import parse_json

PARTICIPANT = "ParticipantID"
KEYS = (PARTICIPANT, "surveyResult", "bodyDataDict", "weightDataDict")
MAX_BYTES = 64 * 1024
_MAX_ID_CHARS = 256
# Levels that a note lies below in summary.json, which has as many as orjson writes.
_ENCLOSING = 4


def read(text: str) -> dict[str, Any] | None:
    """The note that a control message is; None if it is none.

    Raises
    ------
    BadMessage, TooLarge
        It looks like one, and can not be read.
    """
    if not any(f'"{key}"' in text for key in KEYS):
        return None
    values = parse_json(text)
    if not isinstance(values, dict):
        return None
    is_note = values.get("type") in KEYS if "type" in values else not values.keys().isdisjoint(KEYS)
    return values if is_note else None


class Notes:
    """The notes of one session, in their order."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.participant: bytes | None = None
        """Whoever is filmed, as the client last named them, in JSON."""
        self._bytes = 0

    def take_over(self, kept: list[dict[str, Any]]) -> None:
        """Have those that another node kept, with the times at which they came there."""
        for note in kept:
            self.add({key: value for key, value in note.items() if key != "received_at"})
        self.kept = [*kept]

    def add(self, values: dict[str, Any]) -> None:
        """Keep one, with the time at which it came.

        Raises
        ------
        BadMessage
            It is nested too deep to be written.
        TooLarge
            There are enough already.
        """
        nested: Any = values
        for _ in range(_ENCLOSING):
            nested = [nested]
        try:
            size = len(orjson.dumps(nested))
        except orjson.JSONEncodeError:
            raise BadMessage("a note is nested too deep") from None
        if self._bytes + size > MAX_BYTES:
            raise TooLarge(f"notes of more than {MAX_BYTES} bytes: no more are kept")
        self._bytes += size
        self.kept.append({"received_at": time.time_ns() // 1_000_000, **values})
        named = values.get(PARTICIPANT)
        if isinstance(named, str | int) and 0 < len(str(named)) <= _MAX_ID_CHARS:
            self.participant = orjson.dumps(named)
