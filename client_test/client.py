"""A client for those who build on Kinecast: video out, results in; a lost connection comes back.

::

    async with Client("http://127.0.0.1:8083", Camera(), analyzers=["pose", "exercise"]) as client:
        async for result in client:
            print(result.get("exercise"), result.get("reps"))
    print(client.summary["exercise_summary"])
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiortc import MediaStreamTrack

from client_test.channels import Form
from client_test.connection import Connection
from client_test.errors import (
    BadSource,
    ClientError,
    DoorMissing,
    GaveUp,
    NoFinalResult,
    NotConnected,
    Rejected,
)
from client_test.negotiation import OpenedSession, Use
from client_test.reading import Reading
from client_test.sources import Arrays, Camera, Clip
from client_test.told import Event, Result

__all__ = [
    "Arrays",
    "BadSource",
    "Camera",
    "Client",
    "ClientError",
    "Clip",
    "DoorMissing",
    "Event",
    "GaveUp",
    "NoFinalResult",
    "NotConnected",
    "OpenedSession",
    "Rejected",
    "Result",
]

# Results that wait to be read; older ones are left out, as they would be in a live view.
_MAX_WAITING = 256
# What a session is given to end in when the program around it has failed.
_FAREWELL_S = 2.0


class Client:
    """One session with a server.

    Use it as an asynchronous context manager, and iterate over it for the results; it ends after
    the final one, which is not among them but in `summary`. A connection that is lost comes back by
    itself, and the session goes on where it was, if the server still has it. Leaving the context
    ends the session.

    Parameters
    ----------
    url
        The server, as ``http://host:port`` or ``https://host:port``.
    source
        What is sent: the path of a video file, a `Clip`, a `Camera`, `Arrays`, or any video track
        of aiortc's. Whoever made it may look at it; the client stops it. When it ends, so does the
        session.
    analyzers
        Names of those to run; None has all that the server has.
    options
        For each analyzer, by name, what it should know: ``{"pose": {"num_poses": 2}}``.
    keys
        Only these of the analyzers' keys are sent; None has all.
    rate_hz
        At most so many results a second; 0 is every frame; None is the server's choice.
    results
        How they are written on their way: "cbor" takes a seventh of "json"; here they are the same.
    droppable
        Results that are lost on the way are not sent again, and the next ones do not wait for them.
        What must arrive, does.
    name
        Publish the video under this name.
    token
        Bearer token, where the server asks for one.
    insecure
        Accept a certificate that nobody vouches for.
    resume
        The session of an earlier client, to go on with (its `session`).
    codec
        "VP8" or "H264"; None offers both.
    use
        Which door takes the offer: "websocket", "http", or "auto".
    ice_addresses
        Addresses of this machine to offer; None means loopback alone for a server on it.
    give_up_after_s
        How long to try to connect, at first and each time that the connection is lost; infinity
        never gives up.
    on_event
        Called with each `Event` as it comes. Must be quick, and not raise.

    Attributes
    ----------
    missed
        Results that were left out because nobody read them in time.
    """

    def __init__(
        self,
        url: str,
        source: str | Path | MediaStreamTrack,
        *,
        analyzers: Sequence[str] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        keys: Sequence[str] | None = None,
        rate_hz: float | None = None,
        results: Form = "cbor",
        droppable: bool = False,
        name: str | None = None,
        token: str | None = None,
        insecure: bool = False,
        resume: OpenedSession | None = None,
        codec: str | None = None,
        use: Use = "auto",
        ice_addresses: Sequence[str] | None = None,
        give_up_after_s: float = 60.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.missed = 0
        self._source = _track_of(source)
        self._reading = Reading(self._take, on_event or (lambda _: None))
        self._connection = Connection(
            *(url, self._source, self._reading),
            resume=resume,
            options={name: dict(values) for name, values in (options or {}).items()},
            settings={
                "use": use,
                "token": token,
                "insecure": insecure,
                "ice_addresses": ice_addresses,
                "analyzers": analyzers,
                "publish": name,
                "codec": codec,
                "results": results,
                "events": droppable,
                "ordered": not droppable,
                "max_retransmits": 0 if droppable else None,
            },
            give_up_after_s=give_up_after_s,
            on_event=on_event or (lambda _: None),
        )
        if keys is not None:
            self.subscribe(keys)
        if rate_hz is not None:
            self.limit_rate(rate_hz)
        self._waiting: deque[Result] = deque()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def session(self) -> OpenedSession | None:
        """Its id, and the token that continues it; None before the first connection."""
        return self._connection.session

    @property
    def final(self) -> Result | None:
        """What there is to say of the whole session, once it is over."""
        return self._reading.final

    @property
    def summary(self) -> Result:
        """The same, for those who know that it is over.

        Raises
        ------
        NoFinalResult
            It is not over, or the result did not come.
        """
        if self.final is None:
            raise NoFinalResult("the session is not over yet: there is no final result")
        return self.final

    @property
    def state(self) -> str:
        """The last one told; see `Event`."""
        return self._connection.state

    # ---- its life

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._connection.run(), name="kinecast client")
        self._task.add_done_callback(lambda _: self._arrived.set())
        live = asyncio.create_task(self._connection.was_live.wait())
        try:
            await asyncio.wait({self._task, live}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await self._close()
            raise
        finally:
            live.cancel()
        if self._task.done():
            self._source.stop()
            self._task.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                await self.end()
            elif issubclass(kind, Exception):
                # Something else has gone wrong, and that is what is told.
                with contextlib.suppress(Exception):
                    await self.end(_FAREWELL_S)
        finally:
            await self._close()

    async def end(self, timeout_s: float = 15.0) -> Result:
        """End the session and return its final result; may be called again.

        Raises
        ------
        NoFinalResult
            It did not come in time.
        ClientError
            The connection was lost before, for good.
        """
        self._connection.end()
        assert self._task is not None, "use it as: async with Client(...) as client"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._task)
        if self.final is None:
            raise NoFinalResult(f"no final result within {timeout_s:g} s of ending the session")
        return self.final

    async def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._source.stop()

    # ---- what comes

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        """The next result.

        Raises
        ------
        GaveUp, Rejected
            The connection was lost for good.
        BadSource, or what a generator of pictures raised
            There was nothing more to send.
        """
        assert self._task is not None, "use it as: async with Client(...) as client"
        while not self._waiting:
            if self._task.done():
                self._task.result()
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def configure(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        """Change analyzers' options, by name; they hold for a new session, too."""
        for name, values in options.items():
            self._connection.options.setdefault(name, {}).update(values)
        changed = {name: dict(values) for name, values in options.items()}
        self._connection.tell({"type": "configure", "options": changed})

    def subscribe(self, keys: Sequence[str]) -> None:
        """Have only these of the analyzers' keys from now on."""
        self._wish({"type": "subscribe", "keys": list(keys)})

    def limit_rate(self, rate_hz: float) -> None:
        """Have at most so many results a second from now on; 0 is every frame."""
        self._wish({"type": "rate", "hz": rate_hz})

    def note(self, **values: Any) -> None:
        """Keep something with the session, such as `ParticipantID`; see docs/protocol.md."""
        self._connection.tell(values)

    def _wish(self, message: dict[str, Any]) -> None:
        self._connection.wishes[message["type"]] = message
        self._connection.tell(message)

    def _take(self, result: Result) -> None:
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.popleft()
            self.missed += 1
        self._waiting.append(result)
        self._arrived.set()


def _track_of(source: str | Path | MediaStreamTrack) -> MediaStreamTrack:
    if isinstance(source, MediaStreamTrack):
        return source
    try:
        return Clip(source)
    except (OSError, ValueError) as error:
        raise BadSource(f"{source} can not be sent: {error}") from error
