"""One UDP socket for many: reads all that is there, and counts for each what waits to go out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

logger = logging.getLogger(__name__)

Address: TypeAlias = tuple[str, int]

# What is read at once, before others have their turn.
MAX_DATAGRAMS = 64
# More than any datagram of WebRTC's over a network.
MAX_DATAGRAM_BYTES = 16 * 1024
# A second of 32 Mb/s. A socket for each session has 256 kB; the system gives as much as it allows
# (net.core.rmem_max, net.core.wmem_max), which is 208 kB for both where nobody has raised it.
BUFFER_BYTES = 4 * 1024 * 1024
# Linux counts its own overhead, and doubles what is asked for (socket(7)).
_DOUBLED = 2
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33


class Unsent:
    """What waits to go out of one of those who share a socket, in bytes."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0


class SharedSocket:
    """A bound UDP socket of this event loop's.

    asyncio's transport has one buffer, which would be all senders' together: one that sends more
    than the line carries would have all others' frames left out.

    Parameters
    ----------
    address
        A local address and a port; an unspecified one is all of its family.
    received
        Is given each datagram, and where it came from.

    Raises
    ------
    OSError
        It can not be bound.
    """

    def __init__(self, address: Address, received: Callable[[bytes, Address], None]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self.socket.setblocking(False)
            if family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.socket.bind(address)
        except OSError:
            self.socket.close()
            raise
        self.receive_bytes = _enlarge(self.socket, socket.SO_RCVBUF, _SO_RCVBUFFORCE)
        _enlarge(self.socket, socket.SO_SNDBUF, _SO_SNDBUFFORCE)
        self._received = received
        self._waiting: deque[tuple[bytes, Address, Unsent]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.socket, self._read)

    def send(self, datagram: bytes, address: Address, unsent: Unsent) -> None:
        """Send a datagram, behind all that waits.

        Parameters
        ----------
        datagram, address
            What, and where to.
        unsent
            Of the one who sends it.
        """
        if not self._waiting:
            if self._take(datagram, address):
                return
            self._loop.add_writer(self.socket, self._write)
        unsent.size += len(datagram)
        self._waiting.append((datagram, address, unsent))

    def close(self) -> None:
        """Close it; what waits is lost."""
        self._loop.remove_reader(self.socket)
        self._loop.remove_writer(self.socket)
        self._waiting.clear()
        self.socket.close()

    def _take(self, datagram: bytes, address: Address) -> bool:
        """Whether the system has taken it, or never will."""
        try:
            self.socket.sendto(datagram, address)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            # No way there, or it is too long for one: as if the network had lost it.
            logger.debug("A datagram to %s was not sent: %s", address, error)
        return True

    def _write(self) -> None:
        while self._waiting:
            datagram, address, unsent = self._waiting[0]
            if not self._take(datagram, address):
                return
            self._waiting.popleft()
            unsent.size -= len(datagram)
        self._loop.remove_writer(self.socket)

    def _read(self) -> None:
        for _ in range(MAX_DATAGRAMS):
            try:
                data, address = self.socket.recvfrom(MAX_DATAGRAM_BYTES)
            except OSError:
                # Nothing more is there, or it tells of a datagram of ours that nobody took.
                return
            # Of IPv6, flow and scope follow.
            self._received(data, address[:2])


def _enlarge(own: Any, option: int, forced: int) -> int:
    """Make a buffer as large as wanted, or as allowed; returns its size in bytes."""
    with contextlib.suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    if own.getsockopt(socket.SOL_SOCKET, option) < _DOUBLED * BUFFER_BYTES:
        # Past what is allowed: whoever administers the network may.
        with contextlib.suppress(OSError):
            own.setsockopt(socket.SOL_SOCKET, forced, BUFFER_BYTES)
    return int(own.getsockopt(socket.SOL_SOCKET, option)) // _DOUBLED
