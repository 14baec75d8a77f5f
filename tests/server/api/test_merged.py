"""What all nodes say together."""

from server.api.merged import history_of


def test_trainings_that_wait_anywhere_are_told():
    well = {"written": True, "waiting": 1, "lost": 0}
    away = {"written": False, "waiting": 7, "lost": 2, "reason": "the database does not take them"}
    assert history_of([well, away]) == history_of([away, well]) == {**away, "waiting": 8}
    assert history_of([well, well]) == {**well, "waiting": 2}
    assert history_of([None, None]) is None
