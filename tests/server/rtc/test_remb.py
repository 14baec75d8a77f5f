"""What a sender is told of the bit rate that it may send."""

import random
from itertools import pairwise

import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCRtpReceiver
from aiortc.rate import RateCounter, RemoteBitrateEstimator

from server.rtc import receiving, remb

PACKET_BYTES = 1000
SENT_EVERY_MS = 10


class Line:
    """Packets, each later than the one before it by what is given."""

    def __init__(self):
        self.sent_ms = self.now_ms = 1_000_000

    def packets(self, seconds, *, every_ms=SENT_EVERY_MS):
        for _ in range(seconds * 1000 // SENT_EVERY_MS):
            self.sent_ms += SENT_EVERY_MS
            self.now_ms += every_ms
            yield {
                "arrival_time_ms": self.now_ms,
                "abs_send_time": int(self.sent_ms * 262.144) & 0xFFFFFF,
                "payload_size": PACKET_BYTES,
                "ssrc": 7,
            }


@pytest.fixture
def line(monkeypatch):
    line = Line()
    monkeypatch.setattr("aiortc.clock.current_ms", lambda: line.now_ms)
    return line


def told(estimator, packets):
    """When it tells the sender something, and what."""
    answers = [(packet["arrival_time_ms"], estimator.add(**packet)) for packet in packets]
    return [(at_ms, answer[0]) for at_ms, answer in answers if answer is not None]


async def test_a_sender_is_told_to_send_less_and_then_as_it_likes(line):
    transport = RTCDtlsTransport(
        RTCIceTransport(RTCIceGatherer()), [RTCCertificate.generateCertificate()]
    )
    receiver = RTCRtpReceiver("video", transport)
    receiving.on_encoded_frame(receiver, lambda frame: None)
    # What the receiver itself asks.
    estimator = receiver._RTCRtpReceiver__remote_bitrate_estimator
    assert told(estimator, line.packets(5))[-1][1] > 600_000
    receiving.limit_bitrate(receiver, 0.5)
    bound = [bitrate for _, bitrate in told(estimator, line.packets(5))]
    assert bound
    assert max(bound) == pytest.approx(400_000, rel=0.05)
    receiving.limit_bitrate(receiver, None)
    assert told(estimator, line.packets(5))[-1][1] > 600_000
    await receiver.stop()


def test_a_line_that_fills_is_told_of_now_and_then(line):
    """aiortc tells of it with every packet."""
    told_by_aiortc = told(RemoteBitrateEstimator(), line.packets(10, every_ms=13))
    assert len(told_by_aiortc) > 300
    line.sent_ms = line.now_ms = 1_000_000
    answers = told(remb.BoundedEstimator(RemoteBitrateEstimator()), line.packets(10, every_ms=13))
    # The first says that there is too much, as soon as aiortc's does.
    assert answers[0] == told_by_aiortc[0]
    for (before_ms, before), (after_ms, after) in pairwise(answers):
        assert after_ms - before_ms >= remb.TELL_EVERY_MS or after < remb.LESS * before
    assert 10 < len(answers) < 80


def test_a_sender_hears_at_once_that_it_is_to_send_less(line):
    estimator = remb.BoundedEstimator(RemoteBitrateEstimator())
    free = told(estimator, line.packets(5))
    crowded = told(estimator, line.packets(5, every_ms=13))
    first_less = next(at_ms for at_ms, bitrate in crowded if bitrate < remb.LESS * free[-1][1])
    unbound = RemoteBitrateEstimator()
    line.sent_ms = line.now_ms = 1_000_000
    before = told(unbound, line.packets(5))
    asked = told(unbound, line.packets(5, every_ms=13))
    assert first_less == next(
        at_ms for at_ms, bitrate in asked if bitrate < remb.LESS * before[-1][1]
    )


@pytest.mark.parametrize("seed", range(5))
def test_what_came_in_the_last_second_is_what_aiortc_counts(seed):
    chance = random.Random(seed)
    ours, theirs = remb.RateWindow(), RateCounter(1000, 8000)
    now_ms = 4_000_000_000_000
    for _ in range(2000):
        now_ms += chance.choice((0, 0, 1, 3, 33, 400, 1500) if seed else (0, 1))
        assert ours.rate(now_ms) == theirs.rate(now_ms)
        if chance.random() < 0.01:
            ours.reset()
            theirs.reset()
        size = chance.randrange(1, 1200)
        ours.add(size, now_ms)
        theirs.add(size, now_ms)
        assert ours.rate(now_ms) == theirs.rate(now_ms)
