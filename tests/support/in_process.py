"""The server's own application in the test's process: nothing is analyzed, no worker runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from cryptography.fernet import Fernet

from server.app import build, serve
from server.config import BadSettings, parse_settings
from server.http.connection_guard import CONNECTIONS
from server.http.listener import GuardedSite
from server.workers.pool import WorkerPool
from tests.support.server import COUNTER, Server

# Nothing is kept in the user's own directory.
# In one word: a key may begin with a dash.
KEY = (f"--encryption-key={Fernet.generate_key().decode()}",)


class Application(Server):
    """Asked as a server's process is; from a thread, since it answers on the test's loop."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def log(self) -> str:
        """It is the test's."""
        return ""


@contextlib.asynccontextmanager
async def application(*flags: str) -> AsyncIterator[Application]:
    """Serve all routes as the server does with these flags, on a free port."""
    settings = parse_settings(("--analyzers", COUNTER, "--workers", "1", *KEY, *flags))
    app, _ = build(settings, WorkerPool(settings.workers, settings.analyzers))
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await GuardedSite(runner, "127.0.0.1", 0, app[CONNECTIONS]).start()
        yield Application(runner.addresses[0][1])
    finally:
        await runner.cleanup()
        await app[CONNECTIONS].close()


async def refusal(*flags: str) -> str:
    """Why the server does not start with these flags; what is printed after its name."""
    async with asyncio.timeout(60):
        try:
            await serve(parse_settings((*KEY, *flags)))
        except BadSettings as error:
            return str(error)
    raise AssertionError("it ended by itself")
