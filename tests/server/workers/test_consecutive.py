"""Lanes that see every frame, stepped: what they see, what waits, and what is left out in runs."""

import time

import pytest

from analyzers.base_model import BaseModel
from server.workers import consecutive
from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import FrameInfo
from server.workers.messages import (
    MAX_LAG_S,
    EncodedInput,
    End,
    FrameResult,
    KeyFrameWanted,
    LaneIsBehind,
    Seen,
)
from tests.server.workers.coded import video
from tests.server.workers.stepped import Red, Worker, of_one_red
from tests.support import pictures


class Whole(BaseModel):
    """Sees every frame, and writes down what."""

    consecutive = True

    def __init__(self):
        self.seen = []

    def frame(self, sid, frame, timestamp):
        self.seen.append((round(timestamp / 33), float(frame[0, 0].mean())))
        return {"whole": len(self.seen)}


class OnRed(BaseModel):
    """Sees every frame, and reads what another said last."""

    consecutive = True
    requires = ("red",)

    def __init__(self):
        self.read = []

    def frame(self, sid, frame, timestamp, *, results):
        self.read.append((round(timestamp / 33), results.get("red", {}).get("red")))


def fresh():
    """When a frame came that does not get old during the test."""
    return time.monotonic() + 600.0


@pytest.fixture
def make_fresh_worker(make_worker):
    def make(*analyzers):
        worker = make_worker(*analyzers)
        worker.now = fresh()
        return worker

    return make


def put(worker, frames):
    for frame in frames:
        worker.dispatcher.receive(frame)


def run_all(worker, name):
    while worker.run(name):
        pass


def sent(worker, kind):
    return [message for message in worker.sent if isinstance(message, kind)]


def numbers(whole):
    return [number for number, _ in whole.seen]


@pytest.mark.parametrize("codec", ["VP8", "H264", "H264 with B frames"])
def test_every_frame_is_seen_once_in_the_order_of_showing(make_fresh_worker, codec):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    put(worker, video(codec, 12, received_s=fresh()))
    end = EncodedInput(
        *("a", video(codec, 1, first=13)[0].info, codec.split()[0], b""),
        is_key_frame=False,
        is_wanted_late=False,
    )
    put(worker, [end])
    run_all(worker, "whole")
    greys = [grey for _, grey in whole.seen]
    assert greys == sorted(set(greys))
    assert len(greys) == 12
    results = sent(worker, FrameResult)
    assert [result.frame.number for result in results] == list(range(1, 13))
    assert [result.seen["whole"].count for result in results] == list(range(1, 13))


def test_pictures_and_raw_frames_are_all_seen(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    worker.start("b", "whole")
    for _ in range(4):
        worker.picture("a", pictures.plain_jpeg((90, 90, 90)))
    for red in (10, 20, 30):
        worker.frame("b", red=red)
    run_all(worker, "whole")
    assert sorted(numbers(whole)) == [1, 1, 2, 2, 3, 3, 4]


def test_a_raw_frame_that_is_rung_for_twice_is_seen_once(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    worker.watch("a", annotated=False)
    for number in (1, 2):
        info = FrameInfo(number, number * 33.0, 0.0, worker.now, 16, 16)
        worker.mailboxes["a"].put(of_one_red(40, 16), info)
    # As when both messages are there before the worker gets to the first.
    worker.ring("a")
    worker.ring("a")
    run_all(worker, "whole")
    assert numbers(whole) == [2]
    assert sent(worker, FrameResult)[-1].seen["whole"].count == 1
    assert worker.drawing.shown == [("a", 2, None)]


def test_others_see_the_newest_and_do_not_wait(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole, Red())
    worker.start("a", "whole", "red")
    frames = video("VP8", 5, received_s=fresh())
    put(worker, frames)
    worker.decoded("a", red=40)
    for _ in range(3):
        worker.decoded("a", red=80)
    assert worker.run("red").frame.info.number == 1
    assert worker.run("red").frame.info.number == 4
    assert [result.frame.number for result in sent(worker, FrameResult)] == [1, 4]
    assert len(whole.seen) == 0
    worker.run("whole")
    worker.decoded("a", red=80)
    worker.run("red")
    last = sent(worker, FrameResult)[-1]
    assert last.held == {"whole": 1}, "whose values are of that frame"
    assert last.seen["whole"].count == 1


def test_sessions_take_turns(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    for sid in "ab":
        worker.start(sid, "whole")
    for sid in "ab":
        put(worker, video("VP8", 3, sid=sid, received_s=fresh()))
    assert [worker.run("whole").sid for _ in range(6)] == list("ababab")


def test_what_waits_too_long_is_left_out_up_to_a_key_frame_and_told_once(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    old = video("VP8", 10, keys=(0, 6), received_s=time.monotonic() - MAX_LAG_S - 1)
    recent = video("VP8", 12, keys=(0, 6, 10), received_s=fresh())[10:]
    put(worker, [*old, *recent])
    run_all(worker, "whole")
    # The first was begun with, the second was the only one that waited.
    assert numbers(whole) == [1, 11, 12]
    (behind,) = sent(worker, LaneIsBehind)
    assert behind == LaneIsBehind("a", ("whole",), True, Seen(0, 0, 0.0), 2)


def test_without_a_key_frame_one_is_asked_for_and_the_run_begins_there(
    make_fresh_worker, monkeypatch
):
    monkeypatch.setattr(consecutive, "MAX_WAITING", 3)
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    put(worker, video("VP8", 9, keys=(0, 7), received_s=fresh()))
    run_all(worker, "whole")
    # One is at work and three may wait; with the fourth all are left out, and what builds on them.
    assert numbers(whole) == [1, 8, 9]
    assert sent(worker, KeyFrameWanted) == [KeyFrameWanted("a")]
    (behind,) = sent(worker, LaneIsBehind)
    assert (behind.left_out, behind.seen) == (4, Seen(0, 0, 0.0))
    assert sent(worker, FrameResult)[-1].seen["whole"].number == 9
    assert sent(worker, FrameResult)[-1].seen["whole"].count == 3


def test_a_sender_without_key_frames_is_asked_again_and_again_and_its_client_is_told(
    make_fresh_worker, monkeypatch
):
    monkeypatch.setattr(consecutive, "MAX_WAITING", 3)
    now_s = [1000.0]
    monkeypatch.setattr(consecutive.time, "monotonic", lambda: now_s[0])
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    asked_s = []
    frames = video("VP8", 9, keys=(0, 7), received_s=fresh())
    put(worker, frames[:5])
    cut_s = now_s[0]
    for _ in range(115):
        now_s[0] += 0.25
        before = len(sent(worker, KeyFrameWanted))
        # Whatever else comes builds on what was left out.
        put(worker, frames[5:6])
        if len(sent(worker, KeyFrameWanted)) > before:
            asked_s.append(now_s[0] - cut_s)
    assert sent(worker, KeyFrameWanted)[0] == KeyFrameWanted("a")
    pauses_s = [after - before for before, after in zip([0.0, *asked_s], asked_s, strict=False)]
    assert pauses_s == [0.75, 1.25, 2.25, 4.25, 8.25, 8.25]
    # As soon as there is one, it goes on.
    put(worker, frames[7:9])
    run_all(worker, "whole")
    assert numbers(whole)[-2:] == [8, 9]
    told = [(message.is_behind, message.is_blind) for message in sent(worker, LaneIsBehind)]
    assert told == [(True, False), (True, True), (False, False)]


def lags(worker):
    return [(message.is_behind, message.is_blind) for message in sent(worker, LaneIsBehind)]


def test_a_sender_whose_frames_are_all_damaged_is_told_of(make_fresh_worker, monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr(consecutive.time, "monotonic", lambda: now_s[0])
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    frames = video("VP8", 20, received_s=fresh())
    for frame in frames[1:]:
        object.__setattr__(frame, "data", b"\x01")
        object.__setattr__(frame, "is_damaged", True)
    for frame in frames:
        put(worker, [frame])
        run_all(worker, "whole")
        now_s[0] += 0.75
    assert numbers(whole) == [1]
    assert lags(worker) == [(True, True)]
    assert 3 <= len(sent(worker, KeyFrameWanted)) <= 6, "less and less often"
    # The next key frame that can be decoded ends it.
    put(worker, video("VP8", 2, first=21, received_s=fresh()))
    run_all(worker, "whole")
    assert numbers(whole) == [1, 21, 22]
    assert lags(worker) == [(True, True), (False, False)]


def test_who_falls_behind_once_a_key_frame_has_come_is_told_so(make_fresh_worker, monkeypatch):
    monkeypatch.setattr(consecutive, "MAX_WAITING", 3)
    now_s = [1000.0]
    monkeypatch.setattr(consecutive.time, "monotonic", lambda: now_s[0])
    worker = make_fresh_worker(Whole())
    worker.start("a", "whole")
    # All are late, so it does not keep up in between.
    frames = video("VP8", 20, keys=(0, 7), received_s=999.0)
    put(worker, frames[:5])
    now_s[0] += 11.0
    put(worker, frames[5:6])
    assert lags(worker) == [(True, False), (True, True)]
    frames = video("VP8", 12, first=8, received_s=now_s[0] - 1.0)
    put(worker, frames[:2])
    for _ in range(3):
        worker.run("whole")
    put(worker, frames[2:])
    assert lags(worker) == [(True, False), (True, True), (True, False)]


def test_large_raw_frames_wait_as_others_do(make_fresh_worker):
    """Of 720p, a dozen: half a second of a camera's."""
    waiting = consecutive.Backlog()
    for number in range(12):
        info = FrameInfo(number, number * 33.0, 0.0, 1000.0, 1280, 720)
        waiting.put(LaneFrame(info, None, 1000.0))
    assert waiting.cut(1000.5) == 0
    assert len(waiting) == 12
    # And are no more than so many.
    for number in range(12, 40):
        info = FrameInfo(number, number * 33.0, 0.0, 1000.0, 1280, 720)
        waiting.put(LaneFrame(info, None, 1000.0))
    assert waiting.cut(1000.5) > 0


def test_more_bytes_than_may_wait_are_left_out(make_fresh_worker, monkeypatch):
    monkeypatch.setattr(consecutive, "MAX_WAITING_BYTES", 300)
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    put(worker, video("VP8", 12, (640, 480), keys=(0, 10), received_s=fresh()))
    run_all(worker, "whole")
    assert numbers(whole)[0] == 1
    assert set(numbers(whole)[1:]) <= {11, 12}


def test_of_all_that_waits_the_most_is_left_out(make_fresh_worker, monkeypatch):
    large = video("VP8", 12, (640, 480), keys=range(12), sid="a", received_s=fresh())
    small = video("VP8", 12, sid="b", received_s=fresh())
    most = sum(len(frame.data) for frame in large[:8])
    assert sum(len(frame.data) for frame in small) < most / 3
    monkeypatch.setattr(consecutive, "MAX_ALL_WAITING_BYTES", most)
    whole = Whole()
    worker = make_fresh_worker(whole)
    for sid in "ab":
        worker.start(sid, "whole")
    for pair in zip(large, small, strict=True):
        put(worker, pair)
    run_all(worker, "whole")
    (behind,) = sent(worker, LaneIsBehind)
    assert (behind.sid, behind.is_behind) == ("a", True)
    assert len(whole.seen) < 12 + 12, "some of the large ones are left out"
    seen = {result.sid: result.seen["whole"] for result in sent(worker, FrameResult)}
    assert seen["b"].count == 12, "and none of the small ones"
    assert seen["a"].number == 12


def test_it_says_when_it_keeps_up_again(make_fresh_worker, monkeypatch):
    monkeypatch.setattr(consecutive, "MAX_WAITING", 3)
    monkeypatch.setattr(consecutive, "CALM_S", -1.0)
    worker = make_fresh_worker(Whole())
    worker.start("a", "whole")
    put(worker, video("VP8", 9, keys=(0, 7), received_s=fresh()))
    run_all(worker, "whole")
    assert [message.is_behind for message in sent(worker, LaneIsBehind)] == [True, False]


@pytest.mark.parametrize(
    ("keys", "seen"), [((0, 4), [1, 5, 6]), ((0, 2, 4), [1, 3, 4, 5, 6]), ((0, 2), [1, 3, 4, 5, 6])]
)
def test_a_damaged_frame_costs_what_builds_on_it(make_fresh_worker, keys, seen):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    frames = video("VP8", 6, keys=keys, received_s=fresh())
    object.__setattr__(frames[1], "data", b"\x01")
    put(worker, frames)
    run_all(worker, "whole")
    assert numbers(whole) == seen


def test_what_is_over_the_limit_is_decoded_and_not_shown(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    frames = video("VP8", 5, received_s=fresh())
    for at in (1, 3):
        object.__setattr__(frames[at], "is_wanted_late", False)
    # Late for others, and not for it.
    object.__setattr__(frames[2], "is_wanted", False)
    put(worker, frames)
    run_all(worker, "whole")
    assert numbers(whole) == [1, 3, 5]


def test_it_reads_what_others_said_of_the_frame_before(make_fresh_worker):
    on_red = OnRed()
    worker = make_fresh_worker(Red(), on_red)
    worker.start("a", "on_red")
    assert set(worker.runners) == {"red", "on_red"}
    first, *others = video("VP8", 4, received_s=fresh())
    put(worker, [first])
    worker.run("on_red")
    worker.decoded("a", red=100)  # As the first frame.
    worker.decoded("a", red=200)
    worker.run("red")
    worker.run("red")
    put(worker, others)
    run_all(worker, "on_red")
    reds = dict(on_red.read)
    assert reds[1] is None, "nothing was said yet"
    assert abs(reds[2] - 200) < 12
    assert abs(reds[4] - 200) < 12


def test_a_late_one_reads_what_was_said_of_its_frame_and_not_the_newest(make_fresh_worker):
    on_red = OnRed()
    worker = make_fresh_worker(Red(), on_red)
    worker.start("a", "on_red")
    put(worker, video("VP8", 3, received_s=fresh()))
    for red in (50, 100, 200):
        worker.decoded("a", red=red)
        worker.run("red")
    run_all(worker, "on_red")
    read = [red for _, red in on_red.read]
    assert read[0] is None, "it was given this before red had said anything"
    assert abs(read[1] - 100) < 12
    assert abs(read[2] - 200) < 12


def test_an_end_does_not_wait_for_what_is_left(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    put(worker, video("VP8", 5, received_s=fresh()))
    worker.dispatcher.receive(End("a", 0.0))
    run_all(worker, "whole")
    assert numbers(whole) == [1]
    final = worker.sent[-1]
    assert final.seen["whole"] == Seen(1, 1, final.seen["whole"].lag_ms)


def test_an_older_model_with_something_else_by_that_name_sees_the_newest():
    class Old(Red):
        consecutive = 7

    worker = Worker(Old())
    assert not worker.runners["old"].lane.is_consecutive
    worker.close()


def test_a_picture_that_can_not_be_decoded_is_told_of(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    worker.start("a", "whole")
    worker.picture("a", b"\xff\xd8 none")
    run_all(worker, "whole")
    assert whole.seen == []
    assert [type(message).__name__ for message in worker.sent] == ["Unreadable"]
