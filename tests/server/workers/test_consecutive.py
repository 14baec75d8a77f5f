"""Lanes that see every frame, stepped: what they see, what waits, and what is left out in runs."""

import pytest

from server.workers import consecutive
from server.workers.mailbox import FrameInfo
from server.workers.messages import (
    EncodedInput,
    End,
    FrameResult,
    Seen,
)
from tests.server.workers.coded import video
from tests.server.workers.seeing_all import (
    FRESH_S,
    OnRed,
    Whole,
    fresh,
    numbers,
    put,
    run_all,
    sent,
)
from tests.server.workers.stepped import SLOW_S, Red, Worker, of_one_red
from tests.support import pictures


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
    frames = video("VP8", 4, received_s=fresh())
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


def test_it_waits_while_somebody_waits_for_others(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole, Red())
    worker.start("a", "whole", "red")
    worker.start("b", "whole")
    put(worker, video("VP8", 2, received_s=fresh()))
    put(worker, video("VP8", 1, sid="b", received_s=fresh()))
    worker.decoded("a")
    worker.decoded("a")
    assert worker.run("whole") is None, "red is at work, and its next picture is there"
    worker.run("red")
    assert worker.run("whole") is None, "red is at work"
    worker.run("red")
    assert [worker.run("whole").sid for _ in range(3)] == list("aba")
    # And while its picture is being decoded.
    put(worker, video("VP8", 1, first=3, received_s=fresh()))
    assert worker.run("whole") is None
    worker.decoded("a")
    worker.run("red")
    assert worker.run("whole") is not None


def test_it_waits_for_a_moment_only(make_fresh_worker, monkeypatch):
    monkeypatch.setattr(consecutive, "YIELDS_S", -2 * FRESH_S)
    whole = Whole()
    worker = make_fresh_worker(whole, Red())
    worker.start("a", "whole", "red")
    put(worker, video("VP8", 3, received_s=fresh()))
    worker.decoded("a")
    assert worker.run("whole") is not None
    assert worker.run("whole") is not None
    assert numbers(whole) == [1, 2]


def test_it_waits_for_no_slow_one(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole, Red())
    worker.start("a", "whole", "red")
    for _ in range(2):
        worker.decoded("a")
        worker.run("red", SLOW_S)
    worker.decoded("a")
    put(worker, video("VP8", 1, first=4, received_s=fresh()))
    assert worker.runners["red"].jobs
    assert worker.run("whole") is not None


def test_sessions_take_turns(make_fresh_worker):
    whole = Whole()
    worker = make_fresh_worker(whole)
    for sid in "ab":
        worker.start(sid, "whole")
    for sid in "ab":
        put(worker, video("VP8", 3, sid=sid, received_s=fresh()))
    assert [worker.run("whole").sid for _ in range(6)] == list("ababab")


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


def test_it_reads_what_others_said_of_its_frame(make_fresh_worker):
    on_red = OnRed()
    worker = make_fresh_worker(Red(), on_red)
    worker.start("a", "on_red")
    assert set(worker.runners) == {"red", "on_red"}
    for frame, red in zip(video("VP8", 4, received_s=fresh()), (100, 200, 50, 150), strict=True):
        put(worker, [frame])
        worker.decoded("a", red=red)
        worker.run("red")
        run_all(worker, "on_red")
    reds = [red for _, red in on_red.read]
    assert reds == pytest.approx([100, 200, 50, 150], abs=12)


def test_a_late_one_reads_what_was_said_of_its_frame_and_not_the_newest(
    make_fresh_worker, monkeypatch
):
    monkeypatch.setattr(consecutive, "YIELDS_S", -2 * FRESH_S)
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
