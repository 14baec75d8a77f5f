"""Tells the supervisor that the event loop turns, and which sessions could go on without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from server.tasks import cancel_and_wait
from server.watchdog import systemd
from server.watchdog.supervisor import Watched

logger = logging.getLogger(__name__)

BEAT_EVERY_S = 1.0


class Heartbeat(asyncio.BaseProtocol):
    """A line a second on the supervisor's pipe: empty, or a new book.

    Parameters
    ----------
    watched
        The pipe; None where there is no supervisor, and only systemd is told, if it asks.
    changed_book
        Returns the book, one line, if it has changed since the last call.
    supervisor_gone
        Called when nobody reads the pipe any more.
    """

    def __init__(
        self,
        watched: Watched | None,
        changed_book: Callable[[], bytes | None],
        supervisor_gone: Callable[[], None],
    ) -> None:
        self._watched = watched
        self._changed_book = changed_book
        self._supervisor_gone = supervisor_gone
        self._transport: asyncio.WriteTransport | None = None
        self._beating: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """The ports are bound: from now on the event loop has to turn."""
        if self._watched is None:
            systemd.notify("READY=1")
            self._beating = asyncio.create_task(systemd.keep_alive(), name="heartbeat")
            return
        pipe = open(self._watched.pipe, "wb", buffering=0)  # noqa: ASYNC230, SIM115
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_write_pipe(lambda: self, pipe)
        self._beating = asyncio.create_task(self._beat(self._transport), name="heartbeat")

    async def end(self) -> None:
        """The event loop is about to end."""
        if self._beating is None:
            return
        beating, self._beating = self._beating, None
        await cancel_and_wait(beating)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The pipe is closed: by us, or because the supervisor is gone."""
        if self._beating is not None:
            logger.error("The supervisor is gone: stopping")
            self._beating.cancel()
            self._supervisor_gone()

    async def _beat(self, transport: asyncio.WriteTransport) -> None:
        while True:
            # A supervisor that is stopped reads nothing: it is told the rest when it goes on.
            if not transport.get_write_buffer_size():
                transport.write((self._book() or b"") + b"\n")
            await asyncio.sleep(BEAT_EVERY_S)

    def _book(self) -> bytes | None:
        try:
            return self._changed_book()
        except Exception:
            # The heart must not stop for it.
            logger.exception("The supervisor can not be told of the sessions")
            return None
