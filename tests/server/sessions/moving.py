"""Two nodes without workers, one of which has sessions that the other gets."""

import asyncio
import contextlib

from aiohttp import web

from analyzers.registry import find
from server.api.context import SESSIONS
from server.api.relay import trust_node
from server.app import errors_as_json
from server.security.identity import Identity
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.workers.pool import WorkerPool
from signaling.messages import Offer
from tests.support.server import COUNTER

ANN, EVE = (Identity(name, frozenset(), client=name) for name in ("ann", "eve"))
WITHIN_S = 60.0


STEADY = "tests.support.models:Steady"


def make_manager(*names):
    names = names or (COUNTER,)
    pool = WorkerPool(1, find(names))
    return SessionManager(pool, names, Limits(4, 60.0), (), Metrics())


@contextlib.asynccontextmanager
async def serving(member, routes, sessions=None):
    """What the first node answers to others."""
    app = web.Application(middlewares=[errors_as_json, trust_node])
    if sessions is not None:
        app[SESSIONS] = sessions
    for method, path, answer in routes:
        app.router.add_route(method, path, answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, member.node.socket_of(0)).start()
    yield
    await runner.cleanup()


async def know_each_other(members):
    async with asyncio.timeout(WITHIN_S):
        while not all(len(each.states) == len(members) for each in members):
            await asyncio.sleep(0.01)


def offer(token, publish=None):
    return Offer(sdp="v=0", resume=token, publish=publish)


class Channel:
    """A peer's, which notes what it is told."""

    forms = frozenset()

    def __init__(self):
        self.told = asyncio.Queue()

    def notice(self, message):
        self.told.put_nowait(message)

    def final(self, result):
        """The test is over."""

    def all(self):
        """What it was told so far."""
        return [self.told.get_nowait() for _ in range(self.told.qsize())]
