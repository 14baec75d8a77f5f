"""The decoding thread: every frame in order, bounds on what waits, and sessions in turn."""

import contextlib
import queue
import threading
import time
from dataclasses import replace

import pytest

from server.workers import decoding
from server.workers.decoding import Decoding
from server.workers.messages import DECODING
from server.workers.video_decoder import NotDecoded
from tests.server.workers.coded import layered, video

WITHIN_S = 60.0
PLENTY = 4096 * 4096


class Note:
    """Who the thread works for; may hold it up there."""

    def __init__(self):
        self.begun = []
        self.gate = threading.Event()
        self.gate.set()
        self.at_gate = queue.Queue()

    def begin(self, sid):
        self.begun.append(sid)
        self.at_gate.put(sid)
        assert self.gate.wait(WITHIN_S)

    def done(self):
        self.begun.append(None)


class Watched:
    """A decoding thread, and what it says."""

    def __init__(self):
        self.note = Note()
        self.shown = queue.Queue()
        self.asked = queue.Queue()
        self.decoding = Decoding(
            lambda sid, frame: self.shown.put((sid, frame.info.number)),
            self.asked.put,
            self.note,
            PLENTY,
            contextlib.nullcontext,
        )

    def put(self, frames):
        for frame in frames:
            self.decoding.put(frame)

    def next(self):
        return self.shown.get(timeout=WITHIN_S)

    def hold_at(self, frame):
        """Let it begin with a frame, and keep it there."""
        self.note.gate.clear()
        self.put([frame])
        self.note.at_gate.get(timeout=WITHIN_S)


@pytest.fixture
def watched():
    return Watched()


def now():
    return time.monotonic()


def fresh():
    """When a frame came that does not get old during the test."""
    return now() + 600.0


def test_frames_are_shown_in_order(watched):
    watched.put(video("VP8", 5, received_s=fresh()))
    assert [watched.next() for _ in range(5)] == [("a", number) for number in range(1, 6)]
    assert watched.asked.empty()
    assert watched.note.begun == ["a", None] * 5


def test_a_frame_has_the_size_of_its_picture(watched):
    seen = queue.Queue()
    watched.decoding._show = lambda sid, frame: seen.put(frame)
    watched.put(video("H264", 1, (66, 50), received_s=fresh()))
    frame = seen.get(timeout=WITHIN_S)
    assert (frame.info.width, frame.info.height) == (66, 50)
    assert frame.rgb().shape == (50, 66, 3)
    assert frame.is_live


def test_without_a_key_frame_one_is_asked_for(watched):
    frames = video("VP8", 4, keys=(0, 3), received_s=fresh())
    watched.put(frames[1:])
    assert watched.asked.get(timeout=WITHIN_S) == "a"
    assert watched.next() == ("a", 4)


def test_a_damaged_frame_asks_for_a_key_frame_and_what_builds_on_it_is_left_out(watched):
    frames = video("VP8", 4, keys=(0, 3), received_s=fresh())
    object.__setattr__(frames[1], "data", b"\x01")
    watched.put(frames)
    assert watched.next() == ("a", 1)
    assert watched.next() == ("a", 4)
    assert watched.asked.get(timeout=WITHIN_S) == "a"


def test_what_waits_too_long_is_left_out_up_to_the_next_key_frame(watched):
    frames = video("VP8", 8, keys=(0, 5), received_s=now() - 2 * decoding.MAX_WAITING_S)
    recent = video("VP8", 8, keys=(0, 5), received_s=fresh())[5:]
    watched.hold_at(frames[0])
    watched.put(frames[1:5] + recent)
    watched.note.gate.set()
    # The first was begun with in time.
    assert [watched.next()[1] for _ in range(3)] == [6, 7, 8]
    assert watched.asked.empty()
    assert [sid for sid in watched.note.begun if sid] == ["a"] * 4


def test_with_none_a_key_frame_is_asked_for(watched):
    old = video("VP8", 4, received_s=now() - 2 * decoding.MAX_WAITING_S)
    watched.hold_at(old[0])
    watched.put(old[1:])
    watched.note.gate.set()
    assert watched.asked.get(timeout=WITHIN_S) == "a"
    watched.put(video("VP8", 1, first=5, received_s=fresh()))
    assert watched.next() == ("a", 5)


def test_more_bytes_than_may_wait_are_left_out(watched, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_WAITING_BYTES", 300)
    frames = video("VP8", 12, (640, 480), keys=(0, 10), received_s=fresh())
    watched.hold_at(frames[0])
    watched.put(frames[1:])
    watched.note.gate.set()
    numbers = [watched.next()[1]]
    while numbers[-1] != 12:
        numbers.append(watched.next()[1])
    assert numbers[0] == 1
    assert set(numbers[1:]) <= {11, 12}


def test_a_lane_is_not_shown_an_old_frame_when_newer_ones_are_there(watched, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_WAITING_S", 600.0)
    frames = video("VP8", 3, received_s=now() - 1.2 * decoding.STALE_S)
    watched.hold_at(frames[0])
    watched.put(frames[1:])
    watched.note.gate.set()
    assert watched.next() == ("a", 3)
    assert watched.shown.empty()


def test_the_last_frame_is_shown_however_old_it_is(watched):
    watched.put(video("VP8", 1, received_s=now() - 60))
    assert watched.next() == ("a", 1)


def test_frames_that_are_not_wanted_are_decoded_and_not_shown(watched):
    frames = video("VP8", 3, received_s=fresh())
    object.__setattr__(frames[1], "is_wanted", False)
    watched.put(frames)
    assert [watched.next() for _ in range(2)] == [("a", 1), ("a", 3)]


class Costly:
    """Takes a while for the frames of one session."""

    def decode(self, frame):
        if frame.sid == "a":
            began_s = time.thread_time()
            while time.thread_time() - began_s < 0.02:
                pass
        raise NotDecoded("it is only for the time that it takes")


def test_who_takes_much_time_is_served_less_often(watched, monkeypatch):
    monkeypatch.setattr(decoding, "VideoDecoder", lambda _: Costly())
    held, *heavy = video("VP8", 12, sid="a", keys=range(12), received_s=fresh())
    watched.hold_at(held)
    watched.put(heavy)
    watched.put(video("VP8", 10, sid="b", keys=range(10), received_s=fresh()))
    watched.note.gate.set()
    order = [watched.note.at_gate.get(timeout=WITHIN_S) for _ in range(12)]
    assert order.count("b") == 10
    # All of the light one's take less time than the second of the heavy one's.
    assert order.count("a") == 2


def test_nobody_saves_up_time(watched, monkeypatch):
    monkeypatch.setattr(decoding, "VideoDecoder", lambda _: Costly())
    heavy = video("VP8", 6, sid="a", keys=range(6), received_s=fresh())
    for frame in heavy[:4]:
        watched.put([frame])
        watched.note.at_gate.get(timeout=WITHIN_S)
    # Who comes now has taken none, and gets no more than its share from now on.
    watched.hold_at(heavy[4])
    watched.put(heavy[5:])
    watched.put(video("VP8", 1, sid="late", received_s=fresh()))
    behind = watched.decoding._videos["a"].took_s - watched.decoding._videos["late"].took_s
    assert behind < 0.05
    watched.note.gate.set()


def test_who_it_decodes_for_is_told(watched):
    (frame,) = video("VP8", 1, received_s=fresh())
    watched.hold_at(frame)
    lane, sid, seconds = watched.decoding.busy(now() + 7)
    assert (lane, sid) == (DECODING, "a")
    assert seconds >= 7
    watched.note.gate.set()
    watched.next()
    watched.decoding.forget("a")


def test_a_damaged_video_is_decoded_as_far_as_it_can_be(watched):
    frames = video("H264", 6, received_s=fresh())
    for frame in frames[2:]:
        object.__setattr__(frame, "is_damaged", True)
    watched.put([frames[0], *frames[2:]])
    assert watched.next() == ("a", 1)
    assert watched.next()[1] in (3, 4, 5, 6)


def test_a_session_that_has_ended_begins_anew(watched):
    watched.put(video("VP8", 1, received_s=fresh()))
    watched.next()
    watched.decoding.forget("a")
    _, following = video("VP8", 2, received_s=fresh())
    watched.put([following])
    assert watched.asked.get(timeout=WITHIN_S) == "a"


@pytest.mark.parametrize(("behind_s", "numbers"), [(0.0, range(2, 9)), (0.15, range(3, 9, 2))])
def test_while_it_is_behind_upper_layers_are_left_out(watched, monkeypatch, behind_s, numbers):
    monkeypatch.setattr(decoding, "MAX_WAITING_S", 60.0)
    monkeypatch.setattr(decoding, "STALE_S", 60.0)
    monkeypatch.setattr(decoding, "BEHIND_S", 30.0)
    first, *others = layered(8, received_s=now() - 200 * behind_s)
    watched.put([replace(first, info=replace(first.info, received_monotonic_s=now()))])
    assert watched.next() == ("a", 1)
    watched.put(others)
    assert [watched.next()[1] for _ in numbers] == list(numbers)
    assert watched.asked.empty(), "nothing is missing"
