"""Lanes that see every frame and are behind: what is left out, and what their clients are told."""

import time

from server.workers import consecutive
from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import FrameInfo
from server.workers.messages import (
    MAX_LAG_S,
    FrameResult,
    KeyFrameWanted,
    LaneIsBehind,
    Seen,
)
from tests.server.workers.coded import video
from tests.server.workers.seeing_all import Whole, fresh, numbers, put, run_all, sent


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
