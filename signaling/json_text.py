"""JSON of strangers: read only when it can not take long."""

from __future__ import annotations

from typing import Any

import orjson

from signaling.errors import BadMessage, TooLarge

# A picture is one long string, an embedding some hundred numbers, an offer a dozen values. 50,000
# take 5 ms to read and to check; eight megabytes of brackets took seconds of the event loop.
MAX_VALUES = 50_000


def parse_json(text: str | bytes) -> Any:
    """Read a message.

    Raises
    ------
    BadMessage
        It is no JSON.
    TooLarge
        It has so many values that reading it would hold up everybody else.
    """
    check_json(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadMessage("the message is not JSON") from error


def check_json(text: str | bytes) -> None:
    """Refuse what would take long to read, without reading it.

    Each value but the first stands behind one of these characters. In strings they count too.

    Raises
    ------
    TooLarge
        There are too many values.
    """
    if len(text) <= MAX_VALUES:
        return
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if sum(raw.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise TooLarge(f"the message has too many values: at most {MAX_VALUES} are read")
