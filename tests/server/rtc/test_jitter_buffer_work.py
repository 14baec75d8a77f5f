"""How much is looked at for each packet, whatever a peer sends."""

import pytest

from server.rtc.jitter_buffer import (
    CAPACITY,
    VideoJitterBuffer,
)
from tests.server.rtc.packets import DELTA, H264, KEY, VP8, packet


@pytest.fixture
def buffer():
    return VideoJitterBuffer({VP8: "VP8", H264: "H264"}.__getitem__)


class CountedPacket:
    """A packet that knows how often its bytes were looked at."""

    def __init__(self, number):
        self.payload_type, self.marker, self.ssrc = VP8, 1, 1
        self.sequence_number, self.timestamp = number, number * 3000
        self.payload, self.looks = DELTA, 0

    @property
    def _data(self):
        self.looks += 1
        return self.payload


def test_what_waits_behind_a_hole_is_not_looked_through_with_each_packet(buffer):
    """Small frames behind one packet that never comes cost the event loop all of its time."""
    buffer.add(packet(1, 3000, marker=True, data=KEY), 0.0)
    assert len(buffer.take(0.0)) == 1
    waiting = [CountedPacket(number) for number in range(3, CAPACITY)]
    for each in waiting:
        buffer.add(each, 0.1)
        assert buffer.take(0.1) == []
    assert max(each.looks for each in waiting) < 20


def test_a_key_frame_behind_a_hole_that_only_the_next_one_ends(buffer):
    buffer.add(packet(1, 3000, marker=True, data=KEY), 0.0)
    assert len(buffer.take(0.0)) == 1
    buffer.add(packet(3, 6000, marker=True, data=DELTA), 0.1)
    for number, data in ((4, KEY), (5, b"rest")):
        buffer.add(packet(number, 9000, marker=False, data=data), 0.1)
        assert buffer.take(0.1) == []
    buffer.add(packet(6, 12_000, marker=False, data=DELTA), 0.1)
    assert [frame.data for frame in buffer.take(0.1)] == [KEY + b"rest"]


class TimedPacket(CountedPacket):
    """Says how often it was asked which frame it is of."""

    def __init__(self, number):
        self.asked = 0
        super().__init__(number)

    @property
    def timestamp(self):
        self.asked += 1
        return 6000

    @timestamp.setter
    def timestamp(self, _):
        pass


@pytest.mark.parametrize("twice", [False, True])
def test_a_large_frame_behind_a_hole_is_gone_through_once(buffer, twice):
    """And not with each of its packets, nor with one that comes again and again."""
    buffer.add(packet(1, 3000, marker=True, data=KEY), 0.0)
    assert len(buffer.take(0.0)) == 1
    waiting = [TimedPacket(number) for number in range(3, CAPACITY)]
    for each in waiting:
        each.marker = int(each is waiting[-1])
        buffer.add(each, 0.1)
        assert buffer.take(0.1) == []
    for _ in range(100 if twice else 0):
        buffer.add(waiting[-1], 0.1)
    assert sum(each.asked for each in waiting) < 20 * len(waiting)
