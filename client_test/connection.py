"""A session's connection: made, watched, and made again when it is lost."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

from aiortc import MediaStreamTrack

from client_test.channels import END_SESSION
from client_test.errors import ClientError, GaveUp, NotConnected, Rejected
from client_test.inbox import Message
from client_test.negotiation import OpenedSession
from client_test.peer import ClientPeer
from client_test.reading import Reading
from client_test.sources import Lent
from client_test.told import Event

# As kinecast.js has them.
PAUSES_S = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
LAST_PAUSE_S = 15.0
PING_EVERY_S = 1.0
LOST_AFTER_S = 5.0
# Each step of an attempt; then another one is made.
STEP_WITHIN_S = 10.0
# Once the socket of the offer has closed, as it does when the server dies, or a part of it.
LOST_SOON_AFTER_S = 0.7
# What is refused for good; anything else may be otherwise in a moment.
_FOR_GOOD = {400, 401, 403, 404, 409, 422}


class Connection:
    """Keeps a session connected until it is over.

    Parameters
    ----------
    url
        The server.
    source
        What is sent.
    reading
        Reads what comes.
    resume
        The session to go on with.
    options
        For each analyzer, by name; may change.
    settings
        More of what `ClientPeer` takes.
    give_up_after_s
        How long to try to connect.
    on_event
        Gets the states; see `Event`.

    Attributes
    ----------
    session
        Its id and token; None before the first connection.
    state
        The last one.
    wishes
        What is said on each connection anew, by the type of the message.
    was_live
        Set once there has been a connection.
    """

    def __init__(
        self,
        url: str,
        source: MediaStreamTrack,
        reading: Reading,
        *,
        resume: OpenedSession | None,
        options: dict[str, dict[str, Any]],
        settings: dict[str, Any],
        give_up_after_s: float,
        on_event: Callable[[Event], None],
    ) -> None:
        self.url = url
        self.session = resume
        self.state = "new"
        self.options = options
        self.wishes: dict[str, Message] = {}
        self.was_live = asyncio.Event()
        self._source = source
        self._reading = reading
        self._settings = settings
        self._give_up_after_s = give_up_after_s
        self._on_event = on_event
        self._peer: ClientPeer | None = None
        self._wants_end = False
        self._moves = False
        self._look = asyncio.Event()

    def end(self) -> None:
        """End the session as soon as there is a connection."""
        self._wants_end = True
        self._look.set()

    def tell(self, message: Message | str) -> None:
        """Say something, if there is a connection."""
        if self._peer is not None:
            with contextlib.suppress(NotConnected):
                self._peer.send(message)

    async def run(self) -> None:
        """Connect, and return when the session is over.

        Raises
        ------
        Rejected, GaveUp
            There is no connection.
        Exception
            What ended the source.
        """
        try:
            self.say("connecting")
            lost: ClientError | None = None
            while self._reading.final is None:
                if self._peer is None:
                    await self._connect(lost)
                await self._stay()
                lost = NotConnected("the connection was lost")
        finally:
            await self.hang_up()
            self.say("ended")
        self._raise_for_source()

    async def _connect(self, problem: ClientError | None) -> None:
        """Try until it is there; after a pause if there was a problem already.

        Raises
        ------
        Rejected
            For good.
        GaveUp
            For too long.
        """
        until_s = time.monotonic() + self._give_up_after_s
        pauses_s = chain(PAUSES_S, repeat(LAST_PAUSE_S))
        while True:
            if problem is not None:
                await self._pause(problem, next(pauses_s), until_s)
            try:
                return await self._attempt()
            except ClientError as error:
                await self.hang_up()
                if isinstance(error, Rejected) and error.code in _FOR_GOOD:
                    raise
                problem = error

    async def _pause(self, problem: ClientError, pause_s: float, until_s: float) -> None:
        if isinstance(problem, Rejected) and problem.retry_after_s is not None:
            pause_s = max(pause_s, problem.retry_after_s)
        if time.monotonic() + pause_s > until_s:
            raise GaveUp(f"no connection within {self._give_up_after_s:g} s: {problem}")
        self.say("reconnecting", in_s=pause_s, problem=str(problem))
        await asyncio.sleep(pause_s)

    async def _attempt(self) -> None:
        """Connect, and only then hang up on the connection before, if there is one."""
        session, before = self.session, self._peer
        peer = ClientPeer(
            self.url,
            **self._settings,
            options=self.options or None,
            resume=session.resume if session else None,
            timeout_s=STEP_WITHIN_S,
            history=0,
            on_result=self._result,
            on_message=self._message,
        )
        try:
            await peer.connect(Lent(self._source, self.end))
        except BaseException:
            await peer.close()
            raise
        self._peer = peer
        if before is not None:
            await before.close()
        self.session = peer.session
        peer.on_signaling_ended(self._look.set)
        if session is not None and peer.session is not None and peer.session.id != session.id:
            self._reading.begin_anew()
            self.say("new_session")
        for message in self.wishes.values():
            self.tell(message)
        self._reading.heard_s = time.monotonic()
        self.was_live.set()
        self.say("live", session=self.session.id if self.session else None)

    async def _stay(self) -> None:
        """Return when the session is over, or the connection lost."""
        peer = self._peer
        assert peer is not None
        has_asked = False
        while self._reading.final is None and not peer.gone:
            if self._moves:
                # It is lost if it can not move, and comes back as it does after any other loss.
                self._moves = False
                with contextlib.suppress(ClientError):
                    await self._attempt()
                    return
                break
            if self._wants_end and not has_asked:
                has_asked = True
                self.tell(END_SESSION)
            lost_after_s = LOST_SOON_AFTER_S if peer.signaling_ended else LOST_AFTER_S
            left_s = self._reading.heard_s + lost_after_s - time.monotonic()
            if left_s <= 0:
                break
            self.tell({"type": "ping", "t": time.time() * 1000})
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(PING_EVERY_S, lost_after_s / 2, left_s)):
                    await self._look.wait()
        await self.hang_up()

    def _raise_for_source(self) -> None:
        error = getattr(self._source, "error", None)
        if isinstance(error, Exception):
            raise error

    async def hang_up(self) -> None:
        """Close the connection, if there is one."""
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()

    def _message(self, message: Message) -> None:
        if message.get("type") == "move":
            self._moves = True
            self._look.set()
        else:
            self._reading.message(message)

    def _result(self, message: Message) -> None:
        self._reading.result(message)
        if self._reading.final is not None:
            self._look.set()

    def say(self, code: str, **detail: Any) -> None:
        """Tell of a state."""
        self.state = code
        self._on_event(Event("state", code, detail))
