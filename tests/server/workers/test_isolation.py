"""Models that are slow, block, or take their process down hurt nobody else."""

import asyncio
import contextlib
import itertools
import os
import signal

import pytest

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, FAULTY, running_server
from tests.support.tracks import ColourTrack

SPIN = "tests.support.models:Spin"


@contextlib.contextmanager
def ready_server(folder):
    with running_server(
        folder, *("--analyzers", f"{COUNTER},{FAULTY}", "--workers", "2")
    ) as running:
        running.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ready_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def forgiving_server(tmp_path):
    """One that holds nothing against a client yet."""
    with ready_server(tmp_path) as running:
        yield running


@pytest.fixture
async def two_peers(server):
    """Two sessions, each on a worker of its own."""
    async with ClientPeer(server.url) as first, ClientPeer(server.url) as second:
        for peer in (first, second):
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) >= 5)
        assert first.received[-1]["pid"] != second.received[-1]["pid"]
        yield first, second
        for peer in (first, second):
            await peer.end()


async def test_a_killed_worker_costs_its_sessions_counts_and_no_connection(server, two_peers):
    victim, other = two_peers
    before = victim.received[-1]
    os.kill(before["pid"], signal.SIGKILL)
    notice = await victim.wait_for(lambda m: m.get("type") == "analyzers_restarted", 60)
    assert "counter" in notice["analyzers"]
    after = await victim.wait_for(lambda m: m.get("pid", before["pid"]) != before["pid"], 60)
    assert after["count"] < before["count"] + 5, "counts begin again"
    assert after["frame"]["number"] > before["frame"]["number"], "frames go on"
    assert victim.states == ["new", "connecting", "connected"]
    at = other.received[-1]["count"]
    await other.wait_for(lambda m: m.get("count", 0) > at)
    assert not [m for m in other.received if "type" in m]
    assert server.metric("kinecast_worker_restarts") >= 1


async def test_an_analyzer_that_blocks_for_ever_is_left_out_and_the_rest_goes_on(server):
    blocked = ClientPeer(server.url, options={"faulty": {"frame": "block"}})
    async with blocked, ClientPeer(server.url) as other:
        await other.connect(ColourTrack())
        await blocked.connect(ColourTrack())
        await blocked.wait_for(lambda m: m.get("type") == "analyzers_restarted", 60)
        # Until then it never waited for the analyzer that blocks.
        before = itertools.takewhile(lambda m: "type" not in m, blocked.received)
        assert max(m.get("count", 0) for m in before) > 10
        last = await blocked.wait_for(lambda m: m.get("type") == "analyzer_error", 60)
        assert last["analyzer"] == "faulty"
        assert "left out" in last["message"]
        restarts = [m for m in blocked.received if m.get("type") == "analyzers_restarted"]
        await blocked.wait_for(
            lambda m: m.get("type") == "analyzers_restarted" and "faulty" not in m["analyzers"]
        )
        assert len(restarts) >= 1
        mark = blocked.received[-1].get("frame", {}).get("number", 0)
        await blocked.wait_for(lambda m: (m.get("frame") or {}).get("number", 0) > mark + 60, 60)
        await blocked.end()
        await other.wait_for(lambda m: m.get("count", 0) > 100)
        assert not [m for m in other.received if "type" in m]
        await other.end()


async def test_an_end_that_blocks_gives_a_final_result_all_the_same(server):
    async with ClientPeer(server.url, options={"faulty": {"end": "block"}}) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        final = await peer.end(timeout_s=60)
        assert final["count"] > 3


async def test_an_analyzer_that_ends_its_process_is_restarted(forgiving_server):
    async with ClientPeer(forgiving_server.url, options={"faulty": {"start": "exit"}}) as peer:
        await peer.connect(ColourTrack())
        notice = await peer.wait_for(lambda m: m.get("type") == "analyzers_restarted", 60)
        assert "status 3" in notice["message"]
        await peer.end(timeout_s=60)


async def test_an_analyzer_that_crashes_on_frames_is_left_out_and_the_rest_goes_on(
    forgiving_server,
):
    crashing = ClientPeer(forgiving_server.url, options={"faulty": {"frame": "exit"}})
    async with crashing, ClientPeer(forgiving_server.url) as other:
        await other.connect(ColourTrack())
        await other.wait_for(lambda m: m.get("count", 0) > 3)
        await crashing.connect(ColourTrack())
        said = await crashing.wait_for(lambda m: m.get("type") == "analyzer_error", 60)
        assert (said["analyzer"], said["phase"]) == ("faulty", "crash")
        assert "status 3" in said["message"]
        restarts = [m for m in crashing.received if m.get("type") == "analyzers_restarted"]
        assert len(restarts) <= 3
        await crashing.wait_for(lambda m: m.get("count", 0) > 30, 60)
        await crashing.end()
        # Whether it shared the worker or not, it lost no analyzer.
        assert not [m for m in other.received if m.get("type") == "analyzer_error"]
        await other.end()


async def test_slow_and_busy_models_do_not_slow_the_others(tmp_path):
    """Of 30 frames a second, the quick one sees many; the others as many as they can."""
    with running_server(
        tmp_path,
        *("--analyzers", f"mock_model_1,mock_model_2,{SPIN},{COUNTER}", "--workers", "1"),
    ) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: "fatigue" in m and "spin" in m, 60)
            start = peer.received[-1]
            async with asyncio.timeout(60):
                later = await peer.wait_for(
                    lambda m: m.get("frame", {}).get("number", 0) >= start["frame"]["number"] + 90
                )
            counted = later["count"] - start["count"]
            frames = later["frame"]["number"] - start["frame"]["number"]
            # If it had to wait for them it would see one in thirty.
            assert counted >= 0.2 * frames
            assert {"hr": later["hr"], "hrv": later["hrv"]} == {"hr": 65, "hrv": 105}
            # Slow ones' values are of earlier frames, and the result says of which.
            held = later["timing"]["held"]
            assert held["mock_model_2"] < later["frame"]["number"]
            assert "counter" not in held
            await peer.end(timeout_s=60)


async def test_a_slow_model_alone_gives_a_result_whenever_it_is_done(tmp_path):
    with running_server(
        tmp_path, "--analyzers", "mock_model_1,mock_model_2", "--workers", "1"
    ) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: "fatigue" in m, 60)
            numbers = [m["frame"]["number"] for m in peer.received if "frame" in m]
            assert numbers == sorted(set(numbers))
            assert len(numbers) >= 3, "mock_model_1 answers five times a second"
            await peer.end(timeout_s=60)
