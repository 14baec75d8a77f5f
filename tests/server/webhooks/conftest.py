"""A server that takes events, and checks their signatures as Standard Webhooks says."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json

import pytest
from aiohttp import web

SECRET = "a secret of these tests"


class Receiver:
    """What came, in order; answers with `status`."""

    def __init__(self):
        self.events = []
        self.ids = []
        self.status = 204
        self.came = asyncio.Event()
        self.port = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    async def take(self, request):
        body = await request.read()
        event_id, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = f"{event_id}.{stamp}.".encode() + body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        self.ids.append(event_id)
        if self.status == 204:
            self.events.append(json.loads(body))
        self.came.set()
        return web.Response(status=self.status)

    @contextlib.asynccontextmanager
    async def running(self):
        """Take them on a port, the same one each time."""
        app = web.Application()
        app.router.add_post("/hook", self.take)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True).start()
            self.port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()

    async def until(self, condition, within_s=60.0):
        """Wait until what came fulfils a condition."""
        async with asyncio.timeout(within_s):
            while not condition(self):
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def receiver():
    return Receiver()
