"""What a client is told when the server can not read a source for it."""

from __future__ import annotations


class SourceError(Exception):
    """A source can not be read: one line for the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SourceRefused(SourceError):
    """A source may not be read."""
