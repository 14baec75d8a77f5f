"""One connection from its first byte on.

aiohttp waits for ever for the head of a request, and a connection that is closed while its client
does not read stays for ever, too. Here a protocol stands before aiohttp's: it is there from the
moment a client is accepted, before TLS. aiohttp's is made when the whole head of the first request
is here, so that who sends none costs next to nothing. Nothing of aiohttp but public names is used.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from server.http.abort import abort_connection
from server.http.connection_guard import ConnectionGuard
from server.security.identity import client_address

logger = logging.getLogger(__name__)

# What the kernel holds of what is not yet on its way. Otherwise it takes megabytes for a client
# that reads slowly, who then gets old results, and nobody sees for long whether it reads at all.
_UNSENT_IN_KERNEL_BYTES = 64 * 1024
# A head that is longer is handed to aiohttp as it is, which refuses it.
_MAX_HEAD_BYTES = 64 * 1024


class GuardedConnection(asyncio.Protocol):
    """One connection; stands between asyncio's transport and aiohttp's protocol.

    Parameters
    ----------
    guard
        Of all connections.
    make_protocol
        Makes aiohttp's protocol.
    context
        For TLS; None without.

    Its attributes are those of `Connection`, which is what the guard knows of it.
    """

    def __init__(
        self,
        guard: ConnectionGuard,
        make_protocol: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext | None,
    ) -> None:
        self.address = "unknown"
        self.served: asyncio.Transport | None = None
        self._guard = guard
        self._make_protocol = make_protocol
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._accepted: asyncio.Transport | None = None
        self._protocol: asyncio.Protocol | None = None
        self._early = b""
        self.busy = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None

    # ---- from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client was accepted, or has agreed on TLS."""
        assert isinstance(transport, asyncio.Transport)
        self._accepted = transport
        peer = transport.get_extra_info("peername")
        self.address = client_address(peer[0] if peer else None)
        if not self._guard.admit(self):
            abort_connection(transport)
            return
        _keep_little_in_kernel(transport)
        self._expect_head()
        if self._context is None:
            self._accept(transport)
            return
        # What the client has sent already is for TLS.
        transport.pause_reading()
        self._guard.tasks.spawn(self._start_tls(transport, self._context), "TLS handshake")

    async def _start_tls(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        try:
            secured = await self._loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self._guard.handshake_s,
            )
        except OSError as error:
            logger.debug("No TLS with %s: %s", self.address, error)
            secured = None
        if secured is None:
            self._gone()
            return
        self._accept(secured)

    def _accept(self, transport: asyncio.Transport) -> None:
        self.served = transport
        self._guard.serves(self, transport)
        # With TLS the request may have come in the moment that it was agreed on.
        self._serve_if_asked()

    def _serve_if_asked(self) -> None:
        if self.served is None or not _is_for_aiohttp(self._early):
            return
        self._protocol = self._make_protocol()
        self._protocol.connection_made(self.served)
        early, self._early = self._early, b""
        self._protocol.data_received(early)

    def data_received(self, data: bytes) -> None:
        """Pass it on; the head of a request is awaited from its first byte on."""
        if self._protocol is None:
            self._early += data
            self._serve_if_asked()
            return
        if not self.busy and self._head_timer is None:
            self._expect_head()
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._protocol.eof_received() if self._protocol is not None else None

    def pause_writing(self) -> None:
        """The client does not read, for now."""
        self._expect_reading()
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._read_timer = _cancel(self._read_timer)
        if self._protocol is not None:
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._gone()
        if self._protocol is not None:
            self._protocol.connection_lost(exc)

    def _gone(self) -> None:
        self._head_timer = _cancel(self._head_timer)
        self._read_timer = _cancel(self._read_timer)
        self._close_timer = _cancel(self._close_timer)
        self._guard.release(self)

    # ---- from the application

    def request_begins(self) -> None:
        """The head of a request is here."""
        self.busy = True
        self._head_timer = _cancel(self._head_timer)
        self._close_timer = _cancel(self._close_timer)

    def request_ends(self) -> None:
        """The request was answered: another may follow, or aiohttp closes the connection."""
        self.busy = False
        if self._guard.of(self.served) is None:
            return
        self._guard.used(self)
        self._close_timer = _cancel(self._close_timer)
        self._close_timer = self._loop.call_later(self._guard.send_s, self._finish_closing)

    # ---- what takes too long

    def _expect_head(self) -> None:
        self._head_timer = self._loop.call_later(
            self._guard.handshake_s, self.abort, "the head of its request did not come"
        )

    def _expect_reading(self) -> None:
        assert self._accepted is not None
        waiting = (self.served or self._accepted).get_write_buffer_size()
        self._read_timer = _cancel(self._read_timer)
        self._read_timer = self._loop.call_later(self._guard.send_s, self._check_reading, waiting)

    def _check_reading(self, before: int) -> None:
        if self.served is not None and self.served.get_write_buffer_size() < before:
            self._expect_reading()
        else:
            self.abort("it does not read")

    def _finish_closing(self) -> None:
        # Closing waits until the client has read all that was sent, for ever if need be.
        if self.served is not None and self.served.is_closing():
            self.abort("it does not read the end")

    def abort(self, why: str) -> None:
        """End the connection at once."""
        logger.debug("A connection of %s is cut off: %s", self.address, why)
        transport = self.served or self._accepted
        if transport is not None:
            abort_connection(transport)
        self._gone()


def _is_for_aiohttp(received: bytes) -> bool:
    """Whether a head is whole, or is none of HTTP's, which aiohttp answers at once."""
    if not received:
        return False
    is_whole = b"\r\n\r\n" in received or b"\n\n" in received
    return is_whole or not received[:1].isalpha() or len(received) > _MAX_HEAD_BYTES


def _keep_little_in_kernel(transport: asyncio.Transport) -> None:
    accepted = transport.get_extra_info("socket")
    # Linux and macOS have it.
    if accepted is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_IN_KERNEL_BYTES)


def _cancel(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Return what a timer that no longer runs is: None."""
    if timer is not None:
        timer.cancel()
    return None
