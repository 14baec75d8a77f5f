"""A lane runs its analyzers in order, and one that fails fails alone."""

import logging

import numpy as np
import pytest

from analyzers.chain import arrange
from analyzers.lane import Problem
from analyzers.ordering import ChainError
from tests.analyzers.models import FRAME, OldFullSignature, OldShortSignature, failing, model


def lane_of(*analyzers):
    (lane,) = arrange(analyzers)
    return lane


def started(*analyzers, sid="s", options=None):
    lane = lane_of(*analyzers)
    report = lane.start(sid, 0, [analyzer.name for analyzer in analyzers], options or {})
    assert report.problems == ()
    return lane


def test_a_report_has_fragments_and_timings():
    lane = started(model("Pose"), model("Exercise", requires=["pose"]))
    report = lane.frame("s", FRAME, 33)
    assert report.fragments == {"pose": {"pose": b"1"}, "exercise": {"exercise": b"1"}}
    assert set(report.timings_ms) == {"pose", "exercise"}
    assert all(0 <= spent_ms < 1000 for spent_ms in report.timings_ms.values())
    assert report.problems == ()


def test_results_of_earlier_analyzers_are_passed_on():
    def read(self, sid, frame, timestamp, results):
        return {"seen": results}

    lane = started(model("Pose"), model("Reader", requires=["pose"], frame=read))
    report = lane.frame("s", FRAME, 0)
    assert report.fragments["reader"] == {"seen": b'{"pose":{"pose":1}}'}


def test_an_analyzer_that_says_nothing_is_left_out():
    def read(self, sid, frame, timestamp, results):
        return {"seen": sorted(results)}

    lane = started(
        model("Pose", frame=lambda self, *args: None),
        model("Reader", requires=["pose"], frame=read),
    )
    assert lane.frame("s", FRAME, 0).fragments == {"reader": {"seen": b"[]"}}


def test_only_wanted_analyzers_run_with_their_requirements():
    pose, exercise = model("Pose"), model("Exercise", requires=["pose"])
    lane = lane_of(pose, exercise)
    lane.start("only pose", 0, ["pose", "in_another_lane"], {})
    lane.start("both", 0, ["exercise"], {})
    lane.start("neither", 0, ["in_another_lane"], {})
    assert list(lane.frame("only pose", FRAME, 0).fragments) == ["pose"]
    assert list(lane.frame("both", FRAME, 0).fragments) == ["pose", "exercise"]
    assert lane.frame("neither", FRAME, 0).fragments == {}


def test_options_reach_start_and_configure():
    seen = []

    def start(self, sid, timestamp=None, *args, options, **kwargs):
        seen.append(("start", sid, options))

    def configure(self, sid, options):
        seen.append(("configure", sid, options))

    lane = lane_of(model("Pose", start=start, configure=configure))
    lane.start("s", 0, ["pose"], {"pose": {"n": 2}, "other": {"n": 3}})
    lane.start("plain", 0, ["pose"], {})
    lane.configure("s", {"pose": {"n": 4}})
    lane.configure("s", {"other": {"n": 5}})
    assert seen == [
        ("start", "s", {"n": 2}),
        ("start", "plain", {}),
        ("configure", "s", {"n": 4}),
    ]


def test_older_signatures_run_unchanged():
    full, short = OldFullSignature(), OldShortSignature()
    for old, sid in ((full, "f"), (short, "h")):
        lane = lane_of(old)
        assert lane.start(sid, 0, [old.name], {"anything": {}}).problems == ()
        assert lane.frame(sid, FRAME, 33).problems == ()
        assert lane.configure(sid, {old.name: {}}).problems == ()
        assert lane.end(sid, 66).problems == ()
    assert full.calls == [
        ("start", "f", 0, (), {"options"}),
        ("frame", "f", (48, 64, 3), 33, (), {"results"}),
        ("end", "f", 66, ()),
    ]
    assert short.calls == [("start", "h", 0), ("frame", "h", (48, 64, 3), 33), ("end", "h")]


def test_an_exception_in_frame_costs_that_result_only(caplog):
    def read(self, sid, frame, timestamp, results):
        return {"seen": sorted(results)}

    lane = started(
        model("Root"),
        model("Broken", requires=["root"], frame=failing("no\nlight")),
        model("Reader", requires=["broken"], frame=read),
    )
    report = lane.frame("s", FRAME, 0)
    assert report.fragments == {"root": {"root": b"1"}, "reader": {"seen": b'["root"]'}}
    assert report.problems == (Problem("broken", "frame", "RuntimeError: no light"),)
    assert "broken" in report.timings_ms
    (record,) = caplog.records
    assert record.getMessage() == "session s: analyzer broken raised in frame"
    assert record.exc_info[0] is RuntimeError


def test_an_exception_on_every_frame_is_told_each_time_and_logged_once(caplog):
    lane = started(model("Broken", frame=failing("no light")))
    with caplog.at_level(logging.INFO):
        reports = [lane.frame("s", FRAME, n) for n in range(5)]
    assert [len(report.problems) for report in reports] == [1] * 5
    assert len(caplog.records) == 1


def test_an_analyzer_whose_start_raised_gets_no_frames_and_no_end():
    touched = []
    broken = model(
        "Broken",
        start=failing("no weights"),
        frame=lambda self, *args: touched.append("frame"),
        end=lambda self, *args: touched.append("end"),
    )
    lane = lane_of(broken, model("Fine", requires=["broken"]))
    report = lane.start("s", 0, ["fine"], {})
    assert report.problems == (Problem("broken", "start", "RuntimeError: no weights"),)
    assert lane.frame("s", FRAME, 0).fragments == {"fine": {"fine": b"1"}}
    lane.end("s", 0)
    assert touched == []


def test_end_reaches_everyone_although_one_raises_and_forgets_the_session():
    ended = []

    def end(self, sid, timestamp):
        ended.append((self.name, sid, timestamp))
        return {f"{self.name}_total": 7}

    lane = started(
        model("A", end=end),
        model("B", requires=["a"], end=failing("disk full")),
        model("C", requires=["b"], end=end),
    )
    report = lane.end("s", 99)
    assert ended == [("a", "s", 99), ("c", "s", 99)]
    assert report.fragments == {"a": {"a_total": b"7"}, "c": {"c_total": b"7"}}
    assert report.problems == (Problem("b", "end", "RuntimeError: disk full"),)
    assert lane.end("s", 100).fragments == {}
    assert lane.frame("s", FRAME, 0).timings_ms == {}
    assert lane.configure("s", {"a": {}}).problems == ()
    assert lane.start("s", 0, ["a"], {}).problems == ()


def test_an_exception_in_configure_leaves_the_analyzer_running():
    lane = started(model("Pose", configure=failing("num_poses is 9")))
    report = lane.configure("s", {"pose": {"num_poses": 9}})
    assert report.problems == (Problem("pose", "configure", "RuntimeError: num_poses is 9"),)
    assert lane.frame("s", FRAME, 0).fragments == {"pose": {"pose": b"1"}}


def test_a_session_starts_once():
    lane = started(model("Pose"))
    with pytest.raises(ChainError, match="session s is already started in lane pose"):
        lane.start("s", 0, ["pose"], {})


def test_sessions_do_not_share_failures():
    def picky(self, sid, timestamp):
        if sid == "bad":
            raise ValueError("not this one")

    lane = lane_of(model("Pose", start=picky))
    assert lane.start("bad", 0, ["pose"], {}).problems
    assert not lane.start("good", 0, ["pose"], {}).problems
    assert lane.frame("good", FRAME, 0).fragments
    assert not lane.frame("bad", FRAME, 0).fragments


def test_the_frame_is_read_only_for_analyzers_and_untouched_for_the_caller():
    def draw(self, sid, frame, timestamp):
        frame[0, 0] = 255

    mine = np.zeros((8, 8, 3), np.uint8)
    lane = started(model("Painter", frame=draw))
    (problem,) = lane.frame("s", mine, 0).problems
    assert problem.message.startswith("ValueError: ")
    assert "write on frame.copy()" in problem.message
    assert mine.sum() == 0
    assert mine.flags.writeable


def test_drawing_with_opencv_is_told_the_same():
    cv2 = pytest.importorskip("cv2")

    def draw(self, sid, frame, timestamp):
        cv2.rectangle(frame, (0, 0), (4, 4), (255, 0, 0))

    (problem,) = started(model("Painter", frame=draw)).frame("s", FRAME, 0).problems
    assert "write on frame.copy()" in problem.message


def test_conversions_are_told_once_a_session():
    lane = started(model("Score", frame=lambda self, *args: {"score": np.float32(0.5)}))
    lane.start("other", 0, ["score"], {})
    reports = [lane.frame("s", FRAME, 0), lane.frame("s", FRAME, 1), lane.frame("other", FRAME, 0)]
    assert [report.fragments for report in reports] == [{"score": {"score": b"0.5"}}] * 3
    assert [len(report.problems) for report in reports] == [1, 0, 1]
    assert reports[0].problems[0].phase == "encode"
    assert "score is numpy.float32" in reports[0].problems[0].message


def test_a_result_without_a_form_in_json_is_lost_for_this_frame():
    def alternate(self, sid, frame, timestamp):
        return {"fine": 1, "mask": b"\x00" if timestamp == 0 else "none"}

    def read(self, sid, frame, timestamp, results):
        return {"seen": sorted(results)}

    lane = started(model("Mask", frame=alternate), model("Reader", requires=["mask"], frame=read))
    lost = lane.frame("s", FRAME, 0)
    assert lost.fragments == {"reader": {"seen": b"[]"}}
    (problem,) = lost.problems
    assert (problem.analyzer, problem.phase) == ("mask", "frame")
    assert problem.message.startswith("mask is bytes, which JSON cannot hold")
    assert lane.frame("s", FRAME, 1).fragments["mask"] == {"fine": b"1", "mask": b'"none"'}
