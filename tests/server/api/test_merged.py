"""What all nodes say together."""

from server.api.merged import history_of, recordings_of, sessions_of


def test_trainings_that_wait_anywhere_are_told():
    well = {"written": True, "waiting": 1, "lost": 0}
    away = {"written": False, "waiting": 7, "lost": 2, "reason": "the database does not take them"}
    assert history_of([well, away]) == history_of([away, well]) == {**away, "waiting": 8}
    assert history_of([well, well]) == {**well, "waiting": 2}
    assert history_of([None, None]) is None


def test_of_a_recording_its_own_node_is_believed():
    """The others read what was noted when it began."""
    noted = {"name": "film", "state": "recording", "started_at": 1, "frames": 0, "seconds": 0.0}
    written = {**noted, "frames": 30, "seconds": 1.0}
    ended = {**written, "state": "finished", "frames": 31}
    older = {**ended, "name": "older", "started_at": 0}
    assert recordings_of([[noted], [written, older], [noted]]) == [older, written]
    assert recordings_of([[noted], [ended]]) == recordings_of([[ended], [noted]]) == [ended]


def test_a_session_that_moves_is_listed_once():
    there = {"id": "a", "created_at": 2, "worker": 0, "frames": 90, "state": "streaming"}
    awaited = {**there, "worker": None, "frames": 3}
    come = {**there, "worker": 1, "frames": 91}
    first = {**there, "id": "b", "created_at": 1}
    assert sessions_of([[awaited], [there, first]]) == [first, there]
    assert sessions_of([[there, first], [awaited]]) == [first, there]
    assert sessions_of([[{**there, "state": "ending"}], [come]]) == [come]
