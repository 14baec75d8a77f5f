"""Single pictures from a client into a session of its own, and each one's result back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from server.ingest.pending import PendingPictures
from server.media.picture import BadPicture, EncodedPicture
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from server.sessions.session import Session
from server.sessions.state import SessionState
from signaling.errors import Busy

# A worker that has to be started first needs some seconds.
LOOK_WITHIN_S = 30.0


class PictureClient(Protocol):
    """Whoever sends the pictures. No method may block or raise."""

    def answered(self, result: Result, context: Any) -> None:
        """The result of a picture, and what was given along with it."""

    def unreadable(self, message: str, context: Any) -> None:
        """A picture could not be decoded."""

    def told(self, message: dict[str, Any]) -> None:
        """Any other notice of the session, with a ``type``."""

    def ended(self, result: Result) -> None:
        """The session is over, with its final result."""


class PictureStream:
    """The pictures of one client.

    The session opens with the first picture: a client that sends none costs nothing.

    Parameters
    ----------
    sessions
        Where it is opened.
    client
        Gets the results.
    analyzers, options, owner
        As `SessionManager.open_direct` takes them.
    """

    def __init__(
        self,
        sessions: SessionManager,
        client: PictureClient,
        analyzers: Sequence[str],
        options: dict[str, dict[str, Any]] | None = None,
        owner: str | None = None,
    ) -> None:
        self._sessions = sessions
        self._owner = owner
        self._client = client
        self._analyzers = tuple(analyzers)
        self._options = options or {}
        self._pending: PendingPictures[Any] = PendingPictures()
        self.session: Session | None = None

    def put(self, picture: EncodedPicture, context: Any = None) -> int:
        """Have a picture analyzed, in place of one that still waits.

        Parameters
        ----------
        picture
            Its header was looked at.
        context
            Comes back with the result.

        Returns
        -------
        Its number in this stream, from 1; 0 when it was not taken.

        Raises
        ------
        SignalingError
            As `SessionManager.open_direct`, of the first picture.
        """
        if self.session is None:
            self.session = self._sessions.open_direct(self._analyzers, self._options, self._owner)
            self.session.subscribers.add_sink(self)
        number = self.session.intake.put_picture(picture)
        if number:  # Or it is one too many: the next answer's count of dropped ones tells.
            self._pending.add(number, context)
        return number

    def configure(self, options: dict[str, dict[str, Any]]) -> None:
        """Set analyzers' options, for the pictures from now on."""
        if self.session is None:
            given = {n: {**self._options.get(n, {}), **values} for n, values in options.items()}
            self._options = {**self._options, **given}
        else:
            self.session.configure(options)

    async def close(self, reason: str) -> None:
        """End the session, unless somebody else has."""
        if self.session is not None and self.session.state is not SessionState.ENDED:
            await self._sessions.end(self.session.sid, reason)

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """Hand a result to the client."""
        assert result.frame is not None
        self._client.answered(result, self._pending.take(result.frame.number))

    def notice(self, message: dict[str, Any]) -> None:
        """Hand a notice to the client."""
        if message["type"] == "unreadable_frame":
            self._client.unreadable(message["message"], self._pending.take(message["frame"]))
        else:
            self._client.told(message)

    def final(self, result: Result) -> None:
        """Tell the client that it is over."""
        self._client.ended(result)


async def look_once(
    sessions: SessionManager,
    picture: EncodedPicture,
    analyzers: Sequence[str],
    options: dict[str, dict[str, Any]] | None = None,
    owner: str | None = None,
) -> Result:
    """Have a single picture analyzed.

    Raises
    ------
    BadPicture
        It can not be decoded.
    SignalingError
        As `SessionManager.open_direct`; or no worker had an answer in time (503).
    """
    client = _Once()
    stream = PictureStream(sessions, client, analyzers, options, owner)
    try:
        stream.put(picture)
        return await asyncio.wait_for(client.answer, LOOK_WITHIN_S)
    except TimeoutError:
        raise Busy("no worker had an answer in time", retry_after_s=5) from None
    finally:
        await stream.close("its picture was analyzed")


class _Once:
    """Waits for the first answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def answered(self, result: Result, context: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(result)

    def unreadable(self, message: str, context: Any) -> None:
        self._fail(BadPicture(message))

    def told(self, message: dict[str, Any]) -> None:
        """Nothing else is waited for."""

    def ended(self, result: Result) -> None:
        self._fail(Busy("the session was ended before there was an answer", retry_after_s=1))

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
