"""Why nothing can be recorded."""

from __future__ import annotations

from signaling.errors import SignalingError


class InsufficientStorage(SignalingError):
    """There is no room for a recording (RFC 4918, section 11.5)."""

    code = 507
