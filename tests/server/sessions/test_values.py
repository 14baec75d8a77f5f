"""What analyzers said, in the forms that it came in and in the other one."""

import itertools

import orjson
import pytest

from analyzers.compact import Form, compact, plain
from server.sessions.results import Result, Timing
from server.sessions.values import Values
from server.workers.mailbox import FrameInfo
from tests.support import compact_samples

OLD = {"reps": b"1", "kept": b'"old"'}
NEW = {"reps": b"2", "summary": b"[1,2]"}
CAME = [frozenset({Form.JSON}), frozenset({Form.CBOR}), frozenset(Form)]


def came(fragments, forms):
    cbor = {key: compact(value) for key, value in fragments.items()}
    return Values(fragments if Form.JSON in forms else None, cbor if Form.CBOR in forms else None)


@pytest.mark.parametrize("forms", CAME)
def test_both_forms_can_be_asked_for(forms):
    values = came(OLD, forms)
    assert values.forms == forms
    assert "kept" in values
    assert "summary" not in values
    assert values.one("reps") == b"1"
    assert values.json == OLD
    assert values.cbor == came(OLD, frozenset(Form)).cbor


def test_nothing_was_said():
    assert (Values().json, Values().cbor) == ({}, {})


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CAME, CAME)))
def test_what_is_newer_stands_in_both_forms(before, after):
    values = came(OLD, before).updated(came(NEW, after))
    assert values.json == {**OLD, **NEW}
    assert {key: plain(value) for key, value in values.cbor.items()} == {
        "reps": 2,
        "kept": "old",
        "summary": [1, 2],
    }


@pytest.mark.parametrize("forms", CAME)
def test_a_value_is_replaced_in_each_form(forms):
    values = came(OLD, forms).replaced("kept", b'"sealed"')
    assert values.forms == forms
    assert values.json["kept"] == b'"sealed"'
    assert plain(values.cbor["kept"]) == "sealed"


def result(values):
    frame = FrameInfo(7, 233.33, 1795239531243.9, 5.0, 640, 480)
    return Result(frame, values, Timing(1.25, {"pose": 12.9}, {}), 3)


@pytest.mark.parametrize("forms", CAME)
@pytest.mark.parametrize("keys", [None, frozenset({"reps"}), frozenset()])
def test_a_message_says_the_same_in_both_forms(forms, keys):
    made = result(came(OLD, forms))
    said = orjson.loads(made.text(keys))
    assert plain(made.encode(keys, Form.CBOR)) == said
    assert ("reps" in said, "kept" in said) == (keys != frozenset(), keys is None)
    assert said["frame"]["number"] == 7


def test_a_message_is_written_once_for_all_who_want_the_same():
    made = result(came(OLD, frozenset(Form)))
    keys = frozenset({"reps"})
    for form in Form:
        assert made.encode(None, form) is made.encode(None, form)
        assert made.encode(keys, form) is made.encode(frozenset({"reps"}), form)
    assert len({made.encode(k, form) for k in (None, keys) for form in Form}) == 4


def test_the_samples_of_the_pages_tests_are_what_is_sent():
    """If not: ``python -m tests.support.compact_samples``."""
    assert orjson.loads(compact_samples.FILE.read_bytes()) == compact_samples.samples()
