"""More frames a second than are taken: dropped and counted, and nobody is cut off."""

import asyncio
import time

import pytest

from client_test.peer import ClientPeer
from tests.support import older_models, pictures
from tests.support.older_clients import receive, socket_to
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

LIMIT = 5
SENT_PER_S = 25
LASTS_S = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", f"{older_models.__name__}:Pose,{COUNTER}", "--workers", "1")
    with running_server(
        tmp_path_factory.mktemp("limit"), *flags, "--frames-per-second", str(LIMIT)
    ) as running:
        yield running


async def test_pictures_over_the_limit(server):
    picture = pictures.plain_jpeg(older_models.GREEN)
    answers = []
    async with socket_to(server, "/ws") as socket:

        async def read():
            while True:
                answers.append(await receive(socket))

        reading = asyncio.create_task(read())
        began = time.monotonic()
        for number in range(SENT_PER_S * LASTS_S):
            await asyncio.sleep(max(began + number / SENT_PER_S - time.monotonic(), 0))
            await socket.send(picture)
        # The socket lives, and a picture that comes in time is taken.
        mark = len(answers)
        async with asyncio.timeout(60):
            while len(answers) == mark:
                await asyncio.sleep(1 / LIMIT)
                await socket.send(picture)
        reading.cancel()
        took_s = time.monotonic() - began
    assert 2 <= len(answers) <= LIMIT * took_s + 3
    last = answers[-1]
    assert last["dropped"] == last["frame"] - len(answers)
    assert last["dropped"] > SENT_PER_S


async def test_video_over_the_limit(server):
    track = ColourTrack(fps=SENT_PER_S)
    async with ClientPeer(server.url, analyzers=["counter"]) as peer:
        await peer.connect(track)
        await peer.wait_for(lambda m: m.get("dropped", 0) > SENT_PER_S, 60)
        final = await peer.end()
    seen = final["total"]
    assert final["dropped"] > SENT_PER_S
    # As many frames as were not dropped were looked at, and they are about a fifth of all.
    assert seen + final["dropped"] <= track.sent
    assert seen < 0.4 * track.sent
