"""Which frames are drawn, and with what, decided step by step by the test."""

from analyzers.base_model import BaseModel
from server.workers.messages import (
    Drawn,
    End,
    Final,
    FrameResult,
)
from tests.server.workers.stepped import SLOW_S, Blue, OnRed, Red
from tests.support import pictures


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


def test_frames_as_they_are_are_shown_beside_the_annotated_ones(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.watch("a", annotated=False)
    worker.watch("a")
    # Each that comes, whether a lane looks at it or not.
    for number in range(1, 4):
        worker.decoded("a")
        assert [at for _, at, _ in worker.drawing.shown] == list(range(1, number + 1))
    worker.run("red")
    assert worker.drawn() == [("a", 1)]
    worker.watch("a", False, annotated=False)
    worker.decoded("a")
    worker.run("red")
    assert len(worker.drawing.shown) == 3
    assert worker.drawn() == [("a", 1), ("a", 3)]


def test_raw_frames_and_pictures_are_shown_too(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.watch("a", annotated=False)
    worker.frame("a")
    worker.picture("a", pictures.plain_jpeg((200, 0, 0)))
    worker.frame("a")
    assert [at for _, at, _ in worker.drawing.shown] == [1, 2, 3]


def test_both_kinds_of_frames_end_with_the_session(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.watch("a", annotated=False)
    worker.watch("a")
    worker.decoded("a")
    worker.dispatcher.receive(End("a", 0.0))
    worker.run("red")
    worker.run("red")
    assert worker.drawing._canvases == {}
