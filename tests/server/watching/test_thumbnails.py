"""Small pictures of sessions: of one's own, new, and made once for all who look."""

import asyncio
import io
import json

import aiohttp
import pytest
from PIL import Image

from client_test.peer import ClientPeer
from server.security import tokens
from server.security.identity import Scope
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

SECRET = "s" * 40
# On a machine that does something else meanwhile.
ATTEMPTS = 10
TRAINER = "tests.support.trainer:Trainer"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", f"{COUNTER},{TRAINER}", "--workers", "1", "--auth-secret", SECRET)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def token(name):
    return tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600, name)


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def get(http, server, path, by="ann"):
    headers = {"Authorization": f"Bearer {token(by)}"}
    async with http.get(server.url + path, headers=headers) as response:
        return response.status, await response.read()


def colour(data):
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    return picture.size, picture.getpixel((80, 90))


async def test_what_a_session_shows_now(http, server):
    async with ClientPeer(server.url, token=token("ann")) as peer:
        track = ColourTrack(size=(640, 480), rgb=(200, 60, 30))
        await peer.connect(track)
        path = f"/sessions/{peer.session.id}/picture"
        await peer.wait_for(lambda message: "count" in message, 30)
        for _ in range(ATTEMPTS):
            answers = await asyncio.gather(*(get(http, server, path) for _ in range(5)))
            assert {status for status, _ in answers} == {200}
            # Between two of them it may have been time for a new one.
            if len({data for _, data in answers}) == 1:
                break
        assert len({data for _, data in answers}) == 1, "made once for all"
        size, shown = colour(answers[0][1])
        assert size == (320, 240)
        assert all(abs(a - b) < 25 for a, b in zip(shown, (200, 60, 30), strict=True))
        track._rgb = (20, 60, 200)
        async with asyncio.timeout(60):
            while colour((await get(http, server, path))[1])[1][2] < 150:
                await asyncio.sleep(0.1)
        assert (await get(http, server, path, "bob"))[0] == 403
        await peer.end()
    assert (await get(http, server, path))[0] == 204
    assert (await get(http, server, "/sessions/0123456789abcdef/picture"))[0] == 404


async def test_what_is_done_stands_in_the_list(http, server):
    async with ClientPeer(server.url, token=token("ann")) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda message: message.get("reps") == 3, 30)
        _, body = await get(http, server, "/sessions")
        (listed,) = json.loads(body)["sessions"]
        assert listed["doing"] == {"exercise": "squat", "reps": 3, "warnings": [], "framing": []}
        await peer.end()
