"""What can go wrong between a client and the server, in words for whoever started the client."""


class ClientError(Exception):
    """Any failure of a client; its text says what failed and what to try."""


class DoorMissing(ClientError):
    """Nobody answers at this address, or whoever does knows no such path."""


class Rejected(ClientError):
    """The server answered the offer with an error.

    Attributes
    ----------
    code
        The HTTP-like status, such as 400 or 503.
    message
        The server's own words.
    retry_after_s
        After how many seconds to try again, where the server said so.
    """

    def __init__(self, code: int, message: str, retry_after_s: float | None = None) -> None:
        again = "" if retry_after_s is None else f"; try again in {retry_after_s:g} s"
        super().__init__(f"the server answered {code}: {message}{again}")
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class NotConnected(ClientError):
    """The offer was answered, but no connection came about, or it was lost."""


class NoFinalResult(ClientError):
    """The session was ended and the object with ``"final": true`` did not come."""


class BadSource(ClientError):
    """What was to be sent is no video: no such camera, a damaged file, no picture in an array."""


class GaveUp(ClientError):
    """The connection was lost, or never came about, and all tries to have it were in vain."""
