"""What is a note, and how many are kept."""

import json

import pytest

from server.sessions import control
from server.sessions.control import Note
from server.sessions.notes import MAX_BYTES, Notes
from signaling.errors import BadMessage, TooLarge


@pytest.mark.parametrize(
    "message",
    [
        {"ParticipantID": "A-17"},
        {"ParticipantID": "A-17", "PersonID": None, "surveyResult": {"sleep": 4}},
        {"ParticipantID": "A-17", "PersonID": "p", "bodyDataDict": {"Weight": 61.5}},
        {"ParticipantID": "A-17", "PersonID": "p", "weightDataDict": {"Weight": None}},
        {"type": "surveyResult", "data": {"sleep": 4}},
    ],
)
def test_what_older_clients_say_is_a_note(message):
    assert control.read(json.dumps(message)) == Note(message)


def test_other_messages_are_what_they_were():
    assert control.read('{"type": "rate", "hz": 3}') == control.Rate(type="rate", hz=3)
    # A note's name within a message of another kind makes it none.
    options = {"mine": {"ParticipantID": 1}}
    message = control.read(json.dumps({"type": "configure", "options": options}))
    assert isinstance(message, control.Configure)
    for text in ('["ParticipantID"]', '{"name": "ParticipantID"}', "{"):
        with pytest.raises(BadMessage):
            control.read(text)


def test_the_last_name_counts():
    notes = Notes()
    notes.add({"surveyResult": {}})
    assert notes.participant is None
    notes.add({"ParticipantID": "A"})
    notes.add({"ParticipantID": 7})
    notes.add({"ParticipantID": {"no": "name"}})
    notes.add({"ParticipantID": "x" * 1000})
    assert notes.participant == b"7"
    assert [list(note)[1:] for note in notes.kept[:2]] == [["surveyResult"], ["ParticipantID"]]
    assert all(note["received_at"] > 1_600_000_000_000 for note in notes.kept)


def test_they_do_not_pile_up():
    notes = Notes()
    for _ in range(60):
        notes.add({"surveyResult": "x" * 1000})
    with pytest.raises(TooLarge):
        notes.add({"surveyResult": "x" * 10_000})
    assert len(json.dumps(notes.kept)) < 1.2 * MAX_BYTES


def test_one_that_could_not_be_written_is_refused():
    deep: dict = {}
    for _ in range(300):
        deep = {"surveyResult": deep}
    with pytest.raises(BadMessage, match="too deep"):
        Notes().add(deep)
