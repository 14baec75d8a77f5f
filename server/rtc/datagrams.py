"""Sends a burst of datagrams in as few system calls as the kernel allows."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from server.rtc.shared_port import SharedTransport

# Linux, udp(7): since 4.18 one call sends many datagrams of one size, the last maybe shorter. Each
# costs the way through the kernel otherwise, half of what a viewer takes.
_UDP_SEGMENT = 103
# The kernel's own limits: UDP_MAX_SEGMENTS, and what one IP datagram holds.
_MAX_SEGMENTS = 64
_MAX_BYTES = 65_000
# 0.5 s of 4 Mb/s.
_MAX_WAITING_BYTES = 250_000


def _probe() -> bool:
    """Whether this system's kernel knows the option: one that does not may pass over it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True


_can_segment = _probe()


def has_room(transport: Any) -> bool:
    """Whether little waits in a transport to be sent.

    A line of this machine that carries less than is sent would delay all that follows more and
    more.

    Parameters
    ----------
    transport
        As for `send_burst`.
    """
    return _own_socket(transport) is None or transport.get_write_buffer_size() <= _MAX_WAITING_BYTES


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
    own = _own_socket(transport)
    for group in _groups(datagrams):
        if len(group) > 1 and _can_segment and own and not transport.get_write_buffer_size():
            size = struct.pack("=H", len(group[0]))
            try:
                own.sendmsg(group, [(socket.IPPROTO_UDP, _UDP_SEGMENT, size)], 0, address)
                continue
            except OSError:
                # The socket's buffer is full, this way can not (a network card without checksums,
                # an MTU that is smaller than they are), or it is gone: the transport knows what to
                # do with each.
                pass
        for datagram in group:
            transport.sendto(datagram, address)


def _own_socket(transport: Any) -> socket.socket | None:
    """The socket of a transport that has one; asyncio's gives a wrapper that can not send."""
    if isinstance(transport, SharedTransport):
        return transport.socket
    return getattr(transport.get_extra_info("socket"), "_sock", None)


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
