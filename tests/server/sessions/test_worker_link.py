"""What of a video goes to a worker: nothing that would come too late, then from a key frame on."""

from types import SimpleNamespace

import pytest

from server.sessions import worker_link
from server.sessions.worker_link import WorkerLink
from server.workers.messages import PICTURE, EncodedInput, Start
from tests.server.workers.coded import video


class Worker:
    index = 0
    ready = True
    is_full = False

    def __init__(self):
        self.sent = []
        self.is_late = False
        self.late_s = 1.0

    def send(self, message):
        self.sent.append(message)

    def lags(self, now_s, after_s):
        return self.is_late and after_s <= self.late_s


class Linked:
    """A link to a worker that does as the test says, by the test's clock."""

    def __init__(self, monkeypatch):
        self.worker = Worker()
        self.asked = 0
        self.can_be_asked = True
        self.now_s = 100.0
        monkeypatch.setattr(worker_link.time, "monotonic", lambda: self.now_s)
        pool = SimpleNamespace(assign=lambda _: self.worker, release=lambda *_: None)
        self.link = WorkerLink(pool, SimpleNamespace(sid="a"), self._ask)

    def _ask(self):
        self.asked += self.can_be_asked
        return self.can_be_asked

    def start(self):
        self.link.pin()
        self.link.start(Start("a", (), {}, 0.0))
        self.worker.sent.clear()

    def put(self, frames):
        for frame in frames:
            self.link.put_video(frame)

    def numbers(self):
        return [frame.info.number for frame in self.worker.sent]


@pytest.fixture
def linked(monkeypatch):
    return Linked(monkeypatch)


def test_all_of_it_from_the_first_key_frame_on(linked):
    linked.start()
    linked.put(video("VP8", 4))
    assert linked.numbers() == [1, 2, 3, 4]
    assert linked.asked == 0


def test_what_came_before_the_worker_was_ready_is_made_up_for_by_a_key_frame(linked):
    linked.put(video("VP8", 2))
    linked.start()
    linked.put(video("VP8", 4, keys=(0, 2), first=2)[1:])
    assert linked.numbers() == [4, 5]
    assert linked.asked == 1


def test_a_worker_that_lags_gets_nothing_and_then_a_key_frame(linked):
    linked.start()
    frames = video("VP8", 9, keys=(0, 4, 7))
    linked.put(frames[:2])
    linked.worker.is_late = True
    linked.put(frames[2:6])
    assert linked.asked == 0, "it would come too late as well"
    linked.worker.is_late = False
    linked.put(frames[6:])
    assert linked.numbers() == [1, 2, 8, 9]
    assert linked.asked == 1


def test_a_new_worker_begins_with_a_key_frame(linked):
    linked.start()
    frames = video("VP8", 6, keys=(0, 4))
    linked.put(frames[:2])
    linked.link.was_replaced()
    linked.put(frames[2:3])
    linked.start()
    linked.put(frames[3:])
    assert linked.numbers() == [5, 6]


def test_what_a_worker_can_not_decode_is_no_longer_sent(linked):
    linked.start()
    frames = video("VP8", 6, keys=(0, 4))
    linked.put(frames[:2])
    linked.link.need_key_frame()
    assert linked.asked == 1
    linked.put(frames[2:])
    assert linked.numbers() == [1, 2, 5, 6]


def test_where_every_frame_is_to_be_seen_it_goes_on_and_a_key_frame_is_asked_for(linked):
    linked.start()
    linked.link.wants_all = True
    frames = video("VP8", 6, keys=(0, 4))
    linked.put(frames[:2])
    linked.link.need_key_frame()
    assert linked.asked == 1
    linked.worker.is_late = True  # Not by as much as those may wait.
    linked.put(frames[2:])
    assert linked.numbers() == [1, 2, 3, 4, 5, 6]


def test_a_sender_that_gives_none_is_taken_as_it_is_there_too(linked):
    linked.start()
    linked.link.wants_all = True
    frames = video("VP8", 6)
    linked.put(frames[:2])
    linked.link.need_key_frame()
    linked.put(frames[2:3])
    linked.now_s += worker_link.DAMAGED_AFTER_S
    linked.link.need_key_frame()
    linked.put(frames[3:])
    assert linked.numbers() == [1, 2, 3, 4, 5, 6]
    assert [frame.is_damaged for frame in linked.worker.sent] == [False] * 3 + [True] * 3


def test_where_nobody_can_be_asked_a_key_frame_is_waited_for(linked):
    linked.can_be_asked = False
    linked.start()
    frames = video("H264", 6, keys=(0, 4))[1:]
    linked.put(frames[:2])
    linked.now_s += 2 * worker_link.DAMAGED_AFTER_S
    linked.put(frames[2:])
    assert linked.numbers() == [5, 6]


def test_a_sender_that_gives_no_key_frame_is_taken_as_it_is(linked):
    linked.start()
    frames = video("H264", 5)[1:]
    linked.put(frames[:2])
    linked.now_s += worker_link.DAMAGED_AFTER_S
    linked.put(frames[2:])
    assert linked.numbers() == [4, 5]
    assert all(frame.is_damaged for frame in linked.worker.sent)
    linked.worker.sent.clear()
    linked.put(video("H264", 2, first=6))
    assert not any(frame.is_damaged for frame in linked.worker.sent)


def test_a_picture_that_there_is_no_room_for_is_not_taken(linked):
    linked.start()
    (frame,) = video("VP8", 1)
    picture = EncodedInput("a", frame.info, PICTURE, b"a JPEG")
    assert linked.link.put_picture(picture)
    linked.worker.is_full = True
    assert not linked.link.put_picture(picture)
    assert linked.worker.sent == [picture]


def test_the_newest_picture_waits_for_a_worker(linked):
    (frame,) = video("VP8", 1)
    for data in (b"older", b"newer"):
        assert linked.link.put_picture(EncodedInput("a", frame.info, PICTURE, data))
    linked.start()
    linked.link.show_newest()
    assert [sent.data for sent in linked.worker.sent] == [b"newer"]
