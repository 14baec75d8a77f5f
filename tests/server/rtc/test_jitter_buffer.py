"""Frames out of packets: in order, over losses, and what is asked of the sender meanwhile."""

import random
from collections import defaultdict
from fractions import Fraction

import av
import numpy as np
import pytest

from server.media.bitstream import is_key_frame
from server.rtc.jitter_buffer import (
    ASK_EVERY_S,
    ASKS,
    CAPACITY,
    DAMAGED_AFTER_S,
    GIVE_UP_AFTER_S,
    KEY_FRAME_AFTER_S,
    KEY_FRAME_EVERY_S,
    VideoJitterBuffer,
)
from tests.server.rtc.packets import DELTA, FRAME_S, H264, IDR, KEY, VP8, packet


@pytest.fixture
def buffer():
    return VideoJitterBuffer({VP8: "VP8", H264: "H264"}.__getitem__)


class Sender:
    """Makes frames of three packets, all of them remembered by their number."""

    def __init__(self, first=0):
        self.number = first
        self.frames = 0
        self.sent = {}

    def frame(self, *, key=False, payload_type=VP8):
        parts = [KEY if key else DELTA, b"%d" % self.frames, b"end"]
        if payload_type == H264:
            parts[0] = IDR if key else b"\x00\x00\x00\x01\x41"
        made = [
            packet(
                self.number + at,
                self.frames * 4500,
                marker=at == 2,
                data=data,
                payload_type=payload_type,
            )
            for at, data in enumerate(parts)
        ]
        self.sent |= {p.sequence_number: p for p in made}
        self.number += 3
        self.frames += 1
        return made


def feed(buffer, packets, now_s=0.0):
    for each in packets:
        buffer.add(each, now_s)
    return [frame.timestamp // 4500 for frame in buffer.take(now_s)]


def test_a_frame_is_complete_with_its_last_packet(buffer):
    sender = Sender()
    first, second, last = sender.frame(key=True)
    assert feed(buffer, [first]) == []
    assert feed(buffer, [second]) == []
    buffer.add(last, 0.0)
    (frame,) = buffer.take(0.0)
    assert frame.data == KEY + b"0end"
    assert (frame.codec, frame.payload_type, frame.timestamp) == ("VP8", VP8, 0)
    assert frame.is_key_frame
    assert not frame.is_damaged


def test_a_frame_has_the_temporal_layer_that_its_first_packet_names(buffer):
    sender = Sender()
    frames = []
    for key, payload in ((True, b"\x90\x20\xe0"), (False, b"\x90\x20\x60"), (False, b"\x90")):
        sent = sender.frame(key=key)
        sent[0].payload = payload
        for each in sent:
            buffer.add(each, 0.0)
        frames += buffer.take(0.0)
    assert [(frame.layer, frame.is_layer_sync) for frame in frames] == [
        # All of a key frame's builds on nothing.
        (0, False),
        (1, True),
        (0, False),
    ]


def test_without_a_marker_it_ends_where_the_next_begins(buffer):
    buffer.add(packet(1, 0, marker=False, data=KEY), 0.0)
    assert buffer.take(0.0) == []
    buffer.add(packet(2, 4500, marker=False, data=DELTA), 0.0)
    assert [frame.data for frame in buffer.take(0.0)] == [KEY]


def test_packets_out_of_order_and_twice_change_nothing(buffer):
    sender = Sender(first=65530)
    packets = [p for n in range(8) for p in sender.frame(key=n == 0)]
    shuffled = [packets[at ^ 1] for at in range(len(packets))]
    given = []
    for each in shuffled:
        given += feed(buffer, [each, each])
    # The first packet of all came second, and was known to be missing only when it was there.
    assert given == list(range(8))
    assert not buffer.wants_key_frame(10.0)


def test_padding_after_a_frame_is_no_frame(buffer):
    """Browsers probe the bandwidth with empty packets on the video's own stream."""
    frames = []
    for number, (timestamp, marker, data) in enumerate(
        [
            (100, False, KEY),
            (100, True, b"b"),
            (100, False, b""),
            (100, False, b""),
            (200, True, DELTA + b"c"),
            (200, False, b""),
            (300, True, DELTA + b"d"),
        ]
    ):
        buffer.add(packet(number, timestamp, marker=marker, data=data), 0.0)
        frames += buffer.take(0.0)
    assert [(f.timestamp, f.data) for f in frames] == [
        (100, KEY + b"b"),
        (200, DELTA + b"c"),
        (300, DELTA + b"d"),
    ]


def test_what_is_missing_is_asked_for_again_and_again(buffer):
    sender = Sender(first=65534)
    assert feed(buffer, sender.frame(key=True)) == [0]
    lost = sender.frame()
    assert feed(buffer, [lost[0], lost[2]]) == []
    assert buffer.wanted_packets(0.0) == [lost[1].sequence_number]
    assert buffer.wanted_packets(ASK_EVERY_S / 2) == []
    assert buffer.wanted_packets(ASK_EVERY_S) == [lost[1].sequence_number]
    assert feed(buffer, sender.frame(), ASK_EVERY_S) == []
    assert not buffer.wants_key_frame(ASK_EVERY_S)
    assert feed(buffer, [lost[1]], 2 * ASK_EVERY_S) == [1, 2]
    assert buffer.wanted_packets(9.0) == []
    assert not buffer.wants_key_frame(9.0)


def test_it_is_asked_for_so_often_and_then_only_waited_for(buffer):
    """Each ask over a long way is answered with the packet."""
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    lost = sender.frame()
    feed(buffer, [lost[0], lost[2]])
    times_s = [step * ASK_EVERY_S for step in range(round(GIVE_UP_AFTER_S / ASK_EVERY_S))]
    assert sum(len(buffer.wanted_packets(now_s)) for now_s in times_s) == ASKS
    assert feed(buffer, [lost[1]], times_s[-1]) == [1]


@pytest.mark.parametrize(("frames", "at_once"), [(4, False), (7, True)])
def test_more_video_than_a_key_frame_is_waited_for_is_made_good_by_one(buffer, frames, at_once):
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    for _ in range(frames):
        sender.frame()
    feed(buffer, sender.frame())
    assert buffer.wants_key_frame(0.0) == at_once
    assert buffer.wants_key_frame(KEY_FRAME_AFTER_S + KEY_FRAME_EVERY_S)
    # It may come again all the same.
    assert len(buffer.wanted_packets(0.0)) == 3 * frames


def test_more_video_than_is_waited_for_is_not_asked_for(buffer):
    """As after this process stood still: it would be sent all that it has slept through."""
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    before = sender.frame()
    for _ in range(round(GIVE_UP_AFTER_S / FRAME_S) + 5):
        sender.frame()
    # A packet before it was lost just now, which changes nothing.
    assert feed(buffer, [before[0], before[2], *sender.frame()]) == []
    assert buffer.wanted_packets(0.0) == []
    assert buffer.wants_key_frame(0.0)
    assert feed(buffer, sender.frame()) == []
    assert feed(buffer, sender.frame(key=True)) == [sender.frames - 1]
    assert buffer.wanted_packets(0.0) == []


def test_after_a_pause_what_is_lost_is_asked_for(buffer):
    """Of a sender that had nothing to send for long, a packet was lost or comes a little later."""
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    sender.frames += round(GIVE_UP_AFTER_S / FRAME_S) + 5
    late, *others = sender.frame()
    assert feed(buffer, others) == []
    assert buffer.wanted_packets(0.0) == [late.sequence_number]
    assert feed(buffer, [late]) == [sender.frames - 1]


@pytest.mark.parametrize("payload_type", [VP8, H264])
def test_a_key_frame_behind_a_loss_is_gone_on_from_at_once(buffer, payload_type):
    sender = Sender()
    feed(buffer, sender.frame(key=True, payload_type=payload_type))
    lost, held = sender.frame(payload_type=payload_type), sender.frame(payload_type=payload_type)
    assert feed(buffer, [*lost[1:], *held]) == []
    assert not buffer.wants_key_frame(KEY_FRAME_AFTER_S / 2)
    assert buffer.wants_key_frame(KEY_FRAME_AFTER_S)
    assert not buffer.wants_key_frame(KEY_FRAME_AFTER_S + KEY_FRAME_EVERY_S / 2)
    assert buffer.wants_key_frame(KEY_FRAME_AFTER_S + KEY_FRAME_EVERY_S)
    assert feed(buffer, sender.frame(key=True, payload_type=payload_type), 0.3) == [3]
    assert feed(buffer, lost, 0.3) == []
    assert feed(buffer, sender.frame(payload_type=payload_type), 0.3) == [4]
    assert not buffer.wants_key_frame(9.0)


def test_the_rest_of_a_key_frame_is_none(buffer):
    """The beginning of one is lost, and each of its slices looks like one."""
    sender = Sender()
    feed(buffer, sender.frame(key=True, payload_type=H264))
    _, *rest = sender.frame(key=True, payload_type=H264)
    slices = [packet(p.sequence_number, p.timestamp, marker=p.marker, data=IDR[-5:]) for p in rest]
    for each in slices:
        each.payload_type = H264
    assert feed(buffer, slices[:1]) == []
    assert feed(buffer, [], GIVE_UP_AFTER_S) == []
    assert feed(buffer, slices[1:], GIVE_UP_AFTER_S) == []
    assert feed(buffer, sender.frame(key=True, payload_type=H264), GIVE_UP_AFTER_S) == [2]


def test_a_sender_that_gives_no_key_frame_is_shown_damaged(buffer):
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    feed(buffer, sender.frame()[1:])
    given, asked = {}, 0
    for step in range(1, round(6.0 / FRAME_S)):
        now_s = step * FRAME_S
        buffer_given = feed(buffer, [], now_s)
        for each in sender.frame():
            buffer.add(each, now_s)
        for frame in buffer.take(now_s):
            given[now_s] = frame
        asked += buffer.wants_key_frame(now_s)
        assert buffer_given == []
    first_s = min(given)
    assert first_s == pytest.approx(GIVE_UP_AFTER_S + DAMAGED_AFTER_S, abs=2 * FRAME_S)
    assert all(frame.is_damaged for frame in given.values())
    assert asked == pytest.approx(6.0 / KEY_FRAME_EVERY_S, abs=1)
    buffer_given = feed(buffer, sender.frame(key=True), 7.0)
    assert len(buffer_given) == 1
    assert not buffer.wants_key_frame(9.0)


def test_who_joins_in_the_middle_waits_for_a_key_frame_and_asks_for_it(buffer):
    sender = Sender()
    assert feed(buffer, sender.frame()) == []
    assert buffer.wants_key_frame(0.0)
    assert feed(buffer, sender.frame(key=True)) == [1]


def test_packets_before_the_first_do_not_grow_either(buffer):
    number = 60_000
    for _ in range(100):
        buffer.add(packet(number, 0, marker=False, data=DELTA), 0.0)
        buffer.take(0.0)
        number -= CAPACITY - 1
    assert len(buffer._missing) <= CAPACITY


def test_a_dead_line_does_not_grow_and_a_new_sender_begins_anew(buffer):
    sender = Sender()
    feed(buffer, sender.frame(key=True))
    sender.frame()
    for _ in range(CAPACITY):
        feed(buffer, sender.frame())
    assert len(buffer._packets) <= CAPACITY
    other = Sender(first=40_000)
    packets = other.frame(key=True)
    for each in packets:
        each.ssrc = 2
    assert feed(buffer, packets) == [0]


@pytest.mark.parametrize("loss", [0.05, 0.15])
@pytest.mark.parametrize("retransmits", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_under_loss_what_is_given_is_whole_and_goes_on(buffer, loss, retransmits, seed):
    """A sender at the other end of a line that loses packets, and requests, both ways."""
    dice, sender = random.Random(seed), Sender()
    given, key_frame_due, resend = [], True, []
    decoded = -1
    for step in range(600):
        now_s = step * FRAME_S
        key, key_frame_due = key_frame_due, False
        arriving = [*resend, *sender.frame(key=key)]
        resend = []
        for each in arriving:
            if dice.random() < loss:
                continue
            buffer.add(each, now_s)
            for frame in buffer.take(now_s):
                if frame.is_damaged:
                    # All there is: each key frame was lost as well.
                    assert not retransmits
                    continue
                # Each builds on the one before it, key frames on none.
                assert frame.is_key_frame or frame.timestamp == decoded + 4500
                decoded = frame.timestamp
                given.append(decoded // 4500)
        wanted = buffer.wanted_packets(now_s)
        if retransmits and dice.random() >= loss:
            resend = [sender.sent[number] for number in wanted]
        if buffer.wants_key_frame(now_s) and dice.random() >= loss:
            key_frame_due = True
    if retransmits:
        # 20 frames are a second.
        assert np.diff([0, *given, 600]).max() <= 20
        assert len(given) > 550
    else:
        # Every third key frame is lost as well.
        assert len(given) > 50


@pytest.mark.parametrize("seed", range(10))
def test_over_a_long_way_what_is_sent_again_is_waited_for(buffer, seed):
    """The round trip takes 0.6 s, as by a satellite: key frames are there no sooner, nor whole."""
    dice, sender, loss = random.Random(seed), Sender(), 0.15
    way_steps = round(0.3 / FRAME_S)
    on_its_way, asked = defaultdict(list), defaultdict(list)
    given = []
    for step in range(600):
        now_s = step * FRAME_S
        numbers = asked.pop(step, [])
        again = [sender.sent[number] for number in numbers if number is not None]
        made = sender.frame(key=step == 0 or None in numbers)
        on_its_way[step + way_steps] = [p for p in [*again, *made] if dice.random() >= loss]
        for each in on_its_way.pop(step, []):
            given += feed(buffer, [each], now_s)
        wanted = [*buffer.wanted_packets(now_s), *[None] * buffer.wants_key_frame(now_s)]
        asked[step + way_steps] = [each for each in wanted if dice.random() >= loss]
    assert len(given) > 200
    # 20 frames are a second.
    assert np.diff([0, *given, 600]).max() <= 40


def test_key_frames_are_told_from_others():
    encoded: dict[str, list[bytes]] = {}
    options = {"libvpx": {"lag-in-frames": "0"}, "libx264": {"tune": "zerolatency"}}
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    for codec_name in options:
        codec = av.CodecContext.create(codec_name, "w")
        codec.width, codec.height, codec.pix_fmt = 64, 64, "yuv420p"
        codec.time_base = Fraction(1, 30)
        codec.options = options[codec_name]
        codec.thread_count = 1
        packets = []
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            packets += [bytes(p) for p in codec.encode(frame)]
        encoded[codec_name] = packets
    assert [is_key_frame("VP8", data) for data in encoded["libvpx"]] == [True, False, False]
    assert [is_key_frame("H264", data) for data in encoded["libx264"]] == [True, False, False]
    assert not is_key_frame("VP8", b"")
    assert not is_key_frame("H264", b"\x00\x00\x01")


def test_one_packet_from_long_ago_changes_nothing(buffer):
    """Browsers probe the bandwidth with packets that they sent before."""
    sender = Sender()
    for number in range(400):
        assert feed(buffer, sender.frame(key=number == 0)) == [number]
    assert feed(buffer, [sender.sent[9]]) == []
    assert feed(buffer, [sender.sent[8]]) == []
    assert feed(buffer, sender.frame()) == [400]
    assert not buffer.wants_key_frame(10.0)


def test_a_sender_that_counts_anew_is_followed_from_its_first_packet_on(buffer):
    sender = Sender(first=5000)
    feed(buffer, sender.frame(key=True))
    anew = Sender(first=100)
    assert feed(buffer, anew.frame(key=True)) == [0]
    assert feed(buffer, anew.frame()) == [1]
