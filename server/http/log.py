"""Logs without tokens: the access log has no query, and what looks like a token is blotted out."""

from __future__ import annotations

import logging
import re

from aiohttp.abc import AbstractAccessLogger
from aiohttp.web import BaseRequest, StreamResponse

# A signed JSON Web Token: three parts of base64, the first of which is an object.
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}")
_BLOT = "[token]"


class AccessLogger(AbstractAccessLogger):
    """One line a request: who, what, how it ended. The query is left out, a token may be in it."""

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        """Log one request that was answered."""
        self.logger.info(
            '%s "%s %s" %d %d %.3f s',
            request.remote,
            request.method,
            request.path,
            response.status,
            response.body_length,
            time,
        )

    @property
    def enabled(self) -> bool:
        """Whether anybody reads it."""
        return self.logger.isEnabledFor(logging.INFO)


class RedactingFormatter(logging.Formatter):
    """Blots out tokens, in whatever a library may log: a fence behind the fence."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, traceback and all."""
        return _TOKEN.sub(_BLOT, super().format(record))
