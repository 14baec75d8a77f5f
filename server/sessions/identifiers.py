"""What sessions are called, and what resumes them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

# Digits of a session's id.
SID_DIGITS = 16
TOKEN_BYTES = 24


@dataclass(slots=True)
class Identifiers:
    """Makes them; where several nodes are one server, they tell which one made them.

    Attributes
    ----------
    tag
        Hexadecimal digits that each id begins with.
    token_prefix
        What each resume token begins with.
    """

    tag: str = ""
    token_prefix: str = ""

    def sid(self) -> str:
        """An id of 16 hexadecimal digits."""
        return self.tag + secrets.token_hex(SID_DIGITS // 2)[len(self.tag) :]

    def token(self) -> str:
        """A resume token, which opens its session."""
        return self.token_prefix + secrets.token_urlsafe(TOKEN_BYTES)
