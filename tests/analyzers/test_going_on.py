"""A lane hands its sessions over, and goes on with those of another one."""

import numpy as np
import pytest

from analyzers.base_model import MAX_STATE_BYTES, BaseModel
from analyzers.chain import arrange
from analyzers.pose import Pose
from tests.analyzers.models import FRAME, model


class Counter(BaseModel):
    """Counts frames."""

    events = ("count",)

    def __init__(self):
        self.counts = {}
        self.saves = None

    def start(self, sid, timestamp, *, options):
        assert sid not in self.counts, "started twice without an end"
        self.counts[sid] = options.get("from", 0)

    def frame(self, sid, frame, timestamp):
        self.counts[sid] += 1
        return {"count": self.counts[sid]}

    def save(self, sid):
        return self.saves(sid) if self.saves else str(self.counts[sid]).encode()

    def restore(self, sid, state):
        self.counts[sid] = None
        self.counts[sid] = "?" if state == b"plausible" else int(state)

    def end(self, sid, timestamp):
        return {"counted": self.counts.pop(sid)}


class Silent(Counter):
    events = ()


def lane_of(*analyzers):
    (lane,) = arrange(analyzers)
    return lane


def moved(saves=None, analyzer=Counter):
    """What a lane says of a session of two frames that moves."""
    counter = analyzer()
    lane = lane_of(counter)
    lane.start("s", 0, [counter.name])
    lane.frame("s", FRAME, 0)
    lane.frame("s", FRAME, 33)
    counter.saves = saves
    report = lane.end("s", 66, moves=True)
    assert counter.counts == {}
    return report


def count_after(states, analyzer=Counter, **options):
    """What another lane counts in the first frame that it has, and what began anew."""
    lane = lane_of(analyzer())
    begun = lane.start("s", 66, [analyzer.name], {analyzer.name: options}, states)
    first = lane.frame("s", FRAME, 100)
    assert not begun.problems
    assert not first.problems
    return int(first.fragments[analyzer.name]["count"]), begun.anew + first.anew


def test_a_session_goes_on():
    report = moved()
    assert report.states == {"counter": b"2"}
    assert report.anew == ()
    assert count_after(report.states) == (3, ())


def test_an_end_that_is_none_saves_nothing():
    lane = lane_of(Counter())
    lane.start("s", 0, ["counter"])
    assert lane.end("s", 0).states == {}


def test_a_new_session_restores_nothing():
    assert count_after(None) == (1, ())


@pytest.mark.parametrize("state", [b"", b"\xff", b"version 9", b"1" * (MAX_STATE_BYTES + 1)])
def test_what_can_not_be_restored_begins_anew_with_its_options(state, caplog):
    assert count_after({"counter": state}, **{"from": 5}) == (6, ("counter",))
    assert "what counter knew can not be restored" in caplog.text


def test_what_only_seems_to_be_restored_begins_anew_at_its_first_failure(caplog):
    assert count_after({"counter": b"plausible"}) == (1, ("counter",))
    assert "can not go on with what it was given" in caplog.text


@pytest.mark.parametrize(
    ("saves", "says"),
    [
        (lambda sid: b"1" * (MAX_STATE_BYTES + 1), f"and may give {MAX_STATE_BYTES} bytes"),
        (lambda sid: "2", "save() gave a str"),
        (lambda sid: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_can_not_be_saved_is_told_in_the_log_alone(saves, says, caplog):
    report = moved(saves)
    assert report.states == {}
    assert report.problems == ()
    assert report.anew == ("counter",)
    assert says in caplog.text
    assert count_after(report.states) == (1, ("counter",))


def test_nothing_to_say_is_nothing_to_tell(caplog):
    assert moved(lambda sid: None).states == {}
    assert not caplog.text


def test_who_counts_nothing_is_not_missed():
    assert moved(lambda sid: 1 / 0, Silent).anew == ()
    assert count_after({"silent": b"?"}, Silent) == (1, ())


def test_an_analyzer_that_remembers_nothing_begins_anew_quietly():
    lane = lane_of(model("Plain"))
    lane.start("s", 0, ["plain"])
    report = lane.end("s", 0, moves=True)
    assert (report.states, report.anew, report.problems) == ({}, (), ())
    assert lane.start("s", 0, ["plain"], {}, {}).anew == ()
    assert lane.frame("s", FRAME, 0).fragments == {"plain": {"plain": b"1"}}


def test_poses_numbers_and_counts_go_on():
    rgb = np.zeros((240, 320, 3), np.uint8)
    first, second = Pose(), Pose()
    first.start("a", 0.0)
    for number in range(3):
        first.frame("a", rgb, number * 33.0)
    first._sessions["a"].identities._last_number = 7
    state = first.save("a")
    second.start("a", 100.0)
    second.restore("a", state)
    second.frame("a", rgb, 133.0)
    assert second._sessions["a"].identities._last_number == 7
    assert second.end("a")["pose_summary"] == {"frames": 4, "frames_with_pose": 0}
