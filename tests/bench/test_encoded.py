"""A clip that is encoded beforehand decodes cleanly from wherever it is begun anew."""

import asyncio

import av
import numpy as np
import pytest

from bench.harness import barcode, encoded
from bench.harness.encoded import GROUP_FRAMES, EncodedTrack
from bench.harness.stamped import HEIGHT, load_stamped

GROUPS = 2
# Of a picture's luma, on average: what VP8 at this bitrate takes away, and no more.
MAX_ERROR = 8.0


@pytest.fixture(scope="module")
def ring():
    return load_stamped(count=GROUPS * GROUP_FRAMES)


@pytest.fixture(scope="module")
def packets(ring):
    return encoded.encode(ring)


class Recorded(EncodedTrack):
    """Keeps what it is to send."""

    def __init__(self, packets, group=0):
        super().__init__(packets, group)
        self.sent = []
        self.has_room = True

    def send(self, packet):
        if self.has_room:
            self.sent.append(bytes(packet))
        return self.has_room

    def steps(self, count):
        for _ in range(count):
            self._send_next(0)


def assert_clean(sent, ring, numbers):
    decoder = av.CodecContext.create("vp8", "r")
    pictures = [frame for data in sent for frame in decoder.decode(av.Packet(data))]
    luma = [frame.to_ndarray(format="yuv420p")[:HEIGHT] for frame in pictures]
    assert [barcode.read(picture) for picture in luma] == numbers
    for picture, number in zip(luma, numbers, strict=True):
        error = np.abs(picture.astype(int) - ring[number][:HEIGHT])
        assert error.mean() < MAX_ERROR, number


async def test_a_key_frame_that_is_asked_for_comes_with_the_next_frame(ring, packets):
    track = Recorded(packets)
    track.steps(5)
    track.begin_anew()
    track.steps(5)
    track.begin_anew()
    track.steps(5)
    second = GROUP_FRAMES
    numbers = [*range(5), *range(second, second + 5), *range(5)]
    assert_clean(track.sent, ring, numbers)
    assert track.frames_sent == 15
    assert set(track.sent_at_s) == set(numbers)


async def test_it_goes_round(ring, packets):
    track = Recorded(packets, group=GROUPS - 1)
    track.steps(GROUP_FRAMES + 3)
    first = (GROUPS - 1) * GROUP_FRAMES
    assert_clean(track.sent, ring, [*range(first, len(ring)), 0, 1, 2])


async def test_a_frame_that_was_not_sent_is_followed_by_a_key_frame(ring, packets):
    track = Recorded(packets)
    track.steps(3)
    track.has_room = False
    track.steps(1)
    track.has_room = True
    track.steps(2)
    assert_clean(track.sent, ring, [0, 1, 2, GROUP_FRAMES, GROUP_FRAMES + 1])


def test_a_file_keeps_them(tmp_path):
    clip = [b"a key frame", b"", b"x" * 70_000]
    encoded.save(clip, tmp_path / "clip")
    assert encoded.load(tmp_path / "clip") == clip


async def test_it_ends(packets):
    track = Recorded(packets)
    track.flow()
    await asyncio.sleep(0)
    track.stop()
    with pytest.raises(asyncio.CancelledError):
        await track._sending
