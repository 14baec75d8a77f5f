"""An analyzer that asks for every frame gets it; whoever runs beside it notices nothing."""

import asyncio
import os
import signal
from itertools import pairwise
from statistics import median

import pytest

from client_test.peer import ClientPeer
from tests.support.numbered import FPS, NumberedPictures
from tests.support.server import COUNTER, running_server

STEADY, EVERY = "tests.support.models:Steady", "tests.support.models:Every"
BESIDE = ("counter", "every")
QUICK, SLOW = {"every": {"takes_s": 0.02}}, {"every": {"takes_s": 0.2}}
WITHIN_S = 60.0
# On a machine that does something else meanwhile.
ATTEMPTS = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with running_server(
        folder, "--analyzers", ",".join((COUNTER, STEADY, EVERY)), "--workers", "1"
    ) as running:
        running.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
        yield running


async def end_of(peer, track):
    """The final result, once all that was sent before has been looked at, or left out."""
    final = await peer.end(WITHIN_S)
    track.stop()
    return final


def runs(numbers):
    """Lengths of the runs in which numbers rise by one, and of the gaps between them."""
    steps = [after - before for before, after in pairwise(numbers)]
    assert all(step > 0 for step in steps), "in order, none twice"
    gaps = [step - 1 for step in steps if step > 1]
    lengths, length = [], 1
    for step in steps:
        length = length + 1 if step == 1 else (lengths.append(length), 1)[1]
    return [*lengths, length], gaps


async def streamed(server, codec, count):
    """A session whose model has time for each frame: its peer, the track and the final result."""
    async with ClientPeer(server.url, codec=codec, analyzers=BESIDE, options=QUICK) as peer:
        track = NumberedPictures()
        await peer.connect(track)
        result = await peer.wait_for(lambda m: (m.get("every") or 0) >= count, WITHIN_S)
        assert result["timing"]["every_frame"]["every"]["lag_ms"] >= 0
        return peer, track, await end_of(peer, track)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_model_that_keeps_up_sees_every_frame_once_and_in_order(server, codec):
    for _ in range(ATTEMPTS):
        peer, track, final = await streamed(server, codec, 100)
        numbers = [number for number, _ in final["every_seen"]]
        notices = [m for m in peer.received if "type" in m]
        if not notices:
            break
        # The machine had no time for it for seconds, which is told, and nothing else is left out.
        assert {m["type"] for m in notices} == {"analyzer_lag"}
        assert min(runs(numbers)[1]) > 10
    assert not notices, "never in time"
    assert len(numbers) >= 100
    assert numbers == list(range(len(numbers)))
    times_ms = [time_ms for _, time_ms in final["every_seen"]]
    steps_ms = [after - before for before, after in pairwise(times_ms)]
    assert max(abs(step - 1000 / FPS) for step in steps_ms) < 0.1, "as the camera says"
    # What came, and had not been looked at when the end was asked for.
    told = final["timing"]["every_frame"]["every"]["dropped"]
    assert final["frame"]["number"] - len(numbers) <= told <= track.number + 1 - len(numbers)


async def test_one_that_is_too_slow_is_told_of_and_sees_whole_runs(server):
    slow = ClientPeer(server.url, codec="VP8", analyzers=BESIDE, options=SLOW)
    async with slow as peer, ClientPeer(server.url, codec="VP8", analyzers=["counter"]) as other:
        track, others = NumberedPictures(), NumberedPictures()
        await other.connect(others)
        await peer.connect(track)
        told = await peer.wait_for(lambda m: m.get("type") == "analyzer_lag", WITHIN_S)
        assert (told["analyzer"], told["state"]) == ("every", "behind")
        assert told["dropped"] > 0
        assert "too slow" in told["message"]
        # Until it leaves frames out, and again after that.
        await asyncio.to_thread(
            server.wait_until,
            f"/sessions/{peer.session.id}",
            lambda status: status["every_frame"]["every"]["lag_ms"] > 500,
        )
        await peer.wait_for(lambda m: (m.get("frame") or {}).get("number", 0) > 400, WITHIN_S)
        final, beside = await end_of(peer, track), await end_of(other, others)
    lengths, gaps = runs([number for number, _ in final["every_seen"]])
    assert len(gaps) >= 2
    # Most of them: where the machine does something else meanwhile, one may be cut short, or fewer
    # frames may have been sent. Each by itself is held in tests/server/workers, by a clock.
    assert median(lengths[:-1]) >= 5, "frames that follow each other"
    assert median(gaps) > 10, "left out in whole runs"
    every = final["timing"]["every_frame"]["every"]
    assert every["dropped"] >= sum(gaps)
    assert every["dropped"] > told["dropped"]
    notices = [m for m in peer.received if m.get("type") == "analyzer_lag"]
    assert notices == [told], "told once"
    # Whoever runs beside it sees as much as in a session that has no such analyzer.
    share, usual = (each["count"] / each["frame"]["number"] for each in (final, beside))
    assert share > 0.8 * usual
    assert not [m for m in other.received if "type" in m]


async def test_one_that_becomes_quick_enough_is_told_of_again(server):
    async with ClientPeer(server.url, codec="VP8", analyzers=BESIDE, options=SLOW) as peer:
        track = NumberedPictures()
        await peer.connect(track)
        await peer.wait_for(lambda m: m.get("state") == "behind", WITHIN_S)
        peer.send({"type": "configure", "options": {"every": {"takes_s": 0.0}}})
        again = await peer.wait_for(lambda m: m.get("state") == "in_time", WITHIN_S)
        assert again["analyzer"] == "every"
        assert again["dropped"] > 0
        final = await end_of(peer, track)
    assert final["timing"]["every_frame"]["every"]["dropped"] >= again["dropped"]


async def killed(server):
    """A session whose worker is killed: its peer, what it said before, and its final result."""
    async with ClientPeer(server.url, codec="H264", analyzers=BESIDE, options=QUICK) as peer:
        track = NumberedPictures()
        await peer.connect(track)
        before = await peer.wait_for(lambda m: (m.get("every") or 0) >= 20, WITHIN_S)
        os.kill(before["every_pid"], signal.SIGKILL)
        await peer.wait_for(lambda m: m.get("type") == "analyzers_restarted", WITHIN_S)
        after = await peer.wait_for(
            lambda m: m.get("every_pid", before["every_pid"]) != before["every_pid"], WITHIN_S
        )
        await peer.wait_for(lambda m: (m.get("every") or 0) >= after["every"] + 50, WITHIN_S)
        return peer, before, await end_of(peer, track)


async def test_a_killed_worker_costs_frames_that_are_told_of(server):
    for _ in range(ATTEMPTS):
        peer, before, final = await killed(server)
        if not [m for m in peer.received if m.get("type") == "analyzer_lag"]:
            break
    numbers = [number for number, _ in final["every_seen"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none skipped since"
    missed = numbers[0] - before["every"] - 1
    assert missed > 0
    # What it saw and had no time to tell of counts as not seen.
    assert final["timing"]["every_frame"]["every"]["dropped"] >= missed


async def test_nobody_is_asked_to_send_less(server):
    # Beside one that has time for twelve frames a second.
    async with ClientPeer(server.url, analyzers=["steady", "every"], options=QUICK) as peer:
        peer._optional_keys["pace"] = True
        track = NumberedPictures()
        await peer.connect(track)
        await peer.wait_for(lambda m: (m.get("every") or 0) >= 10 * FPS, WITHIN_S)
        assert not [m for m in peer.received if m.get("type") == "pace"]
        await end_of(peer, track)
