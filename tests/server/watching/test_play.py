"""Watching by an offer that asks to play something, alone or while sending."""

import asyncio

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from client_test.ice_hosts import offering
from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

RED, BLUE = (200, 60, 30), (30, 60, 200)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("play"),
        *("--analyzers", COUNTER, "--workers", "1"),
        *("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25"),
    ) as running:
        yield running


class Player:
    """A peer that plays something, and may send something meanwhile."""

    def __init__(self):
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.channel = self.connection.createDataChannel("data")
        self.frame = None
        self.came = asyncio.Event()
        self.connection.on("track", self._take)
        self._reading = None

    def _take(self, track):
        self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track):
        try:
            while True:
                self.frame = await track.recv()
                self.came.set()
        except MediaStreamError:
            return

    async def offer(self, **keys):
        with offering(("127.0.0.1",)):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        local = self.connection.localDescription
        return {"sdp": local.sdp, "type": local.type, **keys}

    async def play(self, http, server, **keys):
        async with http.post(f"{server.url}/offer", json=await self.offer(**keys)) as answer:
            body = await answer.json()
            assert answer.status == 200, body
        await self.connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "answer"))
        return body["session"]

    async def see(self):
        """The next picture."""
        self.came.clear()
        await asyncio.wait_for(self.came.wait(), 60)
        return self.frame.to_ndarray(format="rgb24").astype(int)


@pytest.fixture
async def player():
    made = Player()
    yield made
    await made.connection.close()


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_who_only_watches_opens_no_session(server, player, http):
    player.connection.addTransceiver("video", "recvonly")
    assert await player.play(http, server, play="camera") is None
    picture = await player.see()
    assert picture.shape == (180, 320, 3)
    assert picture[90, 10] == pytest.approx([191, 191, 191], abs=25)
    assert server.get("/sessions")["sessions"] == []


async def test_sending_and_watching_on_one_connection(server, player, http):
    """One video section that goes both ways, as a browser's addTrack makes it."""
    player.connection.addTrack(ColourTrack(rgb=RED))
    session = await player.play(http, server, play="camera")
    assert (await player.see())[90, 10] == pytest.approx([191, 191, 191], abs=25)
    status = await asyncio.to_thread(
        server.wait_until, f"/sessions/{session['id']}", lambda s: s["analyzed"] >= 5
    )
    assert status["last_result"]["mean_rgb"] == pytest.approx(RED, abs=12)


async def test_sending_and_watching_in_two_sections(server, player, http):
    player.connection.addTransceiver(ColourTrack(rgb=RED), "sendonly")
    player.connection.addTransceiver("video", "recvonly")
    session = await player.play(http, server, play="camera")
    assert (await player.see())[90, 10] == pytest.approx([191, 191, 191], abs=25)
    await asyncio.to_thread(
        server.wait_until, f"/sessions/{session['id']}", lambda s: s["analyzed"] >= 5
    )


async def test_the_websocket_plays_what_another_publishes(server, player, http):
    async with ClientPeer(server.url, publish="yard") as publisher:
        await publisher.connect(ColourTrack(rgb=BLUE))
        player.connection.addTransceiver("video", "recvonly")
        async with http.ws_connect(f"{server.url}/signaling") as socket:
            await socket.send_json({"type": "offer", "data": await player.offer(play="yard")})
            answer = (await socket.receive_json())["data"]
            assert answer["session"] is None
            await player.connection.setRemoteDescription(
                RTCSessionDescription(answer["sdp"], "answer")
            )
            picture = await player.see()
        assert picture[60:].mean(axis=(0, 1)) == pytest.approx(BLUE, abs=12)
        await publisher.end()


@pytest.mark.parametrize(
    ("keys", "status", "says"),
    [
        ({"play": "nobody"}, 404, 'nothing is published as "nobody"'),
        ({"play": "camera/annotated"}, 404, "the camera is not being analyzed"),
    ],
)
async def test_what_is_not_there(server, player, http, keys, status, says):
    player.connection.addTransceiver("video", "recvonly")
    async with http.post(f"{server.url}/offer", json=await player.offer(**keys)) as answer:
        assert answer.status == status
        assert says in (await answer.json())["message"]
