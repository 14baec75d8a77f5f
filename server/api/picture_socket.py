"""One WebSocket client that sends pictures and gets each one's result, in the words of some API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from aiohttp import WSCloseCode, web

from server.api.bounded_socket import BoundedSocket
from server.api.context import POOL, SESSIONS, SETTINGS
from server.ingest.picture_stream import PictureStream
from server.media.picture import BadPicture, EncodedPicture
from server.security.identity import IDENTITY
from server.sessions.results import Result
from server.tasks import Tasks
from signaling.errors import SignalingError

# What a WebSocket's closing frame has room for (RFC 6455, section 5.5).
_MAX_REASON_BYTES = 123


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong.

    Attributes
    ----------
    message
        One line that says what to do.
    frame
        The number of the picture that it is about, if it got one.
    retry_after_s
        When to try again, if that makes sense.
    cause
        What was raised, if something was.
    """

    message: str
    frame: int | None = None
    retry_after_s: int | None = None
    cause: SignalingError | None = None


class PictureApi(Protocol):
    """How an API words what it gets and sends."""

    analyzers: ClassVar[tuple[str, ...]]
    """Those that its sessions run."""

    options: ClassVar[dict[str, dict[str, Any]]]
    """What their options are."""

    def welcome(self) -> str | None:
        """The first message, if there is one."""

    def read(self, message: str | bytes) -> tuple[bytes, Any]:
        """The file in a message, and what is to come back along with its result.

        Raises
        ------
        SignalingError
            What is wrong with the message.
        """

    def answer(self, result: Result, dropped: int, context: Any) -> str | bytes | None:
        """What to send of a result; None if the analyzers failed on that picture.

        Parameters
        ----------
        result
            Of the picture.
        dropped
            Pictures before it that got no answer.
        context
            From `read`.
        """

    def error(self, trouble: Trouble, context: Any) -> str:
        """What to send of something that went wrong, with a picture if `context` is given."""


async def serve(request: web.Request, api: PictureApi) -> web.WebSocketResponse:
    """Talk to one client until it goes, or its session is ended."""
    idle = Trouble("nothing was sent for so long that the socket is closed: connect again")
    async with BoundedSocket.open(request, idle_notice=lambda: api.error(idle, None)) as socket:
        await _Conversation(request, socket, api).run()
    return socket.response


@dataclass(slots=True)
class _Sent:
    """A picture that is analyzed, or skipped."""

    context: Any
    number: int | None = None


class _Conversation:
    """Messages to the session, results to the client. Is the session's `PictureClient`."""

    def __init__(self, request: web.Request, socket: BoundedSocket, api: PictureApi) -> None:
        app = request.app
        self._socket = socket
        self._api = api
        self._pool = app[POOL]
        self._max_pixels = app[SETTINGS].max_pixels
        self._stream = PictureStream(
            app[SESSIONS], self, api.analyzers, api.options, request[IDENTITY].subject
        )
        self._unsent = 0
        self._goodbye = Tasks("picture socket")

    async def run(self) -> None:
        """Take messages until the socket closes."""
        try:
            if (welcome := self._api.welcome()) is not None:
                await self._socket.send(welcome)
            async for message in self._socket:
                await self._take(message)
        finally:
            await self._stream.close("the client is gone")
            await self._goodbye.join()

    async def _take(self, message: str | bytes) -> None:
        context = None
        try:
            data, context = self._api.read(message)
            picture = EncodedPicture.read(data, max_pixels=self._max_pixels)
            if self._stream.session is None:
                # Until then nobody knows which analyzers can run.
                await self._pool.became_ready.wait()
            sent = _Sent(context)
            sent.number = self._stream.put(picture, sent)
        except SignalingError as error:
            retry_after = error.headers().get("Retry-After")
            retry_after_s = None if retry_after is None else int(retry_after)
            self._complain(Trouble(error.message, None, retry_after_s, error), context)

    def _complain(self, trouble: Trouble, context: Any = None) -> None:
        self._socket.offer(self._api.error(trouble, context))

    # ---- as the session's client

    def answered(self, result: Result, context: _Sent | None) -> None:
        """Send a picture's result."""
        if context is None:
            # A flood of later pictures has made the stream forget what came with this one.
            self._unsent += 1
            return
        answer = self._api.answer(result, result.dropped + self._unsent, context.context)
        if answer is None:
            failed = Trouble("this picture could not be analyzed", context.number)
            self._complain(failed, context.context)
        elif not self._socket.offer(answer):
            # The client reads too slowly.
            self._unsent += 1

    def unreadable(self, message: str, context: _Sent | None) -> None:
        """Tell of a picture that is damaged."""
        sent = context or _Sent(None)
        damaged = BadPicture(message)
        self._complain(Trouble(message, sent.number, cause=damaged), sent.context)

    def told(self, message: dict[str, Any]) -> None:
        """Tell of an analyzer that failed, or of a worker that was replaced."""
        self._complain(Trouble(message["message"]))

    def ended(self, result: Result) -> None:
        """Say goodbye: the session was ended by somebody else, or with the server."""
        session = self._stream.session
        assert session is not None
        reason = f"the session is over: {session.end_reason}"
        self._complain(Trouble(reason))
        short = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        self._goodbye.spawn(self._socket.close(WSCloseCode.GOING_AWAY, short), "goodbye")
