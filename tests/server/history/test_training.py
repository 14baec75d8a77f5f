"""What is kept of what a session tells."""

import math

from server.history.training import MOST_REPETITIONS, Draft, read_repetition, sets_of
from tests.support.trainer import told


def draft():
    return Draft("name:ann", "ann", "0123456789abcdef", 1_700_000_000_000)


def test_sets_end_with_a_pause_or_another_exercise():
    rows = [
        *(told(n) for n in range(3)),
        *(told(n, began_ms=30_000) for n in range(2)),
        told(0, "lunge", 36_500),
    ]
    found = sets_of([read_repetition(row) for row in reversed(rows)])
    assert [(s.exercise, len(s.repetitions), s.start_ms) for s in found] == [
        ("squat", 3, 0.0),
        ("squat", 2, 30_000.0),
        ("lunge", 1, 36_500.0),
    ]
    assert found[0].score == 81.0


def test_what_the_final_result_knows_and_was_never_told():
    training = draft()
    training.add(told(0))
    summary = {
        "exercises": {"plank": {"held_s": 31.5, "mean_score": 77.0}, "squat": {"reps": 2}},
        "repetitions": [told(0), told(1)],
    }
    training.sum_up({"exercise_summary": summary})
    squats, plank = training.training().sets
    assert [each.start_ms for each in squats.repetitions] == [0.0, 3000.0]
    assert (plank.exercise, plank.held_s, plank.score) == ("plank", 31.5, 77.0)
    assert squats.repetitions[1].faults == ("squat_shallow",)
    assert squats.repetitions[0].widest_deg == 100.0


def test_what_is_only_counted_is_kept_by_how_many():
    training = draft()
    training.add(told(0))
    exercises = {
        "unknown": {"reps": 4, "range_deg": {}},
        "squat": {"reps": 1},
        "lunge": {"reps": 0},
    }
    training.sum_up({"exercise_summary": {"exercises": exercises}})
    squat, unknown = training.training().sets
    assert (squat.exercise, squat.reps) == ("squat", 1)
    assert (unknown.exercise, unknown.reps, unknown.repetitions) == ("unknown", 4, ())
    assert (unknown.held_s, unknown.score) == (None, None)
    nothing_else = draft()
    nothing_else.sum_up({"exercise_summary": {"exercises": {"unknown": {"reps": 1e12}}}})
    assert not nothing_else.is_empty
    assert [each.reps for each in nothing_else.training().sets] == [MOST_REPETITIONS]


def test_what_is_no_repetition_and_what_no_database_takes():
    for bad in (None, 7, [], {}, {"exercise": "squat"}, told(0) | {"end_ms": math.nan}):
        assert read_repetition(bad) is None
    odd = told(0) | {
        "exercise": "s\x00q" + "u" * 1000,
        "score": math.inf,
        "score_parts": {"depth": "much", "tempo": 5},
        "faults": [{"a": 1}, "\ud800"] * 50,
        "range_deg": {"knee": [1, 2, 3], "hip": [1, math.nan], "elbow": [3, 9]},
        "tempo_s": None,
    }
    found = read_repetition(odd)
    assert found.exercise == "sq" + "u" * 62
    assert (found.score, found.down_s) == (None, None)
    assert found.parts == {"tempo": 5.0}
    assert found.range_deg == {"elbow": (3.0, 9.0)}
    assert len(found.faults) <= 16
    "".join(found.faults).encode()


def test_how_much_it_takes():
    """About as much as Python says, and not more when the same is told again."""
    names = [f"{number:02}" + "\N{GRINNING FACE}" * 62 for number in range(16)]
    for more, least, most in (({}, 800, 4_000), (_of_names(names), 15_000, 25_000)):
        training = draft()
        for _ in range(3):
            training.add({**told(0), **more})
        assert least < training.bytes < most
        training.add({**told(1), **more})
        assert training.bytes == sum(each.bytes for each in training.repetitions.values())


def _of_names(names):
    return {
        "range_deg": {name: [1.0, 2.0] for name in names},
        "score_parts": dict.fromkeys(names, 50.0),
        "faults": names,
    }


def test_there_is_an_end_to_it():
    training = draft()
    for number in range(MOST_REPETITIONS + 10):
        training.add(told(number))
    assert len(training.repetitions) == MOST_REPETITIONS
