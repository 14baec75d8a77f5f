"""ICE: which addresses and ports are offered, and how soon a peer is known to be gone."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Sequence
from typing import Any

import aioice.ice

# aioice checks consent every 5 s and gives up after 6 misses: 30 s to notice that a peer is gone.
# A check waits 0.5 s for its answer, so these notice within 3 * (0.7 * 1.2 + 0.5) = 4.0 s.
# Drop when aioice takes both as parameters of Connection.
CONSENT_INTERVAL_S = 0.7
CONSENT_FAILURES = 3

_original_get_host_addresses = aioice.ice.get_host_addresses


def install() -> None:
    """Notice sooner that a peer is gone."""
    aioice.ice.CONSENT_INTERVAL = CONSENT_INTERVAL_S  # type: ignore[assignment]
    aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES


def set_ice_hosts(addresses: Sequence[str], ports: range | None = None) -> None:
    """Choose what ICE offers as host candidates.

    Parameters
    ----------
    addresses
        Local IP addresses to bind to. Empty: every interface's but loopback, as aioice does.
    ports
        UDP ports to bind to; None leaves the choice to the system.

    Notes
    -----
    aioice has neither as a setting. Both are wanted behind NAT and in containers, to leave out
    bridges and to open a known range in a firewall. Drop when aioice.Connection takes them.
    """

    def hosts(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [a for a in addresses if (use_ipv6 if ":" in a else use_ipv4)]

    aioice.ice.get_host_addresses = hosts if addresses else _original_get_host_addresses
    aioice.ice.asyncio = asyncio if ports is None else _PortRangeAsyncio(ports)  # type: ignore[assignment, attr-defined]


class _PortRangeAsyncio:
    """Stands in for the asyncio module inside aioice, so that its sockets bind within a range."""

    def __init__(self, ports: range) -> None:
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Any:
        return _PortRangeLoop(asyncio.get_running_loop(), self._ports)


class _PortRangeLoop:
    """The running loop, but a datagram endpoint on port 0 gets a free port of the range."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: range) -> None:
        self._loop = loop
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: tuple[str, int] | None = None, **kwargs: Any
    ) -> Any:
        if local_addr is None or local_addr[1] != 0:
            return await self._loop.create_datagram_endpoint(
                protocol_factory, local_addr=local_addr, **kwargs
            )
        # A random start, so that a port just given up is not at once taken again.
        start = random.randrange(len(self._ports))
        for port in (*self._ports[start:], *self._ports[:start]):
            try:
                return await self._loop.create_datagram_endpoint(
                    protocol_factory, local_addr=(local_addr[0], port), **kwargs
                )
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise OSError(errno.EADDRINUSE, f"every UDP port of {self._ports} is in use")
