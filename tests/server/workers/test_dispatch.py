"""Which frame goes to which lane when, decided step by step by the test."""

from collections import deque
from dataclasses import replace

import pytest

from server.workers.dispatch import PATIENCE_S
from server.workers.messages import (
    ChangeOptions,
    End,
    Final,
    FrameAvailable,
    Problems,
)
from tests.server.workers.coded import video
from tests.server.workers.stepped import (
    QUICK_S,
    SLOW_S,
    Blue,
    OnRed,
    Red,
    numbers,
)
from tests.support import pictures


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


def test_after_the_process_stood_still_what_came_before_is_not_told(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.decoded("a")
    # Its lane is at it when the process stops, for three seconds.
    worker.now += 3.0
    worker.dispatcher.was_stopped(worker.now - 0.15)
    worker.run("red")
    assert worker.results() == []
    worker.decoded("a")
    worker.run("red")
    assert numbers(worker.results()) == [("a", 2)]


def test_a_frame_from_before_is_given_to_no_lane(make_worker):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.start("b", "red")
    worker.decoded("a")
    worker.decoded("b")
    worker.now += 3.0
    worker.dispatcher.was_stopped(worker.now - 0.15)
    worker.run("red")
    assert not worker.runners["red"].jobs, "b's is as old"
    # A picture that somebody waits for is answered, however long that took.
    worker.picture("b", pictures.plain_jpeg((200, 0, 0)))
    worker.run("red")
    assert numbers(worker.results()) == [("b", 2)]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_an_old_frame_is_left_out_for_a_newer_one_that_is_wanted(make_worker, is_wanted):
    worker = make_worker(Red())
    worker.start("a", "red")
    worker.decoded("a")
    worker.decoded("a")
    on_its_way = replace(video("VP8", 1, sid="a", first=3)[0], is_wanted=is_wanted)
    worker.dispatcher.receive(on_its_way)
    # It has waited for its lane, since long ago by the machine's clock.
    worker.run("red")
    worker.run("red")
    assert numbers(worker.results()) == [("a", 1)] + [("a", 2)] * (not is_wanted)


def test_frames_of_a_video_go_to_the_decoder_until_the_session_ends(make_worker):
    worker = make_worker(Red())
    frame = video("VP8", 1, sid="a")[0]
    worker.dispatcher.receive(frame)
    assert worker.video.frames == [], "nobody knows of the session"
    worker.start("a", "red")
    worker.dispatcher.receive(frame)
    assert worker.video.frames == [frame]
    worker.dispatcher.receive(End("a", 0.0))
    assert worker.video.frames == []
    worker.dispatcher.receive(frame)
    assert worker.video.frames == []
