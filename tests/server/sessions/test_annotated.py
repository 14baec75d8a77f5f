"""Annotated frames, drawn by a real worker: in that very frame, and only while somebody looks."""

import asyncio
import contextlib
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest

from analyzers.registry import find
from server.broadcast.broadcast import Broadcast
from server.media.clock import TrackClock
from server.media.encoder import Codec
from server.media.picture import EncodedPicture
from server.sessions.metrics import Metrics
from server.sessions.session import Session
from server.workers.pool import WorkerPool
from tests.support import pictures, spot
from tests.support.server import COUNTER
from tests.support.spot import SIDE, SPOT, TOP
from tests.support.viewing import next_packet

WITHIN_S = 60.0
ASKED = ("spot", "counter")


class Played:
    """A session that gets a frame after each other, and what comes of them."""

    def __init__(self, pool, options=None):
        self.pool = pool
        self.session = Session(pool, ASKED, options or {}, Metrics())
        self.session.subscribers.add_sink(self)
        self.results = []
        self.notices = []
        self.captures = []
        self.came = asyncio.Event()
        self.size = (256, 128)
        self.as_pictures = False
        self._clock = TrackClock(self.session.clock)
        self._number = 0

    def result(self, result):
        self.results.append(result)
        self.came.set()

    def notice(self, message):
        self.notices.append(message)
        self.came.set()

    def final(self, result):
        self.came.set()

    def take(self, capture):
        self.captures.append(capture)
        self.came.set()

    def put(self):
        self._number += 1
        if self.as_pictures:
            data = pictures.jpeg(spot.picture(self._number, self.size))
            self.session.intake.put_picture(EncodedPicture.read(data, max_pixels=10**6))
        else:
            self.session.intake.put_frame(spot.frame(self._number, self.size), self._clock)

    async def until(self, condition):
        """Put frames, thirty a second, until something is so."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                self.put()
                self.came.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.came.wait(), 0.033)
                await asyncio.sleep(0)

    async def until_shown(self, count=1):
        wanted = len(self.captures) + count
        await self.until(lambda: len(self.captures) >= wanted)

    @property
    def shown(self):
        """The last annotated frame, (H, W, 3)."""
        return self.captures[-1].frame.to_ndarray(format="rgb24")

    def shared_memory(self):
        """Names of the shared memory that the worker has open."""
        return shared_memory(self.pool.workers[0].pid)


def shared_memory(pid):
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/dev/shm/(psm_\w+)", maps))


async def until_gone(names):
    async with asyncio.timeout(WITHIN_S):
        while any((Path("/dev/shm") / name).exists() for name in names):
            await asyncio.sleep(0.02)


@pytest.fixture
async def make_played():
    pools = []

    async def make(options=None, until_ready=True):
        pool = WorkerPool(1, find([SPOT, COUNTER]))
        pools.append(pool)
        pool.start()
        if until_ready:
            await asyncio.wait_for(pool.became_ready.wait(), WITHIN_S)
        return Played(pool, options)

    yield make
    for pool in pools:
        await pool.stop()


@pytest.fixture
async def played(make_played):
    made = await make_played()
    made.session.begin()
    yield made
    await made.session.end("the test is over")


async def test_what_was_found_is_drawn_into_that_very_frame_and_nothing_else(played):
    played.session.annotated.subscribe(played.take)
    await played.until_shown(10)
    for capture in played.captures:
        assert capture.frame.format.name == "yuv420p"
        rgb = capture.frame.to_ndarray(format="rgb24")
        x = spot.white_at(rgb)
        assert spot.red_at(rgb) == x >= 0
        raw = spot.frame(x // SIDE).to_ndarray(format="rgb24")
        difference = np.abs(rgb.astype(int) - raw).max(axis=-1)
        difference[TOP + SIDE : TOP + 2 * SIDE, x : x + SIDE] = 0
        # Colours of neighbours mix where chroma is halved.
        assert np.percentile(difference, 99) <= 4
    times = [capture.captured_s for capture in played.captures]
    assert times == sorted(set(times))


async def test_with_nobody_to_see_it_nothing_is_drawn(played):
    await played.until(lambda: len(played.results) >= 10)
    assert len(played.shared_memory()) == 1, "the frames that come in"
    played.session.annotated.subscribe(played.take)
    await played.until_shown()
    assert len(played.shared_memory()) == 2
    other = []
    played.session.annotated.subscribe(other.append)
    await played.until(lambda: other)
    played.session.annotated.unsubscribe(played.take)
    await played.until(lambda: len(other) > 3)
    assert len(played.shared_memory()) == 2
    played.session.annotated.unsubscribe(other.append)
    await played.until(lambda: len(played.shared_memory()) == 1)
    count = len(played.captures) + len(other)
    await played.until(lambda: len(played.results) >= 30)
    assert len(played.captures) + len(other) == count
    assert len(played.shared_memory()) == 1
    played.session.annotated.subscribe(played.take)
    await played.until_shown(3)


async def test_who_comes_before_the_worker_is_ready_sees_it_too(make_played):
    played = await make_played(until_ready=False)
    played.session.annotated.subscribe(played.take)
    played.session.begin()
    assert not played.pool.ready
    await played.until_shown(3)
    assert spot.red_at(played.shown) >= 0
    await played.session.end("seen")


async def test_a_worker_that_is_killed_draws_on_when_it_is_back(played):
    played.session.annotated.subscribe(played.take)
    await played.until_shown(3)
    before, pid = played.shared_memory(), played.pool.workers[0].pid
    os.kill(pid, signal.SIGKILL)
    await played.until(lambda: played.notices)
    assert played.notices[0]["type"] == "analyzers_restarted"
    await played.until_shown(3)
    assert spot.red_at(played.shown) == spot.white_at(played.shown) >= 0
    now = played.shared_memory()
    assert len(now) == 2
    (lost,) = before - now
    await until_gone([lost])
    times = [capture.captured_s for capture in played.captures]
    assert times == sorted(set(times))


async def test_a_draw_that_raises_is_told_once_and_costs_only_that(played):
    played.session.annotated.subscribe(played.take)
    await played.until_shown()
    played.session.configure({"spot": {"draw": "raise"}})
    await played.until(lambda: played.notices)
    await played.until_shown(10)
    assert spot.white_at(played.shown) >= 0
    assert spot.red_at(played.shown) == -1, "what was drawn before it raised is not there"
    assert played.notices == [
        {
            "type": "analyzer_error",
            "analyzer": "spot",
            "phase": "draw",
            "message": "ValueError: the brush is broken",
        }
    ]
    assert b"spot" in played.results[-1].encode(), "its results come all the same"
    played.session.configure({"spot": {"draw": None}})
    await played.until(lambda: spot.red_at(played.shown) >= 0)


async def test_a_draw_that_blocks_costs_the_second_time_that_analyzer(played):
    played.session.annotated.subscribe(played.take)
    played.session.configure({"spot": {"draw": "block"}})
    restarts = []

    def restarted():
        restarts[:] = [n for n in played.notices if n["type"] == "analyzers_restarted"]
        return len(restarts) == 2

    await played.until(restarted)
    assert "did not answer within 5 s in spot" in restarts[0]["message"]
    assert [each["analyzers"] for each in restarts] == [["spot", "counter"], ["counter"]]
    await played.until_shown(3)
    assert spot.white_at(played.shown) >= 0
    assert spot.red_at(played.shown) == -1


async def test_a_worker_that_is_told_to_go_leaves_nothing(capfd, make_played):
    played = await make_played()
    played.session.begin()
    played.session.annotated.subscribe(played.take)
    await played.until_shown(3)
    memory = played.shared_memory()
    played.session.disconnect()
    await played.pool.stop()
    await until_gone(memory)
    # What a worker leaves its resource tracker gives back, and complains.
    assert "leaked" not in capfd.readouterr().err


async def test_sizes_change_in_mid_session(played):
    played.session.annotated.subscribe(played.take)
    for size in ((256, 128), (640, 480), (321, 241), (256, 128)):
        played.size = size
        even = (size[0] & ~1, size[1] & ~1)
        await played.until(
            lambda wanted=even: (
                played.captures
                and (played.captures[-1].frame.width, played.captures[-1].frame.height) == wanted
            )
        )
        assert spot.red_at(played.shown) == spot.white_at(played.shown) >= 0


async def test_of_pictures_too(played):
    played.as_pictures = True
    played.session.annotated.subscribe(played.take)
    await played.until_shown(5)
    assert spot.red_at(played.shown) == spot.white_at(played.shown) >= 0


async def test_a_listener_that_raises_hurts_no_other(played, caplog):
    def failing(capture):
        raise ValueError("a fault of ours")

    played.session.annotated.subscribe(failing)
    played.session.annotated.subscribe(played.take)
    await played.until_shown(3)
    assert "could not be taken" in caplog.text


async def test_the_end_gives_all_memory_back(played):
    broadcast = Broadcast(played.session.annotated)
    viewer = broadcast.watch(Codec.H264)
    played.session.annotated.subscribe(played.take)
    await played.until_shown(3)
    packet = await next_packet(viewer)
    assert packet.is_keyframe
    memory = played.shared_memory()
    assert len(memory) == 2
    await played.session.end("over")
    count = len(played.captures)
    await until_gone(memory)
    assert played.shared_memory() == set()
    assert not memory & shared_memory("self")
    broadcast.close()
    played.session.annotated.unsubscribe(played.take)
    assert len(played.captures) == count
