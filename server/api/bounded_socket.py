"""A WebSocket towards a client that may read slowly, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from server.api.context import SETTINGS, SOCKETS
from server.http.abort import abort_connection
from server.security.token_bucket import TokenBucket
from server.security.tokens import SUBPROTOCOL
from server.tasks import Tasks

logger = logging.getLogger(__name__)

# What may wait for a reader: ten results with landmarks, a third of a second.
MAX_UNSENT_BYTES = 64 * 1024
# A browser tab that was closed without a word is noticed after this.
HEARTBEAT_S = 15.0
# What a closing frame has room for (RFC 6455, section 5.5).
_MAX_REASON_BYTES = 123
# Pictures and candidates of one client are some hundred a second at most. More is not read for now;
# all that has arrived would otherwise be taken without a turn for anyone else.
MESSAGES_PER_S = 500.0


class BoundedSocket:
    """JSON texts to one WebSocket client, with a bound on what waits for it.

    Iterate to get the client's messages, text as str and binary as bytes. The iteration ends when
    the client goes, or when it has said nothing for the idle time.

    Parameters
    ----------
    response
        The WebSocket, prepared. A handler returns it.
    transport
        Its transport.
    max_unsent_bytes
        When more waits than this, offered texts are dropped.
    send_within_s
        A client that has not read within this what it must get is cut off.
    idle_s
        A client that says nothing for so long is asked to leave (1001).
    idle_notice
        Makes the text that it gets before.

    Attributes
    ----------
    dropped
        Offered texts that were not sent.
    may_idle
        Asked when the idle time is over: whether the client may stay.
    """

    def __init__(
        self,
        response: web.WebSocketResponse,
        transport: asyncio.Transport,
        *,
        max_unsent_bytes: int = MAX_UNSENT_BYTES,
        send_within_s: float,
        idle_s: float,
        idle_notice: Callable[[], str] | None = None,
    ) -> None:
        self.response = response
        self.dropped = 0
        self.may_idle: Callable[[], bool] = lambda: False
        self._transport = transport
        self._max_unsent_bytes = max_unsent_bytes
        self._send_within_s = send_within_s
        self._idle_s = idle_s
        self._idle_notice = idle_notice
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._messages = TokenBucket(MESSAGES_PER_S)
        self._tasks = Tasks("socket")
        self._writer: asyncio.Task[None] | None = None
        self._closing = asyncio.Lock()
        # asyncio then waits from where we drop, with TLS too, which has another limit by default.
        transport.set_write_buffer_limits(high=max_unsent_bytes)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        request: web.Request,
        *,
        idle_notice: Callable[[], str] | None = None,
        max_message_bytes: int | None = None,
    ) -> AsyncIterator[BoundedSocket]:
        """Accept a WebSocket with the limits of the settings; closed at the end of the block.

        Raises
        ------
        aiohttp.web.HTTPBadRequest
            The request is no WebSocket handshake.
        """
        settings = request.app[SETTINGS]
        response = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            max_msg_size=min(settings.max_message_bytes, max_message_bytes or sys.maxsize),
            # A closing handshake that is not answered: half of what close() waits in all.
            timeout=settings.write_timeout / 2,
            protocols=(SUBPROTOCOL,),
            # Pictures do not get smaller by it, and each compressor would take 260 kB.
            compress=False,
            # Wait after every frame while the reader is slow, not only after 64 kB.
            writer_limit=0,
        )
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone before it was answered")
        socket = cls(
            response,
            transport,
            send_within_s=settings.write_timeout,
            idle_s=settings.idle_timeout,
            idle_notice=idle_notice,
        )
        request.app[SOCKETS].add(response)
        try:
            yield socket
        finally:
            request.app[SOCKETS].discard(response)
            await socket.close()

    # ---- out

    @property
    def unsent_bytes(self) -> int:
        """What waits for the client to read."""
        return self._waiting_bytes + self._transport.get_write_buffer_size()

    def offer(self, text: str | bytes) -> bool:
        """Send a text if the client keeps up; never waits.

        Returns
        -------
        Whether it will be sent; otherwise it is counted in `dropped`.
        """
        if self.response.closed or self.unsent_bytes > self._max_unsent_bytes:
            self.dropped += 1
            return False
        self._put(text)
        return True

    async def send(self, text: str | bytes) -> bool:
        """Send a text that the client must get, and wait until it is on its way.

        Returns
        -------
        Whether it is; False if the client has gone, or read so slowly that it was cut off.
        """
        if self.response.closed:
            return False
        self._put(text)
        return await self._written()

    def _put(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._writer is None or self._writer.done():
            self._writer = self._tasks.spawn(self._write(), "write")

    async def _write(self) -> None:
        try:
            while self._waiting:
                data = self._waiting.popleft()
                self._waiting_bytes -= len(data)
                await self.response.send_frame(data, WSMsgType.TEXT)
        except ConnectionError:
            self._waiting.clear()
            self._waiting_bytes = 0

    async def _written(self) -> bool:
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=self._send_within_s)
            if not self._writer.done():
                logger.info("A client that does not read is cut off")
                self.abort()
                return False
        return not self.response.closed and not self._transport.is_closing()

    def abort(self) -> None:
        """Cut the connection, whatever waits."""
        abort_connection(self._transport)

    async def close(self, code: int = WSCloseCode.OK, message: str = "") -> None:
        """Send what waits, say goodbye, hang up; with a client that does not read, just hang up.

        May be called again, and while it runs.
        """
        reason = message.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
        async with self._closing:
            try:
                if await self._written():
                    async with asyncio.timeout(self._send_within_s):
                        await self.response.close(code=code, message=reason)
            except TimeoutError:
                pass
            finally:
                # Closing alone would wait for the client to read the rest, for ever.
                if self._transport.get_write_buffer_size():
                    self.abort()
                await self._tasks.cancel()

    # ---- in

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while True:
            try:
                message = await self.response.receive(timeout=self._idle_s)
            except TimeoutError:
                if self.may_idle():
                    continue
                await self._dismiss()
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            while not self._messages.allow(time.monotonic()):  # noqa: ASYNC110 - for time to pass.
                await asyncio.sleep(1 / MESSAGES_PER_S)
            yield message.data

    async def _dismiss(self) -> None:
        if self._idle_notice is not None:
            await self.send(self._idle_notice())
        await self.close(WSCloseCode.GOING_AWAY, f"nothing was said for {self._idle_s:.0f} s")
