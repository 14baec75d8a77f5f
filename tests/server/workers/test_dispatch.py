"""Which frame goes to which lane when, decided step by step by the test."""

import threading
from collections import deque

import av
import cv2
import numpy as np
import pytest

from analyzers.base_model import BaseModel
from analyzers.chain import arrange
from server.media.decoding import decode
from server.workers.dispatch import PATIENCE_S, Dispatcher
from server.workers.drawing import Drawing
from server.workers.mailbox import FrameInfo, MailboxWriter
from server.workers.messages import (
    ChangeOptions,
    Draw,
    Drawn,
    End,
    Final,
    FrameAvailable,
    FrameResult,
    Problems,
    Start,
    Unreadable,
)
from tests.support import pictures

QUICK_S, SLOW_S = 0.01, 1.0


class Red(BaseModel):
    def frame(self, sid, frame, timestamp):
        return {"red": int(frame[0, 0, 0]), "winner": "red"}

    def end(self, sid, timestamp=None):
        return {"red_ended": True}


class Blue(BaseModel):
    def configure(self, sid, options):
        if "wrong" in options:
            raise ValueError("no such colour")

    def frame(self, sid, frame, timestamp):
        return {"blue": int(frame[0, 0, 2]), "winner": "blue"}


class OnRed(BaseModel):
    requires = ("red",)

    def frame(self, sid, frame, timestamp, *, results):
        return {"more": results["red"]["red"] + 1}


class RecordedDrawing(Drawing):
    """Draws, and writes down what it was given: sid, frame number, what each analyzer said."""

    def __init__(self, send):
        super().__init__(send)
        self.begun = {}
        self.given = []

    def begin(self, sid, analyzers):
        self.begun[sid] = [analyzer.name for analyzer in analyzers]
        super().begin(sid, analyzers)

    def put(self, sid, frame, said):
        self.given.append((sid, frame.info.number, said))
        super().put(sid, frame, said)


class Runner:
    """Holds a lane's jobs until the test lets one run."""

    def __init__(self, lane):
        self.lane = lane
        self.outstanding = 0
        self.jobs = deque()

    def submit(self, job):
        self.outstanding += 1
        self.jobs.append(job)


class Worker:
    """A dispatcher with lanes that the test steps, and mailboxes that it fills."""

    def __init__(self, *analyzers):
        self.runners = {lane.name: Runner(lane) for lane in arrange(analyzers)}
        self.sent = []
        self.now = 100.0
        self.mailboxes = {}
        self.numbers = {}
        names = [analyzer.name for analyzer in analyzers]
        self.has_drawn = threading.Event()
        self.drawing = RecordedDrawing(self.send_drawn)
        runners = list(self.runners.values())
        self.dispatcher = Dispatcher(runners, names, self.sent.append, self.drawing)

    def send_drawn(self, message):
        self.sent.append(message)
        self.has_drawn.set()

    def start(self, sid, *names):
        self.dispatcher.receive(Start(sid, names, {}, 0.0))
        self.mailboxes[sid] = MailboxWriter()
        self.numbers[sid] = 0
        for name in self.runners:
            self.run(name)

    def frame(self, sid, red=0, side=16):
        self.numbers[sid] += 1
        picture = np.zeros((side, side, 3), np.uint8)
        picture[..., 0] = red
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p")
        number = self.numbers[sid]
        info = FrameInfo(number, number * 33.0, 0.0, self.now, side, side)
        self.mailboxes[sid].put(frame, info)
        self.ring(sid)

    def picture(self, sid, data, size=(16, 16)):
        self.numbers[sid] += 1
        number = self.numbers[sid]
        info = FrameInfo(number, number * 33.0, 0.0, self.now, *size)
        self.mailboxes[sid].put_encoded(data, info)
        self.ring(sid)

    def ring(self, sid):
        self.dispatcher.receive(FrameAvailable(sid, self.mailboxes[sid].name))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def run(self, name, duration_s=QUICK_S):
        """Let a lane finish the job it has, if it has one."""
        runner = self.runners[name]
        if not runner.jobs:
            return None
        job = runner.jobs.popleft()
        report = job.run(runner.lane)
        runner.outstanding -= 1
        self.dispatcher.finished(runner, job, report, duration_s)
        self.dispatcher.dispatch(self.now)
        self.handed_over_before = len(self.drawing.given)
        self.dispatcher.draw()
        return job

    def results(self):
        return [message for message in self.sent if isinstance(message, FrameResult)]

    def watch(self, sid, wanted=True):
        self.dispatcher.receive(Draw(sid, wanted))
        self.dispatcher.dispatch(self.now)
        self.dispatcher.draw()

    def drawn(self):
        """Session and frame number of all that was drawn."""
        return [(sid, number) for sid, number, _ in self.drawing.given]

    def close(self):
        for sid in self.mailboxes:
            self.dispatcher.receive(End(sid, 0.0))
        run_all(self)
        self.drawing.close()
        for mailbox in self.mailboxes.values():
            mailbox.close()


@pytest.fixture
def make_worker():
    made = []

    def make(*analyzers):
        made.append(Worker(*analyzers))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def numbers(results):
    return [(result.sid, result.frame.number) for result in results]


def test_lanes_in_step_see_the_same_frame_and_make_one_result(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a", red=200)
    assert worker.run("red").frame.info.number == 1
    assert worker.results() == []
    worker.frame("a", red=10)
    assert worker.runners["red"].jobs == deque(), "red waits for blue to be done with frame 1"
    assert worker.run("blue").frame.info.number == 1
    (result,) = worker.results()
    assert result.fragments["winner"] == b'"blue"', "the later in the list wins"
    assert abs(int(result.fragments["red"]) - 200) < 12
    assert result.held == {}
    assert set(result.timings_ms) == {"red", "blue"}
    worker.run("blue")
    worker.run("red")
    assert numbers(worker.results()) == [("a", 1), ("a", 2)]


def test_the_newest_frame_wins(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    for _ in range(5):
        worker.frame("a")
    worker.run("red")
    worker.run("red")
    assert numbers(worker.results()) == [("a", 1), ("a", 5)]
    assert worker.run("red") is None, "no frame is analyzed twice"


def test_sessions_take_turns(make_worker):
    worker = make_worker(Red())
    for sid in "abc":
        worker.start(sid, "red")
    for _ in range(6):
        for sid in "abc":
            worker.frame(sid)
        worker.run("red")
    assert [sid for sid, _ in numbers(worker.results())] == list("abcabc")


def test_analyzers_of_a_lane_read_each_other(make_worker):
    worker = make_worker(OnRed(), Red(), Blue())
    worker.start("a", "on_red")
    worker.frame("a", red=100)
    worker.run("red+on_red")
    (result,) = worker.results()
    assert int(result.fragments["more"]) == int(result.fragments["red"]) + 1
    assert "blue" not in result.fragments, "not asked for"


def test_nobody_waits_for_a_lane_that_turned_slow(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a")
    worker.run("red")
    worker.now += 0.9 * PATIENCE_S
    worker.dispatcher.dispatch(worker.now)
    assert worker.results() == []
    worker.now += 0.2 * PATIENCE_S
    worker.dispatcher.dispatch(worker.now)
    (first,) = worker.results()
    assert "blue" not in first.fragments
    # Red goes on alone; blue still holds frame 1.
    for _ in range(3):
        worker.frame("a")
        worker.run("red")
    assert numbers(worker.results()) == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert worker.run("blue", SLOW_S).frame.info.number == 1
    assert len(worker.results()) == 4, "a late answer makes no result of its own"
    worker.frame("a")
    worker.run("red")
    assert set(worker.results()[-1].timings_ms) == {"red", "blue"}, "blue has finished meanwhile"
    worker.frame("a")
    worker.run("red")
    last = worker.results()[-1]
    assert set(last.timings_ms) == {"red"}
    assert last.held == {"blue": 1}
    assert "blue" in last.fragments
    assert worker.runners["blue"].jobs[0].frame.info.number >= 4, "it gets the newest"


def test_a_lane_that_is_quick_again_is_in_step_again(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a")
    worker.run("red")
    worker.run("blue", SLOW_S)
    for _ in range(8):
        worker.frame("a")
        worker.run("red")
        worker.run("blue")
    assert worker.results()[-1].held == {}


def test_no_result_is_lost_when_a_lane_becomes_quick(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    durations_s = (SLOW_S, QUICK_S, QUICK_S, QUICK_S, SLOW_S, QUICK_S, QUICK_S, QUICK_S)
    for duration_s in durations_s:
        worker.frame("a")
        worker.run("red", duration_s)
    assert numbers(worker.results()) == [("a", n) for n in range(1, len(durations_s) + 1)]


def test_slow_lanes_alone_make_results_in_order(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a")
    for name in ("red", "blue"):
        worker.run(name, SLOW_S)
    worker.frame("a")
    worker.frame("a")
    worker.run("red", SLOW_S)
    worker.frame("a")
    worker.run("red", SLOW_S)
    worker.run("blue", SLOW_S)
    sent = [number for _, number in numbers(worker.results())]
    assert sent == sorted(set(sent))
    assert sent[-1] >= 3


def test_a_slow_lane_serves_the_session_it_served_longest_ago(make_worker):
    worker = make_worker(Blue())
    for sid in "ab":
        worker.start(sid, "blue")
        worker.frame(sid)
    worker.run("blue", SLOW_S)
    served = []
    for _ in range(6):
        for sid in "ab":
            worker.frame(sid)
        served.append(worker.run("blue", SLOW_S).sid)
    assert served in (list("ababab"), list("bababa"))


def test_the_end_runs_after_the_frame_that_is_being_analyzed(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a")
    worker.dispatcher.receive(End("a", 33.0))
    worker.frame("a")
    while worker.run("red") or worker.run("blue"):
        pass
    finals = [message for message in worker.sent if isinstance(message, Final)]
    assert len(finals) == 1
    assert finals[0].fragments["red_ended"] == b"true"
    assert "blue" in finals[0].fragments, "values of the last frame are in it"
    assert worker.sent[-1] is finals[0], "nothing comes after it"
    assert worker.results() == []


def test_the_end_of_an_unknown_session_is_answered(make_worker):
    worker = make_worker(Red())
    worker.dispatcher.receive(End("unheard-of", 0.0))
    assert worker.sent == [Final("unheard-of")]


def test_problems_are_sent(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.dispatcher.receive(ChangeOptions("a", {"blue": {"wrong": 1}}))
    worker.run("blue")
    (sent,) = [message for message in worker.sent if isinstance(message, Problems)]
    assert [(p.analyzer, p.phase) for p in sent.problems] == [("blue", "configure")]


def test_a_mailbox_that_is_gone_already_harms_nothing(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.dispatcher.receive(FrameAvailable("a", "no-such-memory"))
    worker.dispatcher.dispatch(worker.now)
    worker.frame("a")
    worker.run("red")
    assert numbers(worker.results()) == [("a", 1)]


class Seldom(BaseModel):
    """Has something to say of every other frame, and fails at the fourth."""

    def frame(self, sid, frame, timestamp):
        number = round(timestamp / 33)
        if number == 4:
            raise ValueError("four")
        return {"number": number} if number % 2 else None


def test_nothing_is_drawn_unless_somebody_watches(make_worker):
    worker = make_worker(Red())
    for sid in "ab":
        worker.start(sid, "red")
    worker.watch("a")
    for _ in range(2):
        for sid in "ab":
            worker.frame(sid)
            worker.run("red")
    assert worker.drawn() == [("a", 1), ("a", 2)]
    worker.watch("a", False)
    worker.frame("a")
    worker.run("red")
    assert worker.drawn() == [("a", 1), ("a", 2)]
    assert len(worker.results()) == 5
    worker.watch("a")
    worker.frame("a")
    worker.run("red")
    assert worker.drawn()[2:] == [("a", 4)]
    worker.watch("nobody")


def test_a_frame_is_drawn_with_what_was_found_in_it_after_its_result_was_sent(make_worker):
    worker = make_worker(OnRed(), Blue(), Red())
    worker.start("a", "red", "blue", "on_red")
    worker.watch("a")
    assert worker.drawing.begun["a"] == ["red", "on_red", "blue"], "what reads others comes later"
    for count, red in enumerate((200, 10)):
        worker.frame("a", red=red)
        worker.run("red+on_red")
        worker.run("blue")
        assert worker.handed_over_before == count, "not before the results were sent"
    for (sid, number, said), result in zip(worker.drawing.given, worker.results(), strict=True):
        assert (sid, number) == ("a", result.frame.number)
        assert said["red"]["red"] == result.fragments["red"]
        assert said["blue"]["blue"] == result.fragments["blue"]
    assert worker.has_drawn.wait(20)
    kinds = [type(message) for message in worker.sent if isinstance(message, FrameResult | Drawn)]
    assert kinds[0] is FrameResult
    assert Drawn in kinds


def test_who_has_nothing_to_say_of_a_frame_draws_nothing_into_it(make_worker):
    worker = make_worker(Seldom(), Red())
    worker.start("a", "seldom", "red")
    worker.watch("a")
    for _ in range(5):
        worker.frame("a")
        worker.run("seldom")
        worker.run("red")
    told = [said.get("seldom") for _, _, said in worker.drawing.given]
    assert told == [{"number": b"1"}, None, {"number": b"3"}, None, {"number": b"5"}]
    assert all("red" in said for _, _, said in worker.drawing.given)


def test_of_a_slow_lane_the_last_is_drawn(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.frame("a")
    worker.run("red")
    worker.run("blue", SLOW_S)
    worker.watch("a")
    for _ in range(3):
        worker.frame("a")
        worker.run("red")
    assert worker.drawn() == [("a", 2), ("a", 3), ("a", 4)]
    assert all("blue" in said for _, _, said in worker.drawing.given)


def test_with_slow_lanes_alone_the_frames_they_looked_at_are_drawn(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.watch("a")
    worker.frame("a")
    for name in ("red", "blue"):
        worker.run(name, SLOW_S)
    before = len(worker.drawing.given)
    for red in (50, 100, 150, 200):
        worker.frame("a", red=red)
        worker.frame("a")
        worker.run("red", SLOW_S)
    drawn = worker.drawing.given[before:]
    assert [number for _, number, _ in drawn] == [r.frame.number for r in worker.results()[before:]]
    assert len(drawn) == 4
    for (_, _, said), result in zip(drawn, worker.results()[before:], strict=True):
        assert said["red"]["red"] == result.fragments["red"]
        assert "blue" in said


def test_without_analyzers_frames_are_shown_as_they_are(make_worker):
    worker = make_worker(Red())
    worker.start("a")
    worker.watch("a")
    for _ in range(3):
        worker.frame("a")
    assert worker.drawing.given == [("a", n, {}) for n in (1, 2, 3)]


def test_drawing_ends_with_the_session(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.watch("a")
    worker.frame("a")
    worker.run("red")
    worker.dispatcher.receive(End("a", 33.0))
    worker.watch("a")
    worker.run("red")
    worker.watch("a", False)
    assert worker.drawn() == [("a", 1)]
    assert isinstance(worker.sent[-1], Final | Drawn)


class Shade(BaseModel):
    """Writes down which frames it saw, and how red they were to the nearest ten."""

    def __init__(self):
        self.seen = []

    def frame(self, sid, frame, timestamp):
        self.seen.append((round(timestamp / 33), round(frame[0, 0, 0], -1)))


@pytest.mark.parametrize("side", [16, 64], ids=["read on", "replaced by a larger one"])
def test_a_lane_that_comes_late_sees_its_frame_though_the_mailbox_was(make_worker, side):
    shade = Shade()
    worker = make_worker(Red(), shade)
    worker.start("a", "red", "shade")
    worker.frame("a", red=20)
    worker.run("red", SLOW_S)
    worker.run("shade", SLOW_S)
    worker.frame("a", red=40)
    worker.run("shade", SLOW_S)
    # Shade is given this one, which Red does not look at, and comes to it after four more.
    worker.frame("a", red=60)
    assert worker.runners["shade"].jobs[0].frame.info.number == 3
    for number in (4, 5, 6, 7):
        worker.frame("a", red=20 * number, side=side)
        worker.run("red", SLOW_S)
    worker.run("shade", SLOW_S)
    worker.run("shade", SLOW_S)
    assert shade.seen == [(1, 20), (2, 40), (3, 60), (7, 140)]


def test_a_session_ends_while_a_frame_waits_to_be_drawn(make_worker, monkeypatch):
    worker = make_worker(Red())
    monkeypatch.setattr(worker.drawing, "put", lambda *_: None)
    worker.start("a")
    worker.watch("a")
    worker.frame("a", red=200)
    (frame,) = [session.latest for session in worker.dispatcher._sessions.values()]
    worker.dispatcher.receive(End("a", 33.0))
    assert Final("a") in worker.sent
    assert abs(int(frame.rgb()[0, 0, 0]) - 200) < 12


def test_colours_are_converted_once_for_all_lanes_and_not_by_the_dispatcher(
    make_worker, monkeypatch
):
    converted = []
    convert = cv2.cvtColor

    def count(planes, code):
        converted.append(code)
        return convert(planes, code)

    monkeypatch.setattr("server.workers.lane_frame.cv2.cvtColor", count)
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    for number in (1, 2):
        worker.frame("a", red=200)
        assert len(converted) == number - 1, "the dispatcher does not wait for it"
        worker.run("blue")
        worker.run("red")
        assert len(converted) == number
    assert numbers(worker.results()) == [("a", 1), ("a", 2)]


def red_jpeg(red, size=(16, 16)):
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = red
    return pictures.jpeg(picture)


def unreadable(worker):
    return [message for message in worker.sent if isinstance(message, Unreadable)]


def test_a_picture_is_decoded_once_for_all_lanes(make_worker, monkeypatch):
    decoded = []

    def count(data):
        decoded.append(len(data))
        return decode(data)

    monkeypatch.setattr("server.workers.lane_frame.decode", count)
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    worker.picture("a", red_jpeg(200))
    assert decoded == [], "the dispatcher does not wait for it"
    worker.run("blue")
    worker.run("red")
    (result,) = worker.results()
    assert abs(int(result.fragments["red"]) - 200) < 12
    assert len(decoded) == 1


def test_a_damaged_picture_is_told_once_however_many_lanes_there_are(make_worker):
    worker = make_worker(Red(), Blue(), OnRed())
    worker.start("a", "red", "blue", "on_red")
    worker.picture("a", red_jpeg(90))
    run_all(worker)
    worker.picture("a", b"\xff\xd8 no picture")
    run_all(worker)
    worker.picture("a", red_jpeg(150))
    run_all(worker)
    (told,) = unreadable(worker)
    assert (told.sid, told.frame.number) == ("a", 2)
    assert "can not be decoded" in told.message
    assert numbers(worker.results()) == [("a", 1), ("a", 3)]
    assert [
        abs(int(r.fragments["red"]) - red) < 12
        for r, red in zip(worker.results(), (90, 150), strict=True)
    ] == [True, True]


def test_a_damaged_picture_in_slow_lanes_is_told_once_too(make_worker):
    worker = make_worker(Red(), Blue())
    worker.start("a", "red", "blue")
    for _ in range(3):
        worker.frame("a")
        worker.run("red", SLOW_S)
        worker.run("blue", SLOW_S)
    before = len(worker.results())
    worker.picture("a", b"no picture")
    number = worker.numbers["a"]
    for _ in range(2):
        worker.run("red", SLOW_S)
        worker.run("blue", SLOW_S)
    assert [told.frame.number for told in unreadable(worker)] == [number]
    assert all(r.frame.number < number for r in worker.results()[before:])


def test_the_size_told_is_the_one_that_was_decoded(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    upright = np.zeros((32, 16, 3), np.uint8)
    worker.picture("a", pictures.turned_jpeg(upright), size=(32, 16))
    worker.run("red")
    (result,) = worker.results()
    assert (result.frame.width, result.frame.height) == (16, 32)


def run_all(worker):
    while any(runner.jobs for runner in worker.runners.values()):
        for name in worker.runners:
            worker.run(name)
