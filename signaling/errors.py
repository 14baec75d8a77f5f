"""What a client is told when its request can not be met.

Each class carries its HTTP status, which the WebSocket protocol sends as ``code``.
The text says what was wrong with which input and what to do instead; it never
holds a stack trace, and input is quoted with :func:`quote` only.
"""

from typing import ClassVar

MAX_QUOTE_CHARS = 60


def quote(text: object) -> str:
    """Return `text` fit for an error message: on one line, in ASCII, and short."""
    raw = text if isinstance(text, str) else repr(text)
    clipped = raw if len(raw) <= MAX_QUOTE_CHARS else raw[: MAX_QUOTE_CHARS - 3] + "..."
    escaped = clipped.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'


class SignalingError(Exception):
    """A request that was refused; the base of everything this package raises.

    Attributes
    ----------
    code : int
        HTTP status, also the ``code`` of the error message.
    message : str
        One line for the client.
    """

    code: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def to_data(self) -> dict[str, str | int]:
        """Return the error as both doors send it: ``{"message", "code"}``."""
        return {"message": self.message, "code": self.code}

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that go with the status."""
        return {}


class BadMessage(SignalingError):
    """The message is not what the protocol has at this point."""


class BadSdp(BadMessage):
    """The session description does not parse, or has no media we can use."""


class UnsupportedSdp(BadSdp):
    """The session description is well-formed, but there is nothing in it that we can answer."""


class Unauthorized(SignalingError):
    """The client has to say who it is."""

    code = 401

    def headers(self) -> dict[str, str]:
        """Return the challenge that a 401 carries (RFC 9110, section 11.6.1)."""
        return {"WWW-Authenticate": "Bearer"}


class NotAllowed(SignalingError):
    """We know who the client is, and it may not do this."""

    code = 403


class NotFound(SignalingError):
    """What the client named does not exist."""

    code = 404


class NotAcceptable(SignalingError):
    """What there is can not be had in a way that the client takes."""

    code = 406


class Conflict(SignalingError):
    """It would be in the way of something that is there already."""

    code = 409


class PreconditionFailed(SignalingError):
    """The ETag is of another ICE session."""

    code = 412


class TooLarge(SignalingError):
    """The body is larger than such a thing ever is."""

    code = 413


class UnsupportedMediaType(SignalingError):
    """The body is of another kind."""

    code = 415


class Unprocessable(SignalingError):
    """The request is well-formed, and asks for what can not be done here."""

    code = 422


class PreconditionRequired(SignalingError):
    """Without an ETag nobody knows which ICE session is meant."""

    code = 428


class _TryLater(SignalingError):
    """Another attempt makes sense after a while.

    Parameters
    ----------
    message : str
        One line for the client.
    retry_after_s : int
        Seconds after which it does.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def headers(self) -> dict[str, str]:
        """Return ``Retry-After`` in seconds (RFC 9110, section 10.2.3)."""
        return {"Retry-After": str(self.retry_after_s)}


class TooMany(_TryLater):
    """The client asks for more than one client gets."""

    code = 429


class InternalError(SignalingError):
    """A fault of ours; its details are in the log only."""

    code = 500


class Busy(_TryLater):
    """There is no room for now."""

    code = 503


def as_signaling_error(error: Exception) -> SignalingError:
    """Return what a client may know of `error`: itself, or only that the fault is ours."""
    if isinstance(error, SignalingError):
        return error
    return InternalError("internal error")
