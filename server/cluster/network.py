"""How nodes reach each other and the registry: over Unix sockets on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from aiohttp import web

from server.cluster.node import Node

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Way:
    """To another node.

    Attributes
    ----------
    url
        What its URLs begin with.
    connector
        Makes what connects to it, on the event loop.
    """

    url: str
    connector: Callable[[], aiohttp.BaseConnector]


class Network(Protocol):
    """Between the nodes of one server. Whoever gets in is one of them."""

    @property
    def address(self) -> str:
        """Where this node is reached, as the others are told; empty where its number says it."""

    def way_to(self, number: int, address: str) -> Way:
        """To another node, by its number and what it says of itself."""

    async def open_registry(self, limit: int) -> Streams:
        """Connect to the registry, whose lines are no longer than `limit` bytes.

        Raises
        ------
        OSError
            It is not there.
        """

    async def serve(self, runner: web.AppRunner) -> None:
        """Take the other nodes' requests; `runner` is set up."""

    async def close(self) -> None:
        """Take no more of them; the runner's own end is its owner's."""


class UnixNetwork:
    """Sockets in a directory that nobody else may enter.

    Parameters
    ----------
    node
        This one.
    """

    address = ""

    def __init__(self, node: Node) -> None:
        self._node = node

    def way_to(self, number: int, address: str) -> Way:
        """See `Network`."""
        path = self._node.socket_of(number)
        return Way("http://node", lambda: aiohttp.UnixConnector(path, limit=0))

    async def open_registry(self, limit: int) -> Streams:
        """See `Network`."""
        return await asyncio.open_unix_connection(self._node.registry, limit=limit)

    async def serve(self, runner: web.AppRunner) -> None:
        """See `Network`."""
        await web.UnixSite(runner, self._node.socket_of(self._node.number)).start()

    async def close(self) -> None:
        """See `Network`."""
