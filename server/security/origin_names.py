"""Origins of web pages, as they are written on a command line and as browsers send them."""

from __future__ import annotations

import re
from collections.abc import Iterable

ANY = "*"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")


def parse_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """The origins as browsers send them.

    Raises
    ------
    ValueError
        One is no origin.
    """
    return tuple(_parse_one(origin) for origin in origins)


def _parse_one(text: str) -> str:
    if text in (ANY, "null"):
        return text
    origin = text.lower().rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise ValueError(f"{text!r} is no origin: give http://HOST:PORT, null or *")
    scheme, netloc = origin.split("://")
    # Browsers leave out the port that is usual.
    return f"{scheme}://{netloc.removesuffix(':443' if scheme == 'https' else ':80')}"
