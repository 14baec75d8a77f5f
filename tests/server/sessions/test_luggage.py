"""What a session takes along is read as it was written, or refused."""

import cbor2
import pytest

from server.sessions import luggage
from server.sessions.luggage import Luggage
from server.workers.messages import Memory


def full(**more):
    memory = Memory(
        {"exercise": b"\x00\xff" * 50, "pose": b"p"}, {"repetition": b"null"}, ("reid",)
    )
    told = {"frames": 9, "analyzed": 7, "unreadable": 1, "elapsed_s": 1.5, "restarts": 2}
    told |= {"health": {"fps": 30}, "notes": [{"n": 1}], "every_frame": {"vitals": (9, 7)}}
    return Luggage(**{**told, "memory": memory, **more})


def test_it_comes_back_as_it_was():
    assert Luggage.read(full().write()) == full()


def test_what_is_too_much_goes_without_what_analyzers_knew(monkeypatch):
    monkeypatch.setattr(luggage, "MAX_LUGGAGE_BYTES", 200)
    told = Luggage.read(full().write())
    assert told.memory == Memory(lost=("reid", "exercise", "pose"))
    assert told.frames == 9


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"nonsense", b"\xa0", b"\x80", b"\xa1\x66memory\xa0", b"\xf6"]
)
def test_what_is_none_is_refused(data):
    with pytest.raises(ValueError, match="no luggage"):
        Luggage.read(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frames", "many"),
        ("frames", -1),
        ("elapsed_s", float("nan")),
        ("restarts", None),
        ("notes", {"n": 1}),
        ("notes", [1]),
        ("health", 3),
        ("every_frame", {"vitals": [9]}),
        ("every_frame", {"vitals": {"seen": 9}}),
        ("memory", {"states": {"pose": {"a": 1}}}),
        ("memory", {"lost": 3}),
        ("memory", None),
    ],
)
def test_what_another_version_means_otherwise_is_refused(key, value):
    told = {**cbor2.loads(full().write()), key: value}
    with pytest.raises(ValueError, match="no luggage"):
        Luggage.read(cbor2.dumps(told))


def test_what_a_newer_version_adds_is_passed_over():
    told = cbor2.loads(full().write())
    told |= {"colour": "red", "memory": {**told["memory"], "more": 1}}
    assert Luggage.read(cbor2.dumps(told)) == full()
