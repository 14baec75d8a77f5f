"""Logs that a stranger can not use: without tokens, in lines of ours, and not without end."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, StreamResponse

# A signed JSON Web Token: three parts of base64, the first of which is an object.
_TOKEN = re.compile(r"eyJ[\w-]{8,}(?:(?:\.|%2[eE])[\w-]{8,}){2}")
# What begins a line, moves a terminal's cursor or colours it: C0, DEL, C1, two of Unicode's own.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_BLOT = "[token]"


def log_to_stderr(*, verbose: bool, quiet: Iterable[str]) -> None:
    """Log what the process does.

    Parameters
    ----------
    verbose
        Everything.
    quiet
        Loggers that otherwise tell of warnings only.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(BriefBadRequests())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
    for name in quiet:
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.WARNING)


class AccessLogger(AbstractAccessLogger):
    """One line a request: who, what, how it ended. The query is left out, a token may be in it."""

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log one request that was answered."""
        self.logger.info(
            '%s "%s %s" %d %d %.3f s',
            request.remote,
            request.method,
            # As it came: with its %0A.
            request.rel_url.raw_path,
            response.status,
            response.body_length,
            time,
        )

    @property
    def enabled(self) -> bool:
        """Whether anybody reads it."""
        return self.logger.isEnabledFor(logging.INFO)


class RedactingFormatter(logging.Formatter):
    """Blots out tokens, in whatever a library may log, and keeps a record's text on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, traceback and all."""
        return _TOKEN.sub(_BLOT, super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format a record's text; what would begin another line is written as it is in Python."""
        return _CONTROL.sub(lambda m: ascii(m[0])[1:-1], super().formatMessage(record))


class BriefBadRequests(logging.Filter):
    """Tells of requests that are no HTTP in a line each, and of so many a minute.

    aiohttp logs each with a traceback, 7 kB that a stranger gets for a few bytes.
    """

    MAX_PER_MINUTE = 20

    def __init__(self) -> None:
        super().__init__()
        self._minute = 0
        self._told = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record of aiohttp's server; makes it brief."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        minute = int(record.created // 60)
        if minute != self._minute:
            self._minute, self._told = minute, 0
        self._told += 1
        if self._told > self.MAX_PER_MINUTE:
            return False
        reason = str(error.message).partition("\n")[0][:80]
        text = f"A request was no HTTP: {error.code} {reason}"
        if self._told == self.MAX_PER_MINUTE:
            text += "; no more are told of in this minute"
        record.msg, record.args = text, ()
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.INFO, "INFO"
        return True
