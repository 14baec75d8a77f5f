"""A camera that is shared: runs while it is wanted, comes back when it fails or hangs."""

import asyncio
import threading
import time
from dataclasses import replace

import av
import pytest

from server.camera import camera as module
from server.camera.camera import CameraState
from server.camera.source import CameraError, CameraUnavailable, Mode, Source
from server.camera.timeouts import CameraTimeouts
from server.media.capture import Capture


class Scripted(Source):
    """Does what the test says: delivers, fails, or hangs until it is closed or for ever."""

    backend = "scripted"

    def __init__(self, script):
        super().__init__(Mode(64, 48, 100))
        self.script = script
        self.closed = threading.Event()
        self.released = threading.Event()
        self.goes_on = threading.Event()
        self.count = 0

    def open(self):
        if self.script == "cannot open":
            raise CameraError("the cable is loose")
        if self.script == "gone":
            raise CameraUnavailable("there is no such camera")
        if self.script == "slow":
            assert self.goes_on.wait(30)

    def read(self):
        if self.closed.wait(0.01):
            raise CameraError("closed")
        self.count += 1
        if self.script == "fails" and self.count > 3:
            raise CameraError("the sensor failed")
        if self.script == "raises" and self.count > 3:
            raise ZeroDivisionError("a driver's bug")
        if self.script == "hangs" and self.count > 3:
            self.closed.wait()
            raise CameraError("closed")
        return Capture(av.VideoFrame(64, 48, "yuv420p"), time.monotonic())

    def close(self):
        self.closed.set()

    def release(self):
        self.released.set()


TIMEOUTS = CameraTimeouts(
    opens_s=10.0,
    silent_s=1.0,
    stops_s=2.0,
    lingers_s=0.1,
    first_pause_s=0.02,
    longest_pause_s=0.05,
)


def Camera(make_source, **timeouts):
    """One that is not waited for as long as it usually is."""
    return module.Camera(make_source, timeouts=replace(TIMEOUTS, **timeouts))


class Cameras:
    """Makes sources by a list of scripts, the last one over and over."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.made = []

    def __call__(self):
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if script == "missing":
            raise CameraUnavailable("nothing is plugged in")
        self.made.append(Scripted(script))
        return self.made[-1]


async def until(condition, within_s=60.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


async def test_it_runs_once_for_all_and_stops_after_the_last():
    made = Cameras("delivers")
    camera = Camera(made)
    first, second = [], []
    assert camera.state is CameraState.STOPPED
    camera.subscribe(first.append)
    camera.subscribe(second.append)
    await until(lambda: len(first) > 5 and len(second) > 5)
    assert camera.state is CameraState.RUNNING
    assert len(made.made) == 1
    camera.unsubscribe(first.append)
    await until(lambda: len(second) > 20)
    camera.unsubscribe(second.append)
    await until(lambda: camera.state is CameraState.STOPPED)
    await until(made.made[0].released.is_set)
    assert camera.latest is None


async def test_who_comes_back_in_time_finds_it_running():
    made = Cameras("delivers")
    camera = Camera(made)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: seen)
    camera.unsubscribe(seen.append)
    camera.subscribe(seen.append)
    await asyncio.sleep(3 * TIMEOUTS.lingers_s)
    assert camera.state is CameraState.RUNNING
    assert len(made.made) == 1
    await camera.stop()


async def test_pauses_grow_until_it_delivers_for_a_while(caplog):
    caplog.set_level("WARNING")
    made = Cameras(*["cannot open"] * 3, "fails", "delivers", "cannot open", "delivers")
    camera = Camera(made)
    camera.start()
    await until(lambda: camera.latest and made.made[-1].script == "delivers")
    await asyncio.sleep(2 * TIMEOUTS.longest_pause_s)
    made.made[-1].close()
    await until(lambda: len(made.made) == 7)
    pauses = [record.args[1] for record in caplog.records if "again in" in record.msg]
    # Three pictures do not make it well again.
    assert pauses == [0.02, 0.04, 0.05, 0.05, 0.02, 0.04]
    await camera.stop()


@pytest.mark.parametrize("fault", ["fails", "raises", "hangs", "cannot open"])
async def test_it_comes_back_and_viewers_stay(fault):
    made = Cameras(fault, fault, "delivers")
    camera = Camera(made)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: made.made[-1].script == "delivers" and made.made[-1].count > 3)
    await until(lambda: camera.state is CameraState.RUNNING)
    assert camera.status()["starts"] == 3
    assert camera.error is None
    mark = len(seen)
    await until(lambda: len(seen) > mark + 3)
    assert all(source.released.is_set() for source in made.made[:-1])
    await camera.stop()


async def test_a_driver_that_never_returns_is_left_behind():
    forever = threading.Event()
    made = Cameras("delivers")

    def make():
        source = made()
        if len(made.made) == 1:
            source.read = lambda: forever.wait()
        return source

    camera = Camera(make, opens_s=0.5, stops_s=0.05)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: seen)
    assert len(made.made) == 2
    forever.set()
    await camera.stop()


async def test_a_camera_that_is_not_there():
    camera = Camera(Cameras("missing"))
    with pytest.raises(CameraUnavailable, match="nothing is plugged in"):
        camera.start()
    assert camera.state is CameraState.UNAVAILABLE
    assert camera.status()["error"] == "nothing is plugged in"


async def test_one_that_is_gone_is_not_tried_again_until_asked_for():
    made = Cameras("gone", "delivers")
    camera = Camera(made)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: camera.state is CameraState.UNAVAILABLE)
    camera.start()
    await until(lambda: seen)
    await camera.stop()


def slow_to_close():
    """Makes cameras that close only when they are let go; with what was done to them."""
    made = Cameras("delivers")
    history, closing, let_go = [], threading.Event(), threading.Event()

    def release():
        closing.set()
        assert let_go.wait(60)
        history.append("released")

    def make():
        source = made()
        source.open, source.release = lambda: history.append("opened"), release
        return source

    return make, history, closing, let_go


async def test_who_comes_while_it_is_being_closed_gets_it_opened_again():
    make, history, closing, let_go = slow_to_close()
    camera = Camera(make)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: seen)
    camera.unsubscribe(seen.append)
    await until(closing.is_set)
    camera.subscribe(seen.append)
    mark = len(seen)
    # Long enough for a camera that would not wait to be opened.
    await asyncio.sleep(0.1)
    let_go.set()
    await until(lambda: len(seen) > mark + 3)
    assert history == ["opened", "released", "opened"]
    assert camera.state is CameraState.RUNNING
    await camera.stop()


async def test_stopped_and_started_time_and_again_it_is_opened_once_at_a_time():
    make, history, closing, let_go = slow_to_close()
    camera = Camera(make, stops_s=20.0)
    camera.start()
    await until(lambda: camera.state is CameraState.RUNNING)
    stopping = [asyncio.create_task(camera.stop())]
    await until(closing.is_set)
    # The second one is stopped before it could begin.
    camera.start()
    await asyncio.sleep(0)
    stopping.append(asyncio.create_task(camera.stop()))
    await asyncio.sleep(0)
    camera.start()
    # Long enough for a camera that would not wait to be opened.
    await asyncio.sleep(0.1)
    let_go.set()
    await asyncio.gather(*stopping)
    await until(lambda: camera.state is CameraState.RUNNING)
    assert history == ["opened", "released", "opened"]
    await camera.stop()


async def test_asked_for_it_is_tried_at_once():
    made = Cameras("cannot open", "delivers")
    camera = Camera(made, first_pause_s=60.0)
    camera.start()
    await until(lambda: camera.state is CameraState.FAILED)
    camera.start()
    await until(lambda: camera.state is CameraState.RUNNING)
    await camera.stop()


async def test_held_it_runs_for_nobody_until_it_is_stopped():
    made = Cameras("delivers")
    camera = Camera(made)
    camera.start()
    await until(lambda: camera.latest)
    seen = []
    camera.subscribe(seen.append)
    camera.unsubscribe(seen.append)
    await asyncio.sleep(3 * TIMEOUTS.lingers_s)
    assert camera.state is CameraState.RUNNING
    await camera.stop()
    assert camera.state is CameraState.STOPPED
    assert made.made[0].released.is_set()


async def test_stopped_it_stays_so_although_someone_watches():
    camera = Camera(Cameras("delivers"))
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: seen)
    await camera.stop()
    mark = len(seen)
    await asyncio.sleep(0.1)
    assert len(seen) == mark
    camera.start()
    await until(lambda: len(seen) > mark)
    await camera.stop()


async def test_a_viewer_that_raises_harms_no_other():
    camera = Camera(Cameras("delivers"))
    seen = []

    def broken(capture):
        raise RuntimeError("a viewer's bug")

    camera.subscribe(broken)
    camera.subscribe(seen.append)
    await until(lambda: len(seen) > 3)
    await camera.stop()


async def test_a_busy_event_loop_gets_the_newest_only():
    made = Cameras("delivers")
    camera = Camera(made)
    seen = []
    camera.subscribe(seen.append)
    await until(lambda: seen)
    mark, count = len(seen), made.made[0].count
    deadline_s = time.monotonic() + 60
    # The event loop is held up meanwhile: this is the fault that is tested.
    while made.made[0].count - count <= 10:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)  # noqa: ASYNC251
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(seen) - mark <= 2
    await camera.stop()


# ---- whoever starts it is answered when it is known how that went


async def started(camera):
    """Start it, and tell whether that was answered before the time was up."""
    camera.start()
    async with asyncio.timeout(60):
        await camera.wait_until_started(300)
    return camera.status()["running"]


async def test_who_starts_it_waits_for_the_first_picture():
    made = Cameras("slow")
    camera = Camera(made)
    camera.start()
    waiting = asyncio.create_task(camera.wait_until_started(300))
    async with asyncio.timeout(60):
        await until(lambda: made.made)
        assert not waiting.done()
        made.made[0].goes_on.set()
        await waiting
    assert camera.status()["running"] is True
    assert await started(camera), "of one that runs at once"
    await camera.stop()


@pytest.mark.parametrize("script", ["cannot open", "gone"])
async def test_who_starts_one_that_fails_does_not_wait_for_more(script):
    camera = Camera(Cameras(script))
    assert await started(camera) is False
    assert camera.error
    await camera.stop()


async def test_who_starts_one_that_has_failed_before_is_told_how_it_goes_now():
    camera = Camera(Cameras("cannot open", "delivers"))
    assert await started(camera) is False
    assert await started(camera) is True
    await camera.stop()


async def test_who_starts_one_that_is_stopped_meanwhile_waits_no_more():
    made = Cameras("slow")
    camera = Camera(made)
    camera.start()
    waiting = asyncio.create_task(camera.wait_until_started(300))
    async with asyncio.timeout(60):
        await until(lambda: made.made)
        stopping = asyncio.create_task(camera.stop())
        made.made[0].goes_on.set()
        await stopping
        await waiting
    assert camera.status()["running"] is False
