"""What a session takes along is read as it was written, or refused."""

import pytest

from server.sessions import luggage
from server.sessions.luggage import Luggage
from server.workers.messages import Memory


def full(**more):
    memory = Memory(
        {"exercise": b"\x00\xff" * 50, "pose": b"p"}, {"repetition": b"null"}, ("reid",)
    )
    told = {"frames": 9, "analyzed": 7, "unreadable": 1, "elapsed_s": 1.5, "restarts": 2}
    told |= {"health": {"fps": 30}, "notes": [{"n": 1}], "every_frame": {"vitals": [9, 7]}}
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
