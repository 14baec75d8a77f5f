"""A TCP port for those who have the cluster's secret, on one address."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable

from server.http.connection import GuardedConnection
from server.http.connection_guard import Connection, ConnectionGuard

logger = logging.getLogger(__name__)

# From the first byte to the end of TLS; and then to the first request.
HANDSHAKE_S = 5.0
# Whoever has not shown the secret by then makes room for the next one. TLS holds some 50 kB for it.
MAX_STRANGERS = 64
# Of those who have it. Each signaling socket that is relayed is one.
MAX_CONNECTIONS = 4096
# In which a node must read something of what waits for it.
SEND_S = 10.0

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ClusterGuard(ConnectionGuard):
    """Of all connections to such a port: few of them may be strangers'."""

    def __init__(self) -> None:
        super().__init__(
            max_connections=MAX_CONNECTIONS,
            per_address=0,
            handshake_s=HANDSHAKE_S,
            send_s=SEND_S,
        )
        # In the order in which they came.
        self._strangers: dict[Connection, None] = {}

    def admit(self, connection: Connection) -> bool:
        """Count a new connection; of strangers the first one makes room."""
        if len(self._strangers) >= MAX_STRANGERS:
            next(iter(self._strangers)).abort("another one needs its place")
        if not super().admit(connection):
            return False
        self._strangers[connection] = None
        return True

    def serves(self, connection: Connection, transport: asyncio.Transport) -> None:
        """It has shown that it has the secret."""
        self._strangers.pop(connection, None)
        super().serves(connection, transport)

    def release(self, connection: Connection) -> None:
        """Forget a connection; harmless when it is forgotten already."""
        self._strangers.pop(connection, None)
        super().release(connection)


class SecurePort:
    """Serves streams to those who have the secret.

    Parameters
    ----------
    listening
        Bound, and listening.
    context
        Of `server.security.cluster_certificate`.
    """

    def __init__(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        self.guard = ClusterGuard()
        self._listening = listening
        self._context = context
        self._server: asyncio.Server | None = None

    async def start(self, serve: Serve, limit: int) -> None:
        """Accept, and have each connection served; a line is no longer than `limit` bytes."""
        loop = asyncio.get_running_loop()

        async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = self.guard.of(writer.transport)
            if connection is not None:
                connection.request_begins()
            await serve(reader, writer)

        def make() -> asyncio.Protocol:
            reader = asyncio.StreamReader(limit=limit, loop=loop)
            return asyncio.StreamReaderProtocol(reader, begin, loop=loop)

        self._server = await loop.create_server(
            lambda: GuardedConnection(self.guard, make, self._context), sock=self._listening
        )

    async def close(self) -> None:
        """Hang up on all."""
        if self._server is not None:
            self._server.close()
        await self.guard.close()


def bind(address: str, port: int = 0, tries: int = 1) -> socket.socket:
    """A socket that listens on one address.

    Parameters
    ----------
    address
        An IP address of this machine's; not that of all of them.
    port
        0 for any.
    tries
        How many ports to try from that one on.

    Raises
    ------
    OSError
        None of them can be had.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for each in range(port, port + tries):
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setblocking(False)
            listening.bind((address, each))
            listening.listen()
        except OSError:
            listening.close()
            if each == port + tries - 1:
                raise
            continue
        return listening
    raise OSError("there is no port to try")


def write_address(listening: socket.socket) -> str:
    """HOST:PORT of a socket."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def read_address(text: str) -> tuple[str, int]:
    """What `write_address` wrote.

    Raises
    ------
    ValueError
        It is none.
    """
    host, _, port = text.strip().rpartition(":")
    if not host:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
