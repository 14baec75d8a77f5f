"""How it is told that an analyzer raised an exception, to the client and in the log."""

from __future__ import annotations

import logging

logger = logging.getLogger(__name__)

_MAX_DESCRIPTION = 400


def describe(error: Exception) -> str:
    """Say on one line what was raised, for someone who will not see the stack trace."""
    # MediaPipe's texts run to thousands of characters; what went wrong is at their beginning.
    text = " ".join(str(error).split())
    # A file's name may hold bytes that are no text; JSON could not tell of it.
    text = text.encode(errors="backslashreplace").decode()
    if len(text) > _MAX_DESCRIPTION:
        text = f"{text[:_MAX_DESCRIPTION]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class FaultLog:
    """Logs what a session's analyzers raise, each kind of exception with one stack trace.

    A model that fails on every frame would otherwise write thirty of them a second.
    """

    def __init__(self, sid: str) -> None:
        self._sid = sid
        self._logged: set[tuple[str, str, type[Exception]]] = set()

    def log(self, analyzer: str, phase: str, error: Exception) -> None:
        """Log what was raised, for debugging alone if it has been logged before."""
        kind = (analyzer, phase, type(error))
        level = logging.DEBUG if kind in self._logged else logging.ERROR
        self._logged.add(kind)
        text = "session %s: analyzer %s raised in %s"
        logger.log(level, text, self._sid, analyzer, phase, exc_info=error)
