"""Who says nothing is asked to leave; a signaling socket may be silent while its session lives."""

import asyncio

import aiohttp
import pytest
from aiohttp import WSMsgType

from client_test.peer import ClientPeer
from server.api.models_pose import PoseError
from tests.support import older_models
from tests.support.older_clients import receive, socket_to
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", f"{COUNTER},{older_models.__name__}:Pose", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("idle"), *flags, "--idle-timeout", "1") as running:
        yield running


async def closed(ws):
    message = await ws.receive(timeout=60)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)


async def test_who_says_nothing_is_asked_to_leave_unless_a_session_goes_on(server):
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
                assert (await ws.receive_json(timeout=60))["type"] == "ice-servers"
                await closed(ws)
        assert not signaling.closed
        await peer.end()
        # With its session gone there is nothing left to say.
        await server_hangs_up(signaling)


async def test_a_socket_for_poses_that_says_nothing_is_told_and_closed(server):
    async with socket_to(server, "/ws") as socket:
        PoseError.model_validate(error := await receive(socket), strict=True, extra="forbid")
        assert "nothing was sent" in error["detail"]
        await asyncio.wait_for(socket.wait_closed(), 60)
        assert socket.close_code == 1001


async def server_hangs_up(ws):
    """The peer reads its signaling socket by itself; its end is what can be waited for."""
    async with asyncio.timeout(60):
        while not ws.closed:
            await asyncio.sleep(0.05)
