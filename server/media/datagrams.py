"""Sends a burst of datagrams in as few system calls as the kernel allows."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

logger = logging.getLogger(__name__)

# Linux, udp(7): since 4.18 one call sends many datagrams of one size, the last maybe shorter. Each
# costs the way through the kernel otherwise, half of what a viewer takes.
_UDP_SEGMENT = 103
# The kernel's own limits: UDP_MAX_SEGMENTS, and what one IP datagram holds.
_MAX_SEGMENTS = 64
_MAX_BYTES = 65_000

_can_segment = hasattr(socket.socket, "sendmsg")


def send_burst(transport: Any, datagrams: Sequence[bytes], address: Any) -> None:
    """Send datagrams in order; what the socket does not take at once waits in the transport.

    Parameters
    ----------
    transport
        An `asyncio.DatagramTransport`, or what stands for one (aioice's way through a TURN server).
    datagrams
        Each not empty.
    address
        Where to.
    """
    global _can_segment
    # The transport gives a wrapper that can not send.
    own: socket.socket | None = getattr(transport.get_extra_info("socket"), "_sock", None)
    for group in _groups(datagrams):
        if len(group) > 1 and _can_segment and own and not transport.get_write_buffer_size():
            size = struct.pack("=H", len(group[0]))
            try:
                own.sendmsg(group, [(socket.IPPROTO_UDP, _UDP_SEGMENT, size)], 0, address)
                continue
            except BlockingIOError:
                pass
            except OSError as error:
                # An older kernel, or a network card that can not.
                _can_segment = False
                logger.info("Datagrams are sent one by one: %s", error)
        for datagram in group:
            transport.sendto(datagram, address)


def _groups(datagrams: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Runs of one size; the last of a run may be shorter."""
    at = 0
    while at < len(datagrams):
        size = len(datagrams[at])
        most = min(_MAX_SEGMENTS, max(_MAX_BYTES // size, 1))
        end = at + 1
        while end < len(datagrams) and end - at < most and len(datagrams[end]) == size:
            end += 1
        if end < len(datagrams) and end - at < most and len(datagrams[end]) < size:
            end += 1
        yield datagrams[at:end]
        at = end
