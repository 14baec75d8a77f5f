"""A Pi's own H264: its packets are used as they are, and what goes wrong with them stops nobody.

picamera2's software encoder stands for the hardware's: this machine has none.
"""

import asyncio

import av
import numpy as np
import pytest

from server.broadcast.broadcast import Broadcast
from server.camera.camera import Camera, CameraState
from server.camera.hooks import Hook
from server.camera.source import CameraError, Mode
from server.camera.timeouts import CameraTimeouts
from server.media.encoder import VIDEO_CLOCK_HZ, Codec
from tests.support import fake_pi
from tests.support.fake_pi import on_fake_pi
from tests.support.viewing import next_packet

pytestmark = on_fake_pi

MODE = Mode(320, 180, 50)
IMPATIENT = CameraTimeouts(silent_s=0.5, stops_s=5.0, first_pause_s=0.02, longest_pause_s=0.05)


@pytest.fixture
def picamera(pi, monkeypatch):
    """The module, on a Pi that has an encoder."""
    from picamera2 import encoders

    from server.camera import pi_encoder, picamera

    monkeypatch.setattr(pi_encoder, "_DEVICE", pi_encoder._DEVICE)
    monkeypatch.setattr(encoders, "H264Encoder", encoders.H264Encoder)
    fake_pi.install_encoder()
    return picamera


@pytest.fixture
def source(picamera):
    made = picamera.PiCamera(MODE)
    made.open()
    yield made
    made.close()
    made.release()


class Taken:
    """What an encoder delivers, decoded."""

    def __init__(self):
        self.packets, self.frames = [], []
        self.given_up = 0
        self._decoder = av.CodecContext.create("h264", "r")

    def __call__(self, packet):
        self.packets.append(packet)
        self.frames += self._decoder.decode(av.Packet(bytes(packet)))

    @property
    def profile(self):
        return self._decoder.profile

    def give_up(self):
        self.given_up += 1


def read_until(source, condition):
    captures = []
    for _ in range(200):
        captures.append(source.read())
        if condition():
            return captures
    raise AssertionError("it never came")


def test_packets_are_of_the_pictures_and_have_their_times(source):
    taken = Taken()
    source.encoder.start(1_000_000, taken, taken.give_up)
    captures = read_until(source, lambda: len(taken.packets) >= 10)
    assert taken.packets[0].is_keyframe
    assert not any(packet.is_keyframe for packet in taken.packets[1:])
    assert taken.profile == "Constrained Baseline"
    assert {(f.width, f.height) for f in taken.frames} == {(320, 180)}
    times = [packet.pts / VIDEO_CLOCK_HZ for packet in taken.packets]
    assert times == pytest.approx([c.captured_s for c in captures[: len(times)]], abs=1e-4)
    # Each is the picture of its time: the square is at the same place.
    for frame, capture in zip(taken.frames, captures, strict=False):
        decoded, taken_picture = (f.to_ndarray(format="gray")[95] for f in (frame, capture.frame))
        assert np.abs(decoded.astype(int) - taken_picture).mean() < 8


def test_a_key_frame_comes_although_forcing_one_raises(source, caplog):
    """picamera2's encoder sets a picture's type to "I", which PyAV refuses."""
    taken = Taken()
    source.encoder.start(1_000_000, taken, taken.give_up)
    read_until(source, lambda: len(taken.packets) >= 3)
    for _ in range(5):
        mark = len(taken.packets)
        source.encoder.request_key_frame()
        read_until(source, lambda m=mark: any(p.is_keyframe for p in taken.packets[m:]))
    assert "opening it anew" in caplog.text, "this version of picamera2 forces them well"
    assert taken.given_up == 0
    # It can all be decoded, on and on.
    mark = len(taken.frames)
    read_until(source, lambda: len(taken.frames) >= mark + 5)


def test_another_bitrate_begins_with_a_key_frame(source):
    taken = Taken()
    source.encoder.start(1_000_000, taken, taken.give_up)
    read_until(source, lambda: len(taken.packets) >= 3)
    source.encoder.start(300_000, taken, taken.give_up)
    read_until(source, lambda: sum(p.is_keyframe for p in taken.packets) == 2)
    assert source._encoder._encoder.bitrate == 300_000


def test_it_works_only_while_it_is_wanted(source):
    assert source.read()
    assert source._encoder._encoder is None
    taken = Taken()
    source.encoder.start(1_000_000, taken, taken.give_up)
    read_until(source, lambda: taken.packets)
    source.encoder.stop()
    source.read()
    assert source._encoder._encoder is None
    mark = len(taken.packets)
    source.read()
    assert len(taken.packets) == mark


def break_encoder(monkeypatch):
    from picamera2 import encoders

    class Broken(encoders.LibavH264Encoder):
        def _encode(self, stream, request):
            raise OSError("the device is gone")

    monkeypatch.setattr(encoders, "H264Encoder", Broken)


def test_one_that_does_not_work_is_given_up(picamera, monkeypatch):
    break_encoder(monkeypatch)
    source = picamera.PiCamera(MODE)
    source.open()
    taken = Taken()
    source.encoder.start(1_000_000, taken, taken.give_up)
    with pytest.raises(CameraError, match="the device is gone"):
        read_until(source, lambda: False)
    assert taken.given_up == 1
    source.release()


def test_without_the_device_there_is_none(pi):
    """As on a Pi 5, and on a machine that is no Pi, which picamera2 takes for a Pi 4."""
    from server.camera import pi_encoder

    assert not pi_encoder._DEVICE.exists()
    assert pi_encoder.hardware_encoder(20) is None


# ---- shared by many


@pytest.fixture
async def camera(picamera):
    made = Camera(lambda: picamera.PiCamera(MODE), timeouts=IMPATIENT)
    yield made
    await made.stop()


@pytest.fixture
async def broadcast(camera):
    made = Broadcast(camera, camera.packets)
    yield made
    made.close()


async def see(viewer, count=5):
    """Decode what comes from a key frame on."""
    decoder = av.CodecContext.create("h264", "r")
    packets, frames = [], []
    async with asyncio.timeout(60):
        while len(frames) < count:
            packets.append(await next_packet(viewer))
            frames += decoder.decode(av.Packet(bytes(packets[-1])))
    assert packets[0].is_keyframe
    return packets


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_viewers_of_h264_get_the_cameras_packets(camera, broadcast):
    first = broadcast.watch(Codec.H264)
    packets = await see(first)
    assert camera.status()["own_encoder"]
    # Its times count from its first picture, ours would not: they are the capture's own.
    assert all(packet.time_base.denominator == VIDEO_CLOCK_HZ for packet in packets)
    # One who comes later begins with a key frame, and both have the same packets.
    second = broadcast.watch(Codec.H264)
    of_second = await see(second)
    of_first = await see_until(first, of_second[-1])
    assert {id(p) for p in of_second} <= {id(p) for p in of_first}
    assert camera.status()["viewers"] == 1
    # VP8 is encoded here.
    third = broadcast.watch(Codec.VP8)
    async with asyncio.timeout(60):
        assert (await next_packet(third)).is_keyframe
    for viewer in (first, second):
        viewer.leave()
    assert not camera.status()["own_encoder"]


async def test_who_comes_to_a_camera_that_runs_already(camera, broadcast):
    camera.start()
    await until(lambda: camera.state is CameraState.RUNNING)
    viewer = broadcast.watch(Codec.H264)
    await see(viewer)
    assert camera.status()["own_encoder"]
    assert camera.starts == 1


async def see_until(viewer, last):
    packets = []
    async with asyncio.timeout(60):
        while not packets or packets[-1] is not last:
            packets.append(await next_packet(viewer))
    return packets


async def test_with_a_hook_pictures_are_encoded_here(picamera):
    """The camera's packets would show what it was before."""
    camera = Camera(lambda: picamera.PiCamera(MODE), Hook(lambda rgb: 255 - rgb), IMPATIENT)
    broadcast = Broadcast(camera, camera.packets)
    await see(broadcast.watch(Codec.H264))
    assert not camera.status()["own_encoder"]
    broadcast.close()
    await camera.stop()


async def test_its_packets_go_on_when_the_camera_was_away(pi, camera, broadcast):
    viewer = broadcast.watch(Codec.H264)
    await see(viewer)
    pi.set("unplugged")
    await until(lambda: camera.state is CameraState.FAILED)
    # What was under way still comes.
    while viewer._waiting:
        await next_packet(viewer)
    pi.clear("unplugged")
    await see(viewer)
    assert camera.status()["own_encoder"]


async def test_when_it_does_not_work_pictures_are_encoded_here(camera, broadcast, monkeypatch):
    break_encoder(monkeypatch)
    viewer = broadcast.watch(Codec.H264)
    await see(viewer)
    assert not camera.status()["own_encoder"]
    # Nobody tries again.
    viewer.leave()
    await see(broadcast.watch(Codec.H264))
    assert not camera.status()["own_encoder"]


async def test_the_bitrate_follows_the_viewers(camera, broadcast, monkeypatch):
    from server.broadcast import source_encoding as own_encoding

    monkeypatch.setattr(own_encoding, "BITRATE_EVERY_S", 0.1)
    viewer = broadcast.watch(Codec.H264)
    viewer.estimate = lambda: 500_000

    async def encoder_after(count):
        async with asyncio.timeout(60):
            for _ in range(count):
                await next_packet(viewer)
        return camera._own_packets._run.source._encoder._encoder

    encoder = None
    # While it is replaced, there is none.
    while encoder is None or encoder.bitrate != 500_000:
        encoder = await encoder_after(1)
    # A small change is not worth a key frame.
    viewer.estimate = lambda: 550_000
    assert await encoder_after(30) is encoder
