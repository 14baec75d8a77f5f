"""A peer's video on its way to the worker: it comes back to now, and goes on from a key frame."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

STANDS_STILL_S = 3.0
# How old a frame may be when its result comes, on a machine that does other things meanwhile.
RECENT_S = 2.0
# On one that has no time for them at all.
ATTEMPTS = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, "--analyzers", COUNTER, "--workers", "1") as running:
        running.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
        yield running


class Ages:
    """How old the frames of results are when they come, in seconds, by this machine's clock."""

    def __init__(self):
        self.noted = []

    def __call__(self, result):
        if result["frame"] and not result["final"]:
            now_s = time.time()
            self.noted.append((now_s, now_s - result["frame"]["received_at"] / 1000))

    def first_since(self, at_s):
        return next((age for came_s, age in self.noted if came_s > at_s), None)


async def stand_still(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(STANDS_STILL_S)
        # What had been sent before it stopped has come by now.
        return time.time()
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_worker_that_stood_still_comes_back_to_now(server, codec):
    ages = Ages()
    peers = [ClientPeer(server.url, on_result=ages, codec=codec) for _ in range(3)]
    async with peers[0], peers[1], peers[2]:
        for peer in peers:
            await peer.connect(ColourTrack(size=(320, 240)))
        for peer in peers:
            await peer.wait_for(lambda m: m.get("count", 0) >= 10)
        before = peers[0].received[-1]
        for _ in range(ATTEMPTS):
            went_on_s = await stand_still(before["pid"])
            for peer in peers:
                count = peer.received[-1].get("count", 0)
                await peer.wait_for(lambda m, count=count: m.get("count", 0) > count)
            if max(age for came_s, age in ages.noted if came_s > went_on_s) < RECENT_S:
                break
        assert ages.first_since(went_on_s) < RECENT_S
        assert max(age for came_s, age in ages.noted if came_s > went_on_s) < RECENT_S
        after = await peers[0].wait_for(lambda m: m.get("count", 0) > before["count"] + 30)
        assert after["pid"] == before["pid"], "it was not replaced"
        # It was away for 90 frames, which nobody has seen.
        assert after["dropped"] - before["dropped"] > 30
        assert not [m for peer in peers for m in peer.received if "type" in m]


async def test_a_server_that_stood_still_comes_back_to_now(server):
    ages = Ages()
    async with ClientPeer(server.url, on_result=ages) as peer:
        await peer.connect(ColourTrack(size=(320, 240)))
        before = await peer.wait_for(lambda m: m.get("count", 0) >= 10)
        await stand_still(server.process.pid)
        later = before["frame"]["number"] + 60
        await peer.wait_for(lambda m: (m.get("frame") or {}).get("number", 0) > later)
        assert ages.noted[-1][1] < RECENT_S


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_replaced_worker_goes_on_from_a_key_frame(server, codec):
    async with ClientPeer(server.url, codec=codec) as peer:
        await peer.connect(ColourTrack())
        before = await peer.wait_for(lambda m: m.get("count", 0) >= 10)
        os.kill(before["pid"], signal.SIGKILL)
        after = await peer.wait_for(lambda m: m.get("pid", before["pid"]) != before["pid"], 60)
        await peer.wait_for(lambda m: m.get("count", 0) >= 30 and m["pid"] == after["pid"])
        told = [m["type"] for m in peer.received if "type" in m]
        assert told == ["analyzers_restarted"]


async def test_a_codec_that_changes_in_mid_session(server):
    async with ClientPeer(server.url, codec="VP8") as first:
        await first.connect(ColourTrack())
        await first.wait_for(lambda m: m.get("count", 0) >= 10)
        resume = first.session.resume
    async with ClientPeer(server.url, codec="H264", resume=resume) as second:
        await second.connect(ColourTrack(size=(320, 240)))
        assert second.session.id == first.session.id
        last = await second.wait_for(lambda m: m.get("count", 0) >= 40)
        assert (last["frame"]["width"], last["frame"]["height"]) == (320, 240)


def shared_memory(pid):
    return [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/psm_" in line]


async def test_no_shared_memory_is_taken_for_a_peers_video(server):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack(size=(640, 480)))
        result = await peer.wait_for(lambda m: m.get("count", 0) >= 10)
        assert shared_memory(server.process.pid) == shared_memory(result["pid"]) == []
