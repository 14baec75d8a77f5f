"""The server's guards around handlers of a test, on real sockets, without workers."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from server.api.context import SETTINGS, SOCKETS
from server.app import errors_as_json
from server.config import parse_settings
from server.http.access import ROUTE_TABLE
from server.http.connection_guard import CONNECTIONS, ConnectionGuard
from server.http.install import protect
from server.http.listener import GuardedSite
from server.http.route import Route
from server.security import tls


@dataclass
class Guarded:
    """What runs."""

    port: int
    url: str
    guard: ConnectionGuard


@contextlib.asynccontextmanager
async def guarded(
    routes: Sequence[Route], *flags: str, pem: str | None = None
) -> AsyncIterator[Guarded]:
    """Serve routes as the server does.

    Parameters
    ----------
    routes
        With handlers of the test's.
    flags
        The server's.
    pem
        A file with certificate and key; None serves plain HTTP.
    """
    settings = parse_settings(flags)
    app = web.Application(middlewares=[errors_as_json], client_max_size=settings.max_body_bytes)
    protect([app], settings)
    app[SETTINGS], app[SOCKETS] = settings, set()
    app[ROUTE_TABLE].serve(app, routes)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    guard = app[CONNECTIONS]
    context = tls.server_context(pem, pem) if pem else None
    try:
        await GuardedSite(runner, "127.0.0.1", 0, guard, context).start()
        port = runner.addresses[0][1]
        yield Guarded(port, f"{'https' if pem else 'http'}://127.0.0.1:{port}", guard)
    finally:
        await runner.cleanup()
        await guard.close()
        assert not guard, "connections are left"
