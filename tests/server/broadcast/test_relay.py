"""A publisher's frames as packets: their times on our clock, and when a key frame is asked for."""

import asyncio
import time
from types import SimpleNamespace

import numpy as np
import pytest

from server.broadcast.relay import Relay
from server.media.encoded_frame import EncodedFrame
from server.media.encoder import Codec
from server.rtc import incoming as module
from server.rtc.incoming import IncomingVideo
from server.sessions.shown_frames import ShownFrames
from server.watching.session_video import SessionVideo
from signaling.errors import NotFound


def frame(timestamp, *, key=False):
    return EncodedFrame("VP8", 96, b"data", timestamp, key)


def test_times_are_the_publishers_without_the_networks_jitter():
    relay, jitter = Relay(), np.random.default_rng(1).uniform(0, 0.1, 50)
    packets = [relay.packet(frame(n * 3000), 100 + n / 30 + jitter[n]) for n in range(50)]
    assert np.diff([packet.pts for packet in packets]) == pytest.approx(3000, abs=10)
    assert float(packets[0].pts * packets[0].time_base) == pytest.approx(100 + jitter[0], abs=1e-3)
    assert bytes(packets[0]) == b"data"


def test_a_key_frame_stays_one():
    relay = Relay()
    assert relay.packet(frame(0, key=True), 0.0).is_keyframe
    assert not relay.packet(frame(3000), 0.1).is_keyframe


def test_times_go_on_rising_when_a_publisher_comes_back():
    relay = Relay()
    before = [relay.packet(frame(n * 3000), 10 + n / 30) for n in range(5)]
    # Another connection: its times begin anew, after ten seconds and at once.
    later = [relay.packet(frame(n * 3000), 20 + n / 30) for n in range(5)]
    assert later[0].pts - before[-1].pts == pytest.approx(90_000 * (10 - 4 / 30), abs=2)
    soon = [relay.packet(frame(n * 3000), 20.2 + n / 30) for n in range(5)]
    times = [packet.pts for packet in (*before, *later, *soon)]
    assert np.diff(times).min() > 0


@pytest.mark.parametrize("drift", [-3e-4, 3e-4])
def test_a_publishers_clock_may_go_wrong_for_hours(drift):
    """Its times follow ours in steps that nobody sees."""
    relay, frames = Relay(), range(30 * 3 * 3600)
    times = np.array([relay.packet(frame(int(n * 3000 * (1 + drift))), n / 30).pts for n in frames])
    assert np.abs(times / 90_000 - np.array(frames) / 30).max() < 0.05
    assert np.diff(times) == pytest.approx(3000, abs=10)


def test_another_connection_soon_after_the_first_is_placed_by_its_arrival():
    relay = Relay()
    before = [relay.packet(frame(n * 3000), 10 + n / 30).pts for n in range(30)]
    relay.begin_anew()
    after = [relay.packet(frame(n * 3000), 11.5 + n / 30).pts for n in range(5)]
    assert after[0] - before[0] == pytest.approx(1.5 * 90_000, abs=2)
    assert np.diff(after) == pytest.approx(3000, abs=10)


class Asked(IncomingVideo):
    """Notes when the publisher is asked, who is away."""

    def __init__(self):
        super().__init__()
        self.connections = 1
        self.asked_s = []
        self.asked = asyncio.Event()

    def _ask(self):
        self.asked_s.append(time.monotonic())
        self.asked.set()
        super()._ask()

    async def next(self):
        self.asked.clear()
        await asyncio.wait_for(self.asked.wait(), 60)


async def test_a_key_frame_is_asked_for_at_once_and_then_once_a_second_until_it_comes():
    video = Asked()
    frames = []
    video.listen(frames.append)
    began_s = time.monotonic()
    for _ in range(20):
        video.request_key_frame()
    await video.next()
    await video.next()
    assert len(video.asked_s) == 2
    assert video.asked_s[1] - began_s >= module.KEY_FRAME_EVERY_S
    # It comes: what was asked for meanwhile is fulfilled.
    video.request_key_frame()
    video._take(frame(0))
    assert video._asking is not None
    video._take(frame(3000, key=True))
    assert video._asking is None
    assert len(frames) == 2
    video.request_key_frame()
    video.unlisten(frames.append)
    assert video._asking is None


async def test_where_there_never_was_a_publisher_nobody_is_asked():
    video = IncomingVideo()
    video.listen(print)
    assert video.request_key_frame() is False
    assert video._asking is None


async def test_who_has_left_asks_the_publisher_for_nothing():
    """RTCP still comes in while a connection is being closed."""
    video = Asked()
    told = []
    session = SimpleNamespace(
        incoming=video, pictures=ShownFrames("left", told.append, annotated=False)
    )
    shown = SessionVideo(session)
    viewer = shown.watch(Codec.VP8)
    viewer.leave()
    viewer.request_key_frame()
    assert video._asking is None
    shown.close()
    with pytest.raises(NotFound):
        shown.watch(Codec.VP8)
