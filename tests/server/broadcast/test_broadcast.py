"""Encoded once for all: who joins, who is slow, who asks for key frames, and at what bitrate."""

import asyncio
import time

import av
import numpy as np
import pytest

from server.broadcast import encoding as module
from server.broadcast.broadcast import Broadcast
from server.broadcast.viewer import MAX_WAITING
from server.media.bitrate import LEAST_BITRATE, MOST_BITRATE, START_BITRATE, choose_bitrate
from server.media.capture import Capture
from server.media.encoder import Codec, Encoder
from signaling.errors import NotFound
from tests.support.viewing import Over, next_packet

CODECS = [Codec.H264, Codec.VP8]
DECODERS = {Codec.H264: "h264", Codec.VP8: "vp8"}


def picture(number, width=160, height=120):
    rows, columns = np.mgrid[0:height, 0:width]
    rgb = np.stack([rows, columns, np.full_like(rows, number * 9)], -1) % 256
    return av.VideoFrame.from_ndarray(rgb.astype(np.uint8), format="rgb24")


class Pictures:
    """A camera's side of it, driven by the test."""

    def __init__(self):
        self.listeners = []
        self.number = 0

    def subscribe(self, listener):
        self.listeners.append(listener)

    def unsubscribe(self, listener):
        self.listeners.remove(listener)

    def show(self, width=160, height=120):
        self.number += 1
        capture = Capture(picture(self.number, width, height), self.number / 20)
        for listener in self.listeners:
            listener(capture)


@pytest.fixture
def pictures():
    return Pictures()


@pytest.fixture
def broadcast(pictures):
    made = Broadcast(pictures)
    yield made
    made.close()


@pytest.mark.parametrize("codec", CODECS)
async def test_what_comes_can_be_decoded_from_its_first_packet(pictures, broadcast, codec):
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    viewer = broadcast.watch(codec)
    levels, times = [], []
    for _ in range(5):
        pictures.show()
        packet = await next_packet(viewer)
        times.append(float(packet.pts * packet.time_base))
        frames = decoder.decode(av.Packet(bytes(packet)))
        levels += [frame.to_ndarray(format="rgb24")[..., 2].mean() for frame in frames]
    assert np.diff(times) == pytest.approx(0.05, abs=1e-3)
    assert levels == pytest.approx([9, 18, 27, 36, 45], abs=6)


async def test_all_get_the_very_same_packets(pictures, broadcast):
    viewers = [broadcast.watch(Codec.H264) for _ in range(3)]
    assert len(pictures.listeners) == 1
    for _ in range(3):
        pictures.show()
        packets = [await next_packet(viewer) for viewer in viewers]
        assert packets[0] is packets[1] is packets[2]


async def test_two_codecs_have_an_encoder_each(pictures, broadcast):
    viewers = [broadcast.watch(codec) for codec in CODECS]
    assert len(pictures.listeners) == 2
    for _ in range(3):
        pictures.show()
        first, second = [await next_packet(viewer) for viewer in viewers]
        assert bytes(first) != bytes(second)
    # A key frame that one codec's viewers ask for is none for the other's.
    assert not first.is_keyframe
    assert not second.is_keyframe


async def test_with_the_last_viewer_the_encoder_goes(pictures, broadcast):
    viewers = [broadcast.watch(Codec.VP8) for _ in range(2)]
    viewers[0].leave()
    assert len(pictures.listeners) == 1
    viewers[1].leave()
    viewers[1].leave()
    assert pictures.listeners == []
    assert broadcast.viewers == 0
    with pytest.raises(Over):
        await next_packet(viewers[0])


async def test_who_joins_begins_with_a_key_frame(pictures, broadcast, monkeypatch):
    monkeypatch.setattr(module, "KEY_FRAME_EVERY_S", 0.0)
    first = broadcast.watch(Codec.H264)
    for _ in range(3):
        pictures.show()
        packet = await next_packet(first)
    assert not packet.is_keyframe
    second = broadcast.watch(Codec.H264)
    pictures.show()
    assert (await next_packet(second)).is_keyframe


async def test_key_frames_are_shared_and_at_most_one_a_second(pictures, broadcast):
    viewers = [broadcast.watch(Codec.VP8) for _ in range(2)]
    keys, began = [], time.monotonic()
    while time.monotonic() - began < 2.5:
        for viewer in viewers:
            viewer.request_key_frame()
        pictures.show()
        packets = [await next_packet(viewer) for viewer in viewers]
        if packets[0].is_keyframe:
            keys.append(time.monotonic())
    assert 2 <= len(keys) <= 4
    assert min(np.diff(keys)) > 0.9


async def test_a_slow_viewer_skips_to_a_key_frame_and_slows_nobody(
    pictures, broadcast, monkeypatch
):
    monkeypatch.setattr(module, "KEY_FRAME_EVERY_S", 0.0)
    quick, slow = broadcast.watch(Codec.H264), broadcast.watch(Codec.H264)
    count = 3 * MAX_WAITING
    for _ in range(count):
        pictures.show()
        await next_packet(quick)
    assert slow.skipped > 0
    taken = [await next_packet(slow)]
    assert taken[0].is_keyframe
    # From there on nothing is missing, or what comes could not be decoded.
    last = await next_packet(quick) if quick._waiting else None
    assert last is None
    times = [taken[0].pts]
    while slow._waiting:
        times.append((await next_packet(slow)).pts)
    assert np.diff(times) == pytest.approx(4500, abs=2)
    assert len(times) <= MAX_WAITING


async def test_a_new_size_is_a_new_beginning(pictures, broadcast):
    viewer = broadcast.watch(Codec.H264)
    decoder = av.CodecContext.create("h264", "r")
    sizes = []
    for width, height in ((160, 120), (160, 120), (321, 241), (321, 241)):
        pictures.show(width, height)
        packet = await next_packet(viewer)
        sizes += [(f.width, f.height) for f in decoder.decode(av.Packet(bytes(packet)))]
    assert sizes == [(160, 120), (160, 120), (320, 240), (320, 240)]


@pytest.mark.parametrize("codec", CODECS)
def test_the_bitrate_is_kept_and_changed(codec):
    encoder = Encoder(codec, 1_000_000)
    random = np.random.default_rng(1)
    noise = [random.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(10)]
    sizes = {}
    for bitrate in (1_000_000, 300_000):
        encoder.bitrate = bitrate
        sizes[bitrate] = 0
        for n in range(60):
            frame = av.VideoFrame.from_ndarray(noise[n % 10], format="rgb24")
            # Soft noise: nothing could be compressed otherwise.
            frame = frame.reformat(width=80, height=60).reformat(width=320, height=240)
            time_s = (n + 60 * len(sizes)) / 30
            packets = encoder.encode(frame, time_s, key_frame=False)
            sizes[bitrate] += sum(p.size for p in packets) * (n >= 20)
    assert sizes[300_000] < 0.6 * sizes[1_000_000]


def test_the_bitrate_follows_the_better_half():
    assert choose_bitrate([]) == START_BITRATE
    assert choose_bitrate([1_000_000]) == 1_000_000
    assert choose_bitrate([100_000, 1_500_000, 2_500_000, 3_000_000]) == 2_500_000
    assert choose_bitrate([1_000]) == LEAST_BITRATE
    assert choose_bitrate([10**9]) == MOST_BITRATE


async def test_a_key_frame_that_failed_is_made_of_the_next_picture(
    pictures, broadcast, monkeypatch
):
    monkeypatch.setattr(module, "KEY_FRAME_EVERY_S", 0.0)
    first = broadcast.watch(Codec.H264)
    pictures.show()
    await next_packet(first)
    encode = Encoder.encode

    def fail(self, frame, time_s, *, key_frame):
        assert key_frame
        monkeypatch.setattr(Encoder, "encode", encode)
        raise ValueError("once")

    monkeypatch.setattr(Encoder, "encode", fail)
    second = broadcast.watch(Codec.H264)
    pictures.show()
    encoding = broadcast._feeds._feeds[Codec.H264]._encoding
    async with asyncio.timeout(60):
        await encoding._newest._task
    pictures.show()
    assert (await next_packet(second)).is_keyframe


async def test_who_joins_while_a_key_frame_is_made_begins_with_that_one(
    pictures, broadcast, monkeypatch
):
    monkeypatch.setattr(module, "KEY_FRAME_EVERY_S", 0.0)
    broadcast.watch(Codec.H264)
    pictures.show()
    # It is being encoded from now on.
    await asyncio.sleep(0)
    second = broadcast.watch(Codec.H264)
    assert (await next_packet(second)).is_keyframe
    pictures.show()
    assert not (await next_packet(second)).is_keyframe


async def test_once_closed_nobody_joins(pictures):
    """A peer may still be negotiating when what it wants to see ends."""
    broadcast = Broadcast(pictures)
    broadcast.close()
    with pytest.raises(NotFound):
        broadcast.watch(Codec.VP8)
    assert pictures.listeners == []
