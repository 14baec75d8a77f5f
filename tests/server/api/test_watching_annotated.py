"""Watching a session annotated: one peer sends a clip, another sees the skeleton in it by WHEP."""

import asyncio
import os
import signal

import aiohttp
import numpy as np
import pytest

from analyzers.drawing.strokes import BLUE, ORANGE
from client_test.clip import ClipTrack
from client_test.peer import ClientPeer
from tests.support.server import ROOT, running_server
from tests.support.watcher import watcher

CLIP = ROOT / "sample-video.mp4"
# Pixels of the skeleton's colours: 1000 or more of each with it, 60 at most without.
MANY, FEW = 500, 150


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("annotated"), *flags) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def peer(server):
    async with ClientPeer(server.url) as made:
        await made.connect(ClipTrack(CLIP, loop=True))
        await made.wait_for(lambda m: m.get("has_pose"), 60)
        yield made


def coloured(frame):
    """How many pixels have the left side's colour, and the right one's."""
    rgb = frame.to_ndarray(format="rgb24").astype(int)
    return [int((np.abs(rgb - colour).max(axis=-1) < 45).sum()) for colour in (ORANGE, BLUE)]


async def test_the_skeleton_is_in_it_and_not_in_the_plain_video(server, http, peer):
    async with (
        watcher(server, f"{peer.session.id}/annotated") as annotated,
        watcher(server, f"{peer.session.id}/annotated", codec="VP8") as as_vp8,
        watcher(server, peer.session.id) as plain,
    ):
        for each in (annotated, as_vp8, plain):
            await each.watch(http)
        for each in (annotated, as_vp8, plain):
            await each.wait_for(5)
        assert min(coloured(annotated.frames[-1])) > MANY
        assert min(coloured(as_vp8.frames[-1])) > MANY
        assert max(coloured(plain.frames[-1])) < FEW
        assert (annotated.frames[-1].width, annotated.frames[-1].height) == (640, 480)


async def test_it_goes_on_after_the_worker_was_killed_and_ends_with_the_session(server, http, peer):
    async with watcher(server, f"{peer.session.id}/annotated") as annotated:
        await annotated.watch(http)
        await annotated.wait_for(3)
        os.kill(server.get("/health")["workers"][0]["pid"], signal.SIGKILL)
        await peer.wait_for(lambda m: m.get("type") == "analyzers_restarted", 60)
        mark = len(annotated.frames)
        # Loading models on a busy machine takes its time.
        async with asyncio.timeout(60), annotated.came:
            await annotated.came.wait_for(lambda: len(annotated.frames) >= mark + 5)
        assert min(coloured(annotated.frames[-1])) > MANY
        await peer.end(timeout_s=20)
        await asyncio.wait_for(annotated.ended.wait(), 60)
    gone = await http.post(
        f"{server.url}/whep/{peer.session.id}/annotated",
        data="v=0",
        headers={"Content-Type": "application/sdp"},
    )
    assert gone.status == 404
