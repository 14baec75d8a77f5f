"""What the app of the older WebRTC server does, against ``--preset monitor``.

It asks for signaling on the port itself, names who is filmed, ends its session, and sends a survey
and weights when it has the final result.
"""

import asyncio
import itertools
import json
import time

import aiohttp
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from tests.support import older_project
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack, offering

WITHIN_S = 60.0
FLAGS = ("--preset", "monitor", "--analyzers", COUNTER, "--workers", "1")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def server(tmp_path_factory, recordings):
    log = tmp_path_factory.mktemp("server")
    flags = (*FLAGS, "--max-sessions", "2", "--record-to", str(recordings))
    with running_server(log, *flags) as running:
        yield running


class App:
    """The app: one peer connection, one data channel, what came over it."""

    def __init__(self):
        self.connection = RTCPeerConnection()
        self.channel = self.connection.createDataChannel("data")
        self.messages = []
        self.came = asyncio.Event()
        self.channel.on("message", self._take)
        self.connection.addTrack(ColourTrack())

    def _take(self, text):
        self.messages.append(json.loads(text))
        self.came.set()

    async def connect(self, url):
        """Offer over a WebSocket."""
        with offering(["127.0.0.1"]):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = {"sdp": self.connection.localDescription.sdp, "type": "offer"}
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            await socket.send_json({"type": "offer", "data": offer})
            answer = await socket.receive_json(timeout=WITHIN_S)
        assert answer["type"] == "answer"
        await self.connection.setRemoteDescription(
            RTCSessionDescription(answer["data"]["sdp"], answer["data"]["type"])
        )
        return answer["data"]["session"]["id"]

    async def until(self, condition):
        """The first message that fulfils a condition."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for message in self.messages:
                    if condition(message):
                        return message
                self.came.clear()
                await self.came.wait()

    def say(self, message):
        self.channel.send(json.dumps(message))


@pytest.fixture
async def app():
    made = App()
    yield made
    await made.connection.close()


@pytest.mark.parametrize("path", ["", "/"])
async def test_signaling_is_on_the_port_itself(server, path, app):
    await app.connect(server.url.replace("http", "ws") + path)
    assert (await app.until(lambda m: "count" in m))["final"] is False
    async with aiohttp.ClientSession() as http, http.get(server.url) as response:
        assert response.content_type == "text/html", "and the page too"


async def test_a_survey_comes_after_the_final_result(server, app, recordings):
    sid = await app.connect(server.url)
    await app.until(lambda m: "count" in m)
    app.say({"ParticipantID": "A-17"})
    await app.until(lambda m: m.get("participant_id") == "A-17")
    app.channel.send("end session")
    final = await app.until(lambda m: m["final"])
    assert final["participant_id"] == "A-17", "the app sends nothing without it"
    survey = {"ParticipantID": "A-17", "PersonID": None, "surveyResult": {"sleep": 4, "mood": 2}}
    weight = {"ParticipantID": "A-17", "PersonID": None, "weightDataDict": {"Weight": 61.5}}
    app.say(survey)
    app.say(weight)
    app.say({"type": "ping", "t": 1})
    await app.until(lambda m: m.get("type") == "pong")
    kept = server.get(f"/sessions/{sid}")["notes"]
    assert [{k: v for k, v in n.items() if k != "received_at"} for n in kept] == [
        {"ParticipantID": "A-17"},
        survey,
        weight,
    ]
    assert not [m for m in app.messages if m.get("type") == "error"]
    # What is written is written when the session is over already.
    path = recordings / sid / "summary.json"
    deadline = time.monotonic() + WITHIN_S
    while not path.exists() or json.loads(path.read_text())["notes"] != kept:
        assert time.monotonic() < deadline, path.read_text() if path.exists() else "no summary"
        await asyncio.sleep(0.05)
    assert json.loads(path.read_text())["final"]["participant_id"] == "A-17"


async def test_results_come_at_most_twice_a_second(server, app):
    await app.connect(server.url)
    await app.until(lambda m: m.get("count", 0) > 60)
    times = [m["timestamp"] for m in app.messages if "count" in m]
    assert all(later - earlier > 400 for earlier, later in itertools.pairwise(times))
    app.say({"type": "rate", "hz": 0})
    mark = len(app.messages)
    await app.until(lambda m: len(app.messages) > mark + 20)


async def test_leaving_ends_the_session(server, app):
    sid = await app.connect(server.url)
    await app.until(lambda m: "count" in m)
    await app.connection.close()
    status = await asyncio.to_thread(
        server.wait_until, f"/sessions/{sid}", lambda s: s["state"] == "ended"
    )
    assert status["states"] == ["new", "streaming", "ending", "ended"]


async def test_of_those_that_stay_only_so_many_do(server):
    apps = [App() for _ in range(4)]
    for app in apps:
        await app.connect(server.url)
        await app.until(lambda m: "count" in m)
        app.channel.send("end session")
        await app.until(lambda m: m["final"])
    async with asyncio.timeout(WITHIN_S):
        while [a.channel.readyState for a in apps] != ["closed", "closed", "open", "open"]:
            await asyncio.sleep(0.05)
    for app in apps:
        await app.connection.close()


async def test_its_models_run_as_they_are(tmp_path, app):
    folder = older_project.write(tmp_path / "project")
    flags = ("--preset", "monitor", "--workers", "1", "--models", str(folder))
    with running_server(tmp_path, *flags) as server:
        assert list(server.get("/health")["analyzers"]) == ["Skin", "Pulse"]
        await app.connect(server.url)
        result = await app.until(lambda m: m.get("hr"))
        assert (result["from"], result["begun"], result["whole"]) == ("pulse", 0, True)
        assert result["hr"] % 2 == 0
        app.channel.send("end session")
        final = await app.until(lambda m: m["final"])
    assert (final["hr"], final["ended_at"], final["skin_end"]) == (61, None, None)
    assert not [m for m in app.messages if m.get("type") == "analyzer_error"]


async def test_a_page_of_elsewhere_gets_no_signaling_there(server):
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await http.ws_connect(server.url, headers={"Origin": "http://evil.example"})
    assert raised.value.status == 403
