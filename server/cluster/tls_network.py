"""How nodes on several machines reach each other: TLS with the secret of the cluster."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from server.cluster.network import Streams, Way
from server.cluster.node import Node
from server.cluster.secure_port import ClusterGuard, read_address, write_address
from server.http.connection_guard import CONNECTIONS
from server.http.listener import GuardedSite
from server.security.cluster_certificate import contexts

# A machine that is switched off closes no connection. What it has not acknowledged by then is lost.
UNHEARD_S = 4.0
# TCP and TLS.
CONNECT_S = 2.0


class TlsNetwork:
    """A port of this node's, and the others' by what they say of themselves.

    Parameters
    ----------
    node
        This one; its `inner_port` is bound.
    secret
        The cluster's.
    """

    def __init__(self, node: Node, secret: str) -> None:
        self._server, self._client = contexts(secret)
        # Its own descriptor: the successor of this process gets it, too.
        self._listening = socket.socket(fileno=os.dup(node.inner_port[0]))
        self._registry = Path(node.registry)
        self.guard = ClusterGuard()
        self.address = write_address(self._listening)

    def way_to(self, number: int, address: str) -> Way:
        """See `Network`."""
        return Way(
            f"https://{address}",
            lambda: aiohttp.TCPConnector(ssl=self._client, limit=0, socket_factory=_heard),
        )

    async def open_registry(self, limit: int) -> Streams:
        """See `Network`; whoever started this node keeps the address in a file."""
        try:
            host, port = read_address(self._registry.read_text())
        except (FileNotFoundError, ValueError) as error:
            raise ConnectionError("it is not known where it is") from error
        try:
            async with asyncio.timeout(CONNECT_S):
                streams = await asyncio.open_connection(
                    host, port, ssl=self._client, server_hostname="", limit=limit
                )
        except TimeoutError as error:
            raise ConnectionError(f"{host}:{port} does not answer") from error
        _give_up_unheard(streams[1].get_extra_info("socket"))
        return streams

    async def serve(self, runner: web.AppRunner) -> None:
        """See `Network`; the runner's application has our guard."""
        assert runner.app[CONNECTIONS] is self.guard
        host, port = self._listening.getsockname()[:2]
        await GuardedSite(runner, host, port, self.guard, self._server, self._listening).start()

    async def close(self) -> None:
        """See `Network`."""
        await self.guard.close()


def _heard(info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address (getaddrinfo)."""
    made = socket.socket(*info[:3])
    _give_up_unheard(made)
    return made


def _give_up_unheard(connected: socket.socket) -> None:
    """Have the kernel close what the other end does not acknowledge (tcp(7)); Linux alone."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNHEARD_S * 1000))
