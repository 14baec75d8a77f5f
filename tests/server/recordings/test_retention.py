"""Which recordings have to go: the oldest, those that are too old, and never one that runs."""

import pytest

from server.recordings.retention import Plan, Retention, plan
from server.recordings.status import RecordingNote, State

DAY_MS = 86_400_000
NOW_MS = 1000 * DAY_MS


def recording(name, ended_days_ago, size):
    return RecordingNote(
        name=name,
        source="camera",
        state=State.FINISHED,
        started_at=int(NOW_MS - ended_days_ago * DAY_MS) - 60_000,
        seconds=60,
        bytes=size,
        frames=1,
        error=None,
    )


OLD, MIDDLE, NEW = recording("old", 9, 100), recording("middle", 5, 100), recording("new", 1, 100)
ALL = [NEW, OLD, MIDDLE]


@pytest.mark.parametrize(
    ("days", "quota", "running", "expected"),
    [
        pytest.param(0, 0, [5000], Plan((), None), id="no limits"),
        pytest.param(9.5, 0, [], Plan((), None), id="none is too old"),
        pytest.param(4, 0, [], Plan(("old", "middle"), None), id="two are too old"),
        pytest.param(0, 300, [], Plan((), 0), id="just enough"),
        pytest.param(0, 299, [], Plan(("old",), 99), id="one too many"),
        pytest.param(0, 150, [], Plan(("old", "middle"), 50), id="two too many"),
        pytest.param(9, 299, [], Plan(("old",), 99), id="too old and too much is one"),
        pytest.param(8, 250, [], Plan(("old",), 50), id="what is too old goes first"),
        pytest.param(0, 50, [], Plan(("old", "middle"), 0), id="the last one stays"),
        # A quarter is kept free for what runs.
        pytest.param(0, 400, [0], Plan((), 100), id="a quarter is free"),
        pytest.param(0, 400, [1], Plan(("old",), 199), id="less is free"),
        pytest.param(0, 400, [380], Plan(("old", "middle", "new"), 20), id="all go for it"),
        pytest.param(0, 400, [300, 200], Plan(("old", "middle", "new"), 0), id="nothing is left"),
    ],
)
def test_what_goes(days, quota, running, expected):
    assert plan(Retention(days, quota), ALL, running, NOW_MS) == expected
