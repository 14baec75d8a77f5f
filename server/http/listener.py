"""Where clients are accepted: connections have a guard from the first moment on."""

from __future__ import annotations

import asyncio
import ssl

from aiohttp import web

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
    ) -> None:
        super().__init__(runner)
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
        self._server = await asyncio.get_running_loop().create_server(
            lambda: GuardedConnection(self._guard, make_protocol, self._context),
            self._host,
            self._port,
            backlog=_BACKLOG,
        )
