"""A signaling socket may be silent while its session lives, and no longer."""

import asyncio

import aiohttp
from aiohttp import WSMsgType

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--idle-timeout", "1")


async def closed(ws):
    message = await ws.receive(timeout=15)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)


async def test_who_says_nothing_is_asked_to_leave_unless_a_session_goes_on(tmp_path):
    with running_server(tmp_path, *FLAGS) as server:
        async with (
            aiohttp.ClientSession() as http,
            ClientPeer(server.url, use="websocket") as peer,
        ):
            await peer.connect(ColourTrack())
            signaling = peer._websocket
            for port in (server.port, server.port + 1):
                # Each of these is silent for the idle time, and so is the session's, which was
                # opened before.
                async with http.ws_connect(f"http://127.0.0.1:{port}/signaling") as ws:
                    await ws.send_json({"type": "ice-servers"})
                    assert (await ws.receive_json(timeout=10))["type"] == "ice-servers"
                    await closed(ws)
            assert not signaling.closed
            await peer.end()
            # With its session gone there is nothing left to say.
            await server_hangs_up(signaling)


async def server_hangs_up(ws):
    """The peer reads its signaling socket by itself; its end is what can be waited for."""
    async with asyncio.timeout(15):
        while not ws.closed:
            await asyncio.sleep(0.05)
