"""How many connections there are, and which of them make room for others."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

from aiohttp import web

from server.tasks import Tasks


class Connection(Protocol):
    """What the guard counts: one client's connection.

    Attributes
    ----------
    address
        What the client is counted by.
    served
        The transport that aiohttp has; None before TLS is agreed on.
    busy
        Whether a request is being answered, or a socket is open.
    """

    address: str
    served: asyncio.Transport | None
    busy: bool

    def request_begins(self) -> None: ...

    def request_ends(self) -> None: ...

    def abort(self, why: str) -> None: ...


class ConnectionGuard:
    """Keeps the number of connections within bounds.

    Parameters
    ----------
    max_connections
        In all. When there are as many, the one makes room that has waited longest without asking
        for anything; if all are busy, the new one is cut off.
    per_address
        Connections of one address that are served at once, 0 for no limit. It may have twice as
        many open, so that the excess hears why it is not served; further ones are treated as above.
    handshake_s
        In which TLS and the head of a request must be here.
    send_s
        In which a client must read something of what waits for it.
    """

    def __init__(
        self, *, max_connections: int, per_address: int, handshake_s: float, send_s: float
    ) -> None:
        self.handshake_s = handshake_s
        self.send_s = send_s
        self.refused = 0
        self._max = max_connections
        self._max_per_address = 2 * per_address or max_connections
        # The one that was used longest ago first.
        self._all: OrderedDict[Connection, None] = OrderedDict()
        self._of_address: dict[str, OrderedDict[Connection, None]] = {}
        self._of_transport: dict[asyncio.BaseTransport, Connection] = {}
        self.tasks = Tasks("connections")

    def __len__(self) -> int:
        return len(self._all)

    def is_idle(self) -> bool:
        """Whether no request is being answered, and no socket open."""
        return not any(connection.busy for connection in self._all)

    def of(self, transport: asyncio.BaseTransport | None) -> Connection | None:
        """The connection that a request came on."""
        return self._of_transport.get(transport) if transport is not None else None

    def admit(self, connection: Connection) -> bool:
        """Count a new connection, if there is room for it or room can be made."""
        own = self._of_address.get(connection.address, OrderedDict())
        room = len(own) < self._max_per_address or _make_room(own)
        if not room or not (len(self) < self._max or _make_room(self._all)):
            self.refused += 1
            return False
        self._all[connection] = None
        self._of_address.setdefault(connection.address, OrderedDict())[connection] = None
        return True

    def release(self, connection: Connection) -> None:
        """Forget a connection; harmless when it is forgotten already."""
        if connection not in self._all:
            return
        del self._all[connection]
        own = self._of_address[connection.address]
        del own[connection]
        if not own:
            del self._of_address[connection.address]
        if connection.served is not None:
            self._of_transport.pop(connection.served, None)

    def serves(self, connection: Connection, transport: asyncio.Transport) -> None:
        """From now on requests come on this transport."""
        self._of_transport[transport] = connection

    def used(self, connection: Connection) -> None:
        """The connection has asked for something: others make room before it does."""
        self._all.move_to_end(connection)
        self._of_address[connection.address].move_to_end(connection)

    async def close(self) -> None:
        """Cut off whoever is left."""
        for connection in list(self._all):
            connection.abort("the server stops")
        await self.tasks.cancel()


def _make_room(connections: OrderedDict[Connection, None]) -> bool:
    """Cut off the one that has asked for nothing for the longest time, if there is one."""
    for connection in connections:
        if not connection.busy:
            connection.abort("another one needs its place")
            return True
    return False


CONNECTIONS = web.AppKey("connections", ConnectionGuard)
