"""An exercise that is learned in a session, as the client sees it."""

import json

import numpy as np
import pytest

from analyzers.compact import compact, plain
from analyzers.exercise import Exercise
from client_test.athlete import standing
from tests.analyzers.exercise.recordings import Recording, both_lists, of_exercise

from .test_definition import definition

FRAME = np.zeros((480, 640, 3), np.uint8)
NOBODY = {"has_pose": False, "landmarks": [], "world_landmarks": []}
CURLS = of_exercise(standing.BICEP_CURL, -35.0, 5)
# Somebody who stands a moment longer: the last repetition is told within it.
CURLS = CURLS.at(np.arange(0.0, CURLS.times_s[-1] + 0.5, 1 / 30))
SQUATS = of_exercise(standing.SQUAT, 25.0, 4)


def run(exercise, recording, begin_s=0.0, sid="a"):
    return [
        exercise.frame(
            sid, FRAME, 1000.0 * (begin_s + time_s),
            results={"pose": {"has_pose": True, **both_lists(recording, number)}},
        )
        for number, time_s in enumerate(recording.times_s.tolist())
    ]  # fmt: skip


def learn(exercise, recording, **options):
    exercise.start("a", 0.0, options={"learn": {"name": "my_curl"}, **options})
    results = run(exercise, recording)
    told = [each["exercise_learned"] for each in results if each["exercise_learned"]]
    assert len(told) == 1
    return results, told[0]


def test_it_is_learned_told_once_and_counted_from_then_on():
    exercise = Exercise()
    results, definition_ = learn(exercise, CURLS)
    assert len(json.dumps(definition_)) < 20_000
    at = next(n for n, each in enumerate(results) if each["exercise_learned"])
    while_learning = [each["exercise_learning"] for each in results[:at]]
    assert while_learning[0] == {
        "name": "my_curl",
        "seen": 0,
        "wanted": 3,
        "hint": {"code": "learning_begin", "text": "Begin when you are ready"},
    }
    assert sorted({each["seen"] for each in while_learning}) == [0, 1, 2, 3]
    assert {each["exercise"] for each in results[:at]} == {"none"}
    assert {each["exercise_learning"] for each in results[at:]} == {None}
    assert results[-1]["exercise"] == "my_curl"
    assert results[-1]["reps"] == 2
    final = exercise.end("a")
    assert final["exercise_summary"]["main_exercise"] == final["exercise"] == "my_curl"
    assert final["exercise_summary"]["exercises"]["my_curl"]["reps"] == 2
    assert plain(compact(json.dumps(definition_).encode())) == definition_


def test_what_was_learned_goes_before_the_built_in_one_and_leaves_others_alone():
    exercise = Exercise()
    _, definition_ = learn(exercise, CURLS)
    exercise.end("a")
    exercise.start("a", 0.0, options={"custom": [definition_]})
    results = run(exercise, CURLS)
    assert [each["exercise"] for each in results if each["reps"]] != []
    assert {each["exercise"] for each in results} == {"none", "my_curl"}
    assert results[-1]["reps"] == 5
    assert set(results[-1]["repetition"]["tempo_s"]) == {"down", "hold", "up"}
    assert "exercise_learning" not in results[-1]
    later = run(exercise, SQUATS, float(CURLS.times_s[-1]) + 0.5)
    assert later[-1]["exercise"] == "squat"
    summary = exercise.end("a")["exercise_summary"]
    assert {name: each["reps"] for name, each in summary["exercises"].items()} == {
        "my_curl": 5,
        "squat": 4,
    }
    assert len(summary["repetitions"]) == 9
    ends = [each["end_ms"] for each in summary["repetitions"]]
    assert ends == sorted(ends)


def test_a_lesson_that_ends_with_the_video_is_in_the_final_result():
    exercise = Exercise()
    exercise.start("a", 0.0, options={"learn": {"name": "my_curl", "repetitions": 5}})
    results = run(exercise, CURLS)
    told = [each for each in results if each["exercise_learned"]]
    final = exercise.end("a")
    assert len(told) + bool(final["exercise_learned"]) == 1


def test_a_lesson_begins_in_mid_session_and_can_be_given_up():
    exercise = Exercise()
    exercise.start("a", 0.0, options={})
    assert "exercise_learning" not in run(exercise, SQUATS)[-1]
    exercise.configure("a", {"learn": {"name": "my_curl", "repetitions": 2}})
    begin_s = float(SQUATS.times_s[-1]) + 0.5
    absent = exercise.frame("a", FRAME, 1000.0 * begin_s, results={"pose": NOBODY})
    assert absent["exercise_learning"]["hint"]["code"] == "learning_nobody"
    exercise.configure("a", {"learn": None})
    result = run(exercise, CURLS, begin_s + 0.1)[-1]
    assert (result["exercise_learning"], result["exercise_learned"]) == (None, None)
    assert (result["exercise"], result["reps"]) == ("bicep_curl", 5)


def test_only_the_named_one_is_counted_and_the_unknown_is():
    exercise = Exercise()
    _, definition_ = learn(exercise, CURLS)
    for name, expected in (("my_curl", 5), ("unknown", 5), ("squat", 0)):
        exercise.start("b", 0.0, options={"custom": [definition_], "name": name})
        result = run(exercise, CURLS, sid="b")[-1]
        assert (result["exercise"], result["reps"]) == (name if expected else "none", expected)
        final = exercise.end("b")
        assert final["exercise_summary"]["main_exercise"] == (name if expected else "none")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"learn": {"name": "squat"}}, "taken by Kinecast"),
        ({"learn": {"repetitions": 3}}, "learn must be"),
        ({"learn": {"name": "a", "repetitions": 9}}, "2 to 5"),
        ({"learn": "band_pull"}, "learn must be"),
        ({"custom": [definition(version=3)]}, "version is 3"),
        ({"custom": {"a": 1}}, "must be a list"),
        ({"name": "my_curl"}, "there is no exercise 'my_curl'"),
        ({"name": ["squat"]}, "there is no exercise"),
        ({"reps": 3}, "no option 'reps', only name, person, learn and custom"),
    ],
)
def test_options_that_can_not_be_used_change_nothing(options, says):
    exercise = Exercise()
    with pytest.raises(ValueError, match=says):
        exercise.start("a", 0.0, options=options)
    exercise.start("a", 0.0, options={})
    with pytest.raises(ValueError, match=says):
        exercise.configure("a", options)
    assert "exercise_learning" not in exercise.frame("a", FRAME, 0.0, results={"pose": NOBODY})


def test_a_servers_own_are_in_every_session(tmp_path):
    _, definition_ = learn(Exercise(), CURLS)
    (tmp_path / "mine.json").write_text(json.dumps(definition_))
    exercise = Exercise(exercises=str(tmp_path))
    exercise.start("a", 0.0, options={})
    assert run(exercise, CURLS)[-1]["exercise"] == "my_curl"
    with pytest.raises(ValueError, match="no folder"):
        Exercise(exercises=str(tmp_path / "missing"))


def test_another_person_does_not_go_on_with_a_repetition():
    exercise = Exercise()
    _, definition_ = learn(exercise, CURLS)
    exercise.start("a", 0.0, options={"custom": [definition_], "name": "my_curl"})
    half = CURLS.at(np.linspace(0.0, 1.0, 30))
    run(exercise, Recording(np.arange(30) / 30.0, half.landmarks, half.world, half.aspect))
    # Out of sight for longer than a repetition takes.
    back = CURLS.at(np.linspace(1.0, 1.9, 27))
    moved = Recording(np.arange(27) / 30.0, back.landmarks, back.world, back.aspect)
    assert run(exercise, moved, 9.0)[-1]["reps"] == 0
