"""What a session lives through."""

from __future__ import annotations

import enum


class SessionState(enum.StrEnum):
    """Where a session is in its life."""

    NEW = "new"
    STREAMING = "streaming"
    DISCONNECTED = "disconnected"
    ENDING = "ending"
    ENDED = "ended"
