"""Refusals that only a whole server can make."""

from __future__ import annotations

from signaling.errors import SignalingError


class PackedBody(SignalingError):
    """The body is compressed, which costs the server more than the client."""

    code = 415

    def headers(self) -> dict[str, str]:
        """Say what is taken (RFC 9110, section 12.5.3)."""
        return {"Accept-Encoding": "identity"}


class TooSlow(SignalingError):
    """The request was not here in time."""

    code = 408

    def headers(self) -> dict[str, str]:
        """Say that the connection ends: the rest of the request would still come."""
        return {"Connection": "close"}
