"""Why a camera is not connected."""

from __future__ import annotations


class NotConnected(Exception):
    """This try failed; another may not. One line that says why, and what to do."""

    needs_a_person = False
    """Whether trying again soon is of no use."""


class ServerRefused(NotConnected):
    """The server was reached and said no.

    Parameters
    ----------
    code
        The HTTP status, or the code of its error message.
    message
        What it said.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(
            _WHAT_TO_DO.get(code, "the server says {code}: {message}").format(
                code=code, message=message or "no reason given"
            )
        )
        self.code = code
        self.needs_a_person = code in (400, 401, 403, 404)


_WHAT_TO_DO = {
    401: "the server does not accept the token: it is wrong, has expired, or none was given;"
    " make one with: kinecast token --scope publish --ttl 90d ({message})",
    403: "the token does not allow this: it needs the scope publish, and a session is continued by"
    " the same subject only ({message})",
    404: "there is no Kinecast server at this address: check --to ({message})",
    409: "the name is taken: by another camera, or by this one's last connection, until the server"
    " has noticed that it is gone ({message})",
}


class Untrusted(NotConnected):
    """The server's certificate is none that we trust."""

    needs_a_person = True
