"""A server with no place left says when to come again, at every door in its door's form."""

import asyncio
import base64
import json

import aiohttp
import pytest

from client_test.peer import ClientPeer
from server.api.models_pose import PoseError
from server.api.models_realtime import RealtimeError
from tests.support import older_models, pictures
from tests.support.older_clients import ask, receive, socket_to
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack, offer_of

STAND_INS = f"{older_models.__name__}:Pose,{older_models.__name__}:Exercise"
PICTURE = pictures.plain_jpeg(older_models.BLUE)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """It has one place."""
    flags = ("--analyzers", f"{STAND_INS},{COUNTER}", "--workers", "1", "--frames-per-second", "0")
    with running_server(tmp_path_factory.mktemp("full"), *flags, "--max-sessions", "1") as running:
        yield running


@pytest.fixture
async def http(server):
    async with aiohttp.ClientSession() as session:
        await left_by_all(server)
        yield session


async def left_by_all(server):
    await asyncio.to_thread(server.wait_until, "/sessions", lambda answer: not answer["sessions"])


async def test_over_webrtc(server, http):
    sdp = await offer_of(ColourTrack())
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: "count" in m)
        async with http.post(f"{server.url}/offer", json={"sdp": sdp, "type": "offer"}) as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert (await response.json())["code"] == 503
        async with http.ws_connect(f"{server.url}/signaling") as ws:
            await ws.send_json({"type": "offer", "data": {"sdp": sdp, "type": "offer"}})
            error = await ws.receive_json(timeout=60)
            assert (error["type"], error["data"]["code"]) == ("error", 503)
        await peer.end()
    # The place is free again at once.
    async with ClientPeer(server.url) as next_one:
        await next_one.connect(ColourTrack())
        await next_one.wait_for(lambda m: "count" in m)
        await next_one.close()
    # A session whose peer is gone gives way.
    async with ClientPeer(server.url) as third:
        await third.connect(ColourTrack())
        await third.wait_for(lambda m: "count" in m)
        await third.end()


async def test_a_socket_for_poses_waits(server, http):
    async with socket_to(server, "/ws") as waits:
        async with socket_to(server, "/ws") as first:
            assert (await ask(first, PICTURE))["frame"] == 1
            error = await ask(waits, PICTURE)
            PoseError.model_validate(error, strict=True, extra="forbid")
            assert "try again" in error["detail"]
            assert error["retry_after_s"] > 0
            form = aiohttp.FormData()
            form.add_field("image", PICTURE, filename="picture.jpg")
            async with http.post(f"{server.url}/pose", data=form) as refused:
                assert refused.status == 503
                assert int(refused.headers["Retry-After"]) > 0
                assert "try again" in (await refused.json())["detail"]
        await left_by_all(server)
        assert (await ask(waits, PICTURE))["frame"] == 1


async def test_a_socket_for_scores_waits(server, http):
    message = json.dumps({"frame_data": base64.b64encode(PICTURE).decode(), "timestamp": 5})
    path = "/api/ai/realtime"
    async with socket_to(server, path) as waits, socket_to(server, path) as first:
        for socket in (waits, first):
            assert (await receive(socket))["type"] == "welcome"
        await ask(first, PICTURE)
        error = await ask(waits, message)
        RealtimeError.model_validate(error, strict=True, extra="forbid")
        assert (error["type"], error["client_timestamp"]) == ("error", 5)
        assert error["retry_after_s"] > 0
        await first.close()
        await left_by_all(server)
        assert (await ask(waits, PICTURE))["frame"] == 1
