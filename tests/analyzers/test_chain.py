"""What a session knows, merged from lanes that run at their own speeds."""

import pytest

from analyzers.chain import Merged, arrange
from analyzers.ordering import closure
from tests.analyzers.models import FRAME, model


def test_a_later_analyzer_wins_whenever_it_spoke():
    merged = Merged(["first", "second"])
    merged.update({"second": {"x": b"2"}})
    merged.update({"first": {"x": b"1", "y": b"1"}})
    assert merged.fragments() == {"x": b"2", "y": b"1"}
    merged.update({"first": {"x": b"10"}, "second": {"z": b"3"}})
    assert merged.fragments() == {"x": b"2", "y": b"1", "z": b"3"}


def test_a_key_not_produced_keeps_its_last_value():
    merged = Merged(["pose"])
    merged.update({"pose": {"a": b"1", "b": b"1"}})
    merged.update({"pose": {"a": b"2"}})
    merged.update({})
    assert merged.fragments() == {"a": b"2", "b": b"1"}


def test_fragments_are_a_copy():
    merged = Merged(["pose"])
    merged.update({"pose": {"a": b"1"}})
    merged.fragments()["a"] = b"2"
    assert merged.fragments() == {"a": b"1"}


def test_an_analyzer_that_is_not_of_the_session_is_refused():
    with pytest.raises(KeyError):
        Merged(["pose"]).update({"other": {}})


def test_lanes_and_merging_together():
    analyzers = [
        model("Late", requires=["early"], frame=lambda self, sid, frame, t: {"who": "late"}),
        model("Early", frame=lambda self, sid, frame, t: {"who": "early", "t": t}),
        model("Alone", end=lambda self, sid: {"who": "alone"}),
    ]
    lanes = arrange(analyzers)
    wanted = closure(["late", "alone"], analyzers)
    merged = Merged(wanted)
    for lane in lanes:
        lane.start("s", 0, wanted, {})
        merged.update(lane.frame("s", FRAME, 40).fragments)
    # In the order of the list "early" comes after "late", although it runs before.
    assert merged.fragments() == {"who": b'"early"', "t": b"40", "alone": b"1"}
    for lane in lanes:
        merged.update(lane.end("s", 80).fragments)
    assert merged.fragments()["who"] == b'"alone"'
