"""What is told of analyzers that are to see every frame."""

from server.sessions.every_frame import EveryFrame
from server.workers.messages import LaneIsBehind, Seen


def test_what_was_not_seen_is_counted_up_to_the_last_frame_that_was():
    every = EveryFrame()
    assert every.told() == {}
    every.take({"pulse": Seen(0, 0, 0.0)})
    assert every.told() == {"pulse": {"lag_ms": 0.0, "dropped": 0}}
    every.take({"pulse": Seen(30, 28, 12.345)})
    assert every.told() == {"pulse": {"lag_ms": 12.35, "dropped": 2}}
    assert every.told(frames=33)["pulse"]["dropped"] == 5


def test_a_new_worker_goes_on_counting():
    every = EveryFrame()
    every.take({"pulse": Seen(30, 30, 1.0)})
    every.begin_anew()
    assert every.told()["pulse"]["dropped"] == 0
    every.take({"pulse": Seen(0, 0, 0.0)})
    assert every.told()["pulse"]["dropped"] == 0, "it has seen none yet"
    every.take({"pulse": Seen(50, 10, 2.0)})
    assert every.told() == {"pulse": {"lag_ms": 2.0, "dropped": 10}}


def test_each_analyzer_of_a_lane_is_told_of():
    every = EveryFrame()
    behind = LaneIsBehind("a", ("pulse", "breath"), True, Seen(10, 10, 900.0), 60)
    first, second = every.notices(behind)
    assert (first["analyzer"], second["analyzer"]) == ("pulse", "breath")
    assert first["type"] == "analyzer_lag"
    assert (first["state"], first["dropped"]) == ("behind", 60)
    (again, _) = every.notices(LaneIsBehind("a", ("pulse", "breath"), False, Seen(100, 40, 3.0), 0))
    assert (again["state"], again["dropped"]) == ("in_time", 60)
    blind = LaneIsBehind("a", ("pulse",), True, Seen(100, 40, 3.0), 0, True)
    (told,) = every.notices(blind)
    assert told["state"] == "blind"
    assert "key frame" in told["message"]
