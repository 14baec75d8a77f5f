"""Refusals that only a whole server can make."""

from __future__ import annotations

from signaling.errors import SignalingError


class TooMany(SignalingError):
    """The client asks for more than one client gets.

    Parameters
    ----------
    message
        One line for the client.
    retry_after_s
        Seconds after which another attempt makes sense.
    """

    code = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return ``Retry-After`` in seconds (RFC 6585, section 4)."""
        return {"Retry-After": str(self.retry_after_s)}


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
