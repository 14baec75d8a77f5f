"""Packets that the source encodes itself: when key frames and other bitrates are asked for."""

import av
import pytest

from server.broadcast import source_encoding as module
from server.broadcast.broadcast import Broadcast
from server.broadcast.source_encoding import SourceEncoding
from server.media.bitrate import START_BITRATE
from server.media.encoder import Codec
from tests.support.viewing import next_packet


class Encoder:
    """A source's encoder, driven by the test."""

    def __init__(self):
        self.history = []
        self.take = self.given_up = None

    def start(self, bitrate, take, given_up):
        self.take, self.given_up = take, given_up
        self.history.append(("start", bitrate))

    def stop(self):
        self.history.append(("stop",))

    def change_bitrate(self, bitrate):
        self.history.append(("bitrate", bitrate))

    def request_key_frame(self):
        self.history.append(("key frame",))

    def deliver(self, key_frame=False):
        packet = av.Packet(b"picture")
        packet.is_keyframe = key_frame
        self.take(packet)
        return packet


class Clock:
    """Time that the test lets pass."""

    def __init__(self):
        self.now_s = 1000.0

    def monotonic(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def encoder():
    return Encoder()


def make(encoder, estimates=()):
    taken = []
    encoding = SourceEncoding(encoder, taken.append, lambda: list(estimates), lambda: None)
    return encoding, taken


def test_all_packets_are_handed_on_as_they_are(encoder, clock):
    encoding, taken = make(encoder)
    sent = [encoder.deliver(key_frame=True), encoder.deliver(), encoder.deliver()]
    assert all(a is b for a, b in zip(taken, sent, strict=True))
    encoding.stop()
    assert encoder.history == [("start", START_BITRATE), ("stop",)]


def test_key_frames_are_asked_for_once_a_second_at_most(encoder, clock):
    encoding, _ = make(encoder)
    # The first packet is one anyway.
    encoding.request_key_frame()
    encoder.deliver(key_frame=True)
    asked_s = []
    for _ in range(80):
        clock.now_s += 0.0625  # A step that adds up without rounding.
        encoding.request_key_frame()
        if encoder.history.count(("key frame",)) > len(asked_s):
            asked_s.append(clock.now_s - 1000.0)
            encoder.deliver(key_frame=True)
        else:
            encoder.deliver()
    assert asked_s == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])


def test_who_asked_too_early_gets_it_when_it_is_due(encoder, clock):
    encoding, _ = make(encoder)
    encoder.deliver(key_frame=True)
    encoding.request_key_frame()
    encoder.deliver()
    assert ("key frame",) not in encoder.history
    clock.now_s += 1.0
    encoder.deliver()
    encoder.deliver()
    assert encoder.history.count(("key frame",)) == 1


def test_one_that_comes_by_itself_is_what_was_asked_for(encoder, clock):
    encoding, _ = make(encoder)
    encoder.deliver(key_frame=True)
    encoding.request_key_frame()
    encoder.deliver(key_frame=True)
    clock.now_s += 10.0
    encoder.deliver()
    assert ("key frame",) not in encoder.history


def test_the_bitrate_follows_the_viewers_in_large_steps(encoder, clock):
    estimates = [1_000_000]
    make(encoder, estimates)

    def bitrates():
        return [what[1] for what in encoder.history if what[0] == "bitrate"]

    encoder.deliver(key_frame=True)
    assert bitrates() == []
    clock.now_s += module.BITRATE_EVERY_S
    encoder.deliver()
    assert bitrates() == [1_000_000]
    estimates[0] = 1_100_000
    clock.now_s += module.BITRATE_EVERY_S
    encoder.deliver()
    assert bitrates() == [1_000_000], "not worth a key frame"
    estimates[0] = 2_000_000
    encoder.deliver()
    assert bitrates() == [1_000_000], "not so soon"
    clock.now_s += module.BITRATE_EVERY_S
    encoder.deliver()
    assert bitrates() == [1_000_000, 2_000_000]


class Pictures:
    def __init__(self):
        self.listeners = []

    def subscribe(self, listener):
        self.listeners.append(listener)

    def unsubscribe(self, listener):
        self.listeners.remove(listener)


async def test_given_up_the_pictures_are_encoded_for_the_same_viewers(encoder):
    pictures = Pictures()
    asked = []

    def packets(codec):
        asked.append(codec)
        return encoder if codec is Codec.H264 else None

    broadcast = Broadcast(pictures, packets)
    viewer = broadcast.watch(Codec.H264)
    other = broadcast.watch(Codec.VP8)
    assert asked == [Codec.H264, Codec.VP8]
    assert len(pictures.listeners) == 1, "of VP8's encoder"
    encoder.deliver(key_frame=True)
    assert bytes(await next_packet(viewer)) == b"picture"
    encoder.given_up()
    assert len(pictures.listeners) == 2
    assert broadcast.viewers == 2
    viewer.leave()
    other.leave()
    assert pictures.listeners == []
    assert ("stop",) not in encoder.history, "it stopped by itself"
    broadcast.close()
