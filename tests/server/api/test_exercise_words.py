"""Words for older clients, and ours."""

import orjson
import pytest

from server.api.exercise_words import ExerciseWords
from server.config import parse_settings
from server.sessions.results import Result, Timing
from server.sessions.values import Values

OLDER = ("--preset", "exercise")


def result(**said):
    usual = {
        "has_pose": True,
        "exercise": "none",
        "score": None,
        "reps": 0,
        "phase": "rest",
        "feedback": [],
        "warnings": [],
    }
    fragments = {key: orjson.dumps(value) for key, value in {**usual, **said}.items()}
    return Result(None, Values(fragments), Timing(0, {}, {}), 0)


@pytest.mark.parametrize(
    ("flags", "said", "exercise", "score"),
    [
        ((), {"exercise": "push_up", "score": 71.6}, "push_up", 72),
        (OLDER, {"exercise": "push_up", "score": 71.6}, "pushup", 72),
        ((), {}, "none", None),
        (OLDER, {}, "standing", 0),
        (OLDER, {"exercise": "plank"}, "plank", 0),
        ((), {"has_pose": False, "exercise": "squat", "score": 90}, "none", None),
        (OLDER, {"has_pose": False, "exercise": "squat", "score": 90}, "unknown", 0),
        ((*OLDER, "--exercise-names", "kinecast"), {}, "none", 0),
    ],
)
def test_what_each_is_called(flags, said, exercise, score):
    seen = ExerciseWords(parse_settings(flags)).seen(result(**said))
    assert (seen.exercise, seen.score) == (exercise, score)
    assert seen.success is said.get("has_pose", True)


def test_what_was_done_in_a_video_is_called_as_what_is_done_in_a_picture():
    done = {"push_up": {"reps": 3}, "squat": {"reps": 2}}
    older = ExerciseWords(parse_settings(OLDER))
    assert older.by_exercise(done) == {"pushup": {"reps": 3}, "squat": {"reps": 2}}
    assert ExerciseWords(parse_settings(())).by_exercise(done) == done


@pytest.mark.parametrize("said", [{}, {"still": False}])
def test_where_nobody_says_that_it_is_a_still_it_is_none(said):
    assert ExerciseWords(parse_settings(())).seen(result(**said)).is_still is False
    assert ExerciseWords(parse_settings(())).seen(result(still=True)).is_still is True


def test_where_the_analyzers_failed_there_is_nothing_to_tell():
    failed = Result(None, Values({"has_pose": b"true"}), Timing(0, {}, {}), 0)
    assert ExerciseWords(parse_settings(())).seen(failed) is None
