"""The drawing thread: newest frame only, sessions in turn, memory given back."""

import queue
import threading
import time
from pathlib import Path

import numpy as np
import orjson
import pytest

from analyzers.base_model import BaseModel
from server.workers.drawing import Drawing
from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import FrameInfo, MailboxReader
from server.workers.messages import Drawn, Problems
from tests.support import pictures

WITHIN_S = 60.0


class Level(BaseModel):
    """Fills the left half with what its result says; waits for the test first."""

    def __init__(self):
        self.began = queue.Queue()
        self.may_go_on = threading.Semaphore(0)

    def frame(self, sid, frame, timestamp):
        return None

    def draw(self, frame, result):
        self.began.put(result["level"])
        assert self.may_go_on.acquire(timeout=WITHIN_S)
        frame[:, : frame.shape[1] // 2] = result["level"]


class Broken(Level):
    def draw(self, frame, result):
        raise RuntimeError("no paint")


@pytest.fixture
def sent():
    return queue.Queue()


@pytest.fixture
def drawing(sent):
    made = Drawing(sent.put)
    yield made
    made.close()


def frame(number, size=(64, 48)):
    picture = np.full((size[1], size[0], 3), 120, np.uint8)
    info = FrameInfo(number, number * 33.0, 5.0, 6.0, *size)
    made = LaneFrame(info, pictures.png(picture), 0.0)
    made.rgb()
    return made


def said(level):
    return {"level": {"level": orjson.dumps(level)}}


def shown(message):
    """The number of the frame that waits, and the grey levels of both halves."""
    assert isinstance(message, Drawn)
    reader = MailboxReader(message.mailbox)
    info, planes = reader.take()
    luma = planes[: info.height]
    levels = [int(luma[:, at].mean()) for at in (info.width // 4, -2)]
    del planes, luma
    reader.close()
    return info, levels


def luma(level):
    """Limited range, ITU-R BT.601."""
    return pytest.approx(16 + 219 * level / 255, abs=2)


def test_nothing_runs_before_somebody_watches(drawing):
    assert not any(thread.name == "drawing" for thread in threading.enumerate())
    assert drawing.busy(time.monotonic()) is None


def test_what_was_said_is_drawn_and_the_rest_is_as_it_was(drawing, sent):
    level = Level()
    drawing.begin("a", [level])
    level.may_go_on.release()
    drawing.put("a", frame(7), said(250))
    message = sent.get(timeout=WITHIN_S)
    info, levels = shown(message)
    assert message.sid == "a"
    assert info == FrameInfo(7, 231.0, 5.0, 6.0, 64, 48)
    assert levels == [luma(250), luma(120)]


def test_only_the_newest_waits(drawing, sent):
    level = Level()
    drawing.begin("a", [level])
    drawing.put("a", frame(1), said(1))
    assert level.began.get(timeout=WITHIN_S) == 1
    for number in (2, 3, 4):
        drawing.put("a", frame(number), said(number))
    level.may_go_on.release(2)
    assert level.began.get(timeout=WITHIN_S) == 4
    for _ in range(2):
        info, _ = shown(sent.get(timeout=WITHIN_S))
    assert info.number == 4
    assert level.began.empty()


def test_sessions_take_turns(drawing):
    level = Level()
    for sid in "abc":
        drawing.begin(sid, [level])
    drawing.put("a", frame(1), said(10))
    drawn = [level.began.get(timeout=WITHIN_S)]
    for _ in range(5):
        for sid, value in (("a", 10), ("b", 20), ("c", 30)):
            drawing.put(sid, frame(1), said(value))
        level.may_go_on.release()
        drawn.append(level.began.get(timeout=WITHIN_S))
    level.may_go_on.release(9)
    assert drawn == [10, 20, 30, 10, 20, 30]


def test_memory_is_given_back_at_the_end(drawing, sent):
    level = Level()
    level.may_go_on.release(9)
    for sid in "ab":
        drawing.begin(sid, [level])
        drawing.put(sid, frame(1), said(9))
    memory = {}
    for _ in range(2):
        message = sent.get(timeout=WITHIN_S)
        memory[message.sid] = Path("/dev/shm") / message.mailbox
    assert all(path.exists() for path in memory.values())
    drawing.end("a", True)
    gone_within(memory["a"])
    assert memory["b"].exists()
    drawing.close()
    gone_within(memory["b"])
    drawing.put("b", frame(2), said(9))
    assert not any(thread.name == "drawing" for thread in threading.enumerate())


def gone_within(path):
    deadline = time.monotonic() + WITHIN_S
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.01)


def test_a_frame_that_is_drawn_while_the_last_viewer_leaves_is_not_announced(drawing, sent):
    level = Level()
    drawing.begin("a", [level])
    drawing.put("a", frame(1), said(1))
    level.began.get(timeout=WITHIN_S)
    drawing.end("a", True)
    drawing.begin("b", [level])
    drawing.put("b", frame(2), said(2))
    level.may_go_on.release(2)
    assert sent.get(timeout=WITHIN_S).sid == "b"


def test_who_draws_for_how_long_is_told(drawing, sent):
    level = Level()
    drawing.begin("a", [level])
    drawing.put("a", frame(1), said(1))
    level.began.get(timeout=WITHIN_S)
    name, sid, seconds = drawing.busy(time.monotonic() + 100)
    assert (name, sid) == ("level", "a")
    assert 100 <= seconds < 100 + WITHIN_S
    level.may_go_on.release()
    sent.get(timeout=WITHIN_S)


@pytest.mark.parametrize(
    ("size", "even"), [((65, 49), (64, 48)), ((2, 2), (2, 2)), ((3, 2), (2, 2))]
)
def test_odd_sizes_lose_a_line(drawing, sent, size, even):
    drawing.begin("a", [])
    drawing.put("a", frame(1, size), {})
    info, _ = shown(sent.get(timeout=WITHIN_S))
    assert (info.width, info.height) == even


def test_sizes_change_and_a_picture_of_one_line_is_left_out(drawing, sent):
    drawing.begin("a", [])
    mailboxes = []
    for number, size in enumerate([(64, 48), (320, 240), (64, 48)], 1):
        drawing.put("a", frame(number, size), {})
        message = sent.get(timeout=WITHIN_S)
        info, levels = shown(message)
        assert (info.number, info.width, info.height) == (number, *size)
        assert levels == [luma(120), luma(120)]
        mailboxes.append(message.mailbox)
    assert mailboxes[0] != mailboxes[1] == mailboxes[2]
    drawing.put("a", frame(4, (64, 1)), {})
    drawing.put("a", frame(5), {})
    # Whether the first was overtaken or not.
    assert shown(sent.get(timeout=WITHIN_S))[0].number == 5
    assert sent.empty()


def test_a_picture_that_can_not_be_decoded_is_left_out(drawing, sent):
    damaged = LaneFrame(FrameInfo(1, 0.0, 0.0, 0.0, 64, 48), bytes(9), 0.0)
    drawing.begin("a", [])
    drawing.begin("b", [])
    drawing.put("a", damaged, {})
    drawing.put("b", frame(2), {})
    assert sent.get(timeout=WITHIN_S).sid == "b"


def test_a_draw_that_raises_is_a_problem_and_the_frame_comes_all_the_same(drawing, sent):
    drawing.begin("a", [Broken()])
    for number in (1, 2):
        drawing.put("a", frame(number), {"broken": {"level": b"1"}})
        told = sent.get(timeout=WITHIN_S)
        assert isinstance(told, Problems)
        assert [(p.analyzer, p.phase, p.message) for p in told.problems] == [
            ("broken", "draw", "RuntimeError: no paint")
        ]
        info, levels = shown(sent.get(timeout=WITHIN_S))
        assert info.number == number
        assert levels[0] == luma(120)


def test_without_memory_others_go_on(drawing, sent, monkeypatch, caplog):
    drawing.begin("small", [])
    drawing.put("small", frame(1), {})
    sent.get(timeout=WITHIN_S)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    drawing.begin("large", [])
    for number in (1, 2):
        drawing.put("large", frame(number, (640, 480)), {})
        drawing.put("small", frame(number + 1), {})
        assert sent.get(timeout=WITHIN_S).sid == "small"
    monkeypatch.undo()
    drawing.put("large", frame(3, (640, 480)), {})
    assert sent.get(timeout=WITHIN_S).sid == "large"
    assert sum("no memory" in record.message for record in caplog.records) == 1
