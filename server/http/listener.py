"""Where clients are accepted: connections have a guard from the first moment on."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from typing import Any

from aiohttp import web

from server.config import BadSettings
from server.http.connection import GuardedConnection
from server.http.connection_guard import CONNECTIONS, ConnectionGuard
from server.http.route import Handler

# An idle connection is kept for the next request; longer than a page's usual pauses.
KEEP_ALIVE_S = 75.0
_BACKLOG = 128


@web.middleware
async def watch_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the guard know which connections are in use."""
    connection = request.app[CONNECTIONS].of(request.transport)
    if connection is None:
        return await handler(request)
    connection.request_begins()
    try:
        return await handler(request)
    finally:
        connection.request_ends()


class GuardedSite(web.BaseSite):
    """Listens as `web.TCPSite` does, with a guard.

    Without `listening` it binds `host` and `port` itself.

    `_server` and `_runner` are what its base class and its siblings in aiohttp have;
    tests/server/http/test_connections.py notices when they change.
    """

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        guard: ConnectionGuard,
        context: ssl.SSLContext | None = None,
        listening: socket.socket | None = None,
    ) -> None:
        super().__init__(runner)
        self._listening = listening
        self._host = host
        self._port = port
        self._guard = guard
        self._context = context

    @property
    def name(self) -> str:
        """Where it listens."""
        return f"{'https' if self._context else 'http'}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        OSError
            It can not be listened there.
        """
        await super().start()
        make_protocol = self._runner.server
        assert make_protocol is not None
        where: dict[str, Any] = {"host": self._host, "port": self._port}
        if self._listening is not None:
            # Several processes accept from one.
            where = {"sock": self._listening}
        self._server = await asyncio.get_running_loop().create_server(
            lambda: GuardedConnection(self._guard, make_protocol, self._context),
            backlog=_BACKLOG,
            **where,
        )


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets at which a host's clients can be accepted, one for each of its addresses.

    Raises
    ------
    OSError
        It can not be listened there.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.setblocking(False)
            listening.bind(address)
            listening.listen(_BACKLOG)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


def refusal(host: str, port: int, error: OSError) -> BadSettings:
    """Why it can not be listened there, for whoever set it so."""
    if error.errno == errno.EADDRINUSE:
        return BadSettings(
            f"port {port} of {host} is in use: choose another with --port"
            " (the next one is needed too)"
        )
    return BadSettings(f"can not listen on {host}:{port}: {error.strerror}")
