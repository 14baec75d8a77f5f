"""The analyzer: what the server gives it and what the client gets."""

import json
from itertools import pairwise

import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.pose.landmarks import NAMES

from .recordings import of_catalogue

FRAME = np.zeros((480, 640, 3), np.uint8)
NOBODY = {"has_pose": False, "landmarks": [], "world_landmarks": []}
KEYS = {
    "exercise", "reps", "phase", "held_s", "score", "score_parts", "repetition", "feedback",
    "warnings",
}  # fmt: skip


def both_lists(recording, number):
    return {
        key: [
            {"index": i, "name": NAMES[i], "x": x, "y": y, "z": z, "visibility": v}
            for i, (x, y, z, v) in enumerate(points[number].tolist())
        ]
        for key, points in (
            ("landmarks", recording.landmarks),
            ("world_landmarks", recording.world),
        )
    }


def box_of(recording, number):
    points = recording.landmarks[number, :, :2]
    return [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]


def run(exercise, recording, sid="a"):
    """Feed a recording as pose's results; return all of ours."""
    return [
        exercise.frame(
            sid, FRAME, time_s * 1000.0,
            results={"pose": {"has_pose": True, **both_lists(recording, number)}},
        )
        for number, time_s in enumerate(recording.times_s)
    ]  # fmt: skip


@pytest.fixture
def exercise():
    analyzer = Exercise()
    analyzer.start("a", 0.0, options={})
    return analyzer


def test_counts_scores_and_sums_up(exercise):
    results = run(exercise, of_catalogue("squat-knees-in"))
    assert all(set(result) == KEYS for result in results)
    assert sorted({result["reps"] for result in results}) == [0, 1, 2, 3]
    last = results[-1]
    assert last["exercise"] == "squat"
    assert last["warnings"] == [
        {
            "code": "squat_knees_in",
            "text": "Knees are caving in: push them out over your toes",
        }
    ]
    assert [each["code"] for each in last["feedback"]] == ["squat_depth_good"]
    assert set(last["score_parts"]) == {"depth", "alignment", "symmetry", "tempo", "steadiness"}
    assert 0 <= last["score"] <= 100
    assert set(last["repetition"]["tempo_s"]) == {"down", "hold", "up"}
    json.dumps(results)

    squat = exercise.end("a", 5000.0)["exercise_summary"]["exercises"]["squat"]
    assert squat["reps"] == 3
    assert squat["mean_score"] <= squat["best_score"] <= 100
    assert 2.0 < squat["time_under_tension_s"] < 6.0
    assert squat["most_frequent_fault"] == "squat_knees_in"
    assert squat["advice"] == "Knees are caving in: push them out over your toes."


def test_phases_follow_the_movement(exercise):
    phases = [result["phase"] for result in run(exercise, of_catalogue("squat-oblique"))]
    history = [now for before, now in pairwise(phases) if now != before]
    # The first squat is known for one when it is over.
    assert history == ["down", "up", "rest"] * 2


def test_nobody_is_none(exercise):
    for number in range(20):
        result = exercise.frame("a", FRAME, number * 50.0, results={"pose": NOBODY})
        assert (result["exercise"], result["reps"], result["score"]) == ("none", 0, None)
    assert exercise.end("a") == {"exercise_summary": {"exercises": {}, "main_exercise": "none"}}


def test_a_frame_without_poses_result_is_none(exercise):
    assert exercise.frame("a", FRAME, 0.0, results={})["exercise"] == "none"


def test_an_exercise_is_over_when_nothing_follows(exercise):
    recording = of_catalogue("squat-front")
    run(exercise, recording)
    over_ms = recording.times_s[-1] * 1000.0 + 10_000.0
    assert exercise.frame("a", FRAME, over_ms, results={"pose": NOBODY})["exercise"] == "none"


def test_a_source_that_starts_over_is_counted_on(exercise):
    recording = of_catalogue("squat-front")
    run(exercise, recording)
    assert run(exercise, recording)[-1]["reps"] == 6


def test_sessions_do_not_know_each_other(exercise):
    exercise.start("b", 0.0)
    run(exercise, of_catalogue("squat-front"), "a")
    run(exercise, of_catalogue("jumping-jack"), "b")
    assert set(exercise.end("a")["exercise_summary"]["exercises"]) == {"squat"}
    assert set(exercise.end("b")["exercise_summary"]["exercises"]) == {"jumping_jack"}


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"name": "yodelling"}, "there is no exercise 'yodelling'"),
        ({"nmae": "squat"}, "no option 'nmae'"),
        ({"person": "tall"}, "person is 'tall'"),
        ({"person": True}, "person is True"),
    ],
)
def test_wrong_options_are_refused(exercise, options, what):
    with pytest.raises(ValueError, match=what):
        exercise.start("c", 0.0, options=options)
    with pytest.raises(ValueError, match=what):
        exercise.configure("a", options)


def test_the_client_fixes_the_exercise_in_mid_session(exercise):
    exercise.configure("a", {"name": "push_up"})
    assert run(exercise, of_catalogue("squat-front"))[-1]["exercise"] == "none"


def several(first, second, number):
    people = [
        {"id": identity, "box": box_of(recording, number), **both_lists(recording, number)}
        for identity, recording in ((1, first), (2, second))
    ]
    return {"pose": {"has_pose": True, "people": people, **both_lists(first, number)}}


@pytest.mark.parametrize(
    ("options", "counted"),
    [({}, {"squat"}), ({"person": 1}, {"squat"}), ({"person": 2}, {"jumping_jack"})],
)
def test_one_of_two_people_is_followed(options, counted):
    """The largest at first, or who was asked for, even when the other one comes nearer."""
    exercise = Exercise()
    exercise.start("a", 0.0, options=options)
    squatting = of_catalogue("two-people", 0)
    jumping = of_catalogue("two-people", 1)
    small, large = jumping.scaled(0.5, 0.0, 0.0), jumping.scaled(1.3, 0.0, 0.0)
    for number, time_s in enumerate(squatting.times_s):
        other = small if number < 30 else large
        exercise.frame("a", FRAME, time_s * 1000.0, results=several(squatting, other, number))
    assert set(exercise.end("a")["exercise_summary"]["exercises"]) == counted


def test_who_is_followed_may_be_away_for_three_seconds():
    exercise = Exercise()
    exercise.start("a", 0.0)
    squatting = of_catalogue("two-people", 0)
    jumping = of_catalogue("two-people", 1).scaled(0.5, 0.0, 0.0)
    exercise.frame("a", FRAME, 0.0, results=several(squatting, jumping, 0))
    for number in range(1, 80):
        alone = several(squatting, jumping, number)
        alone["pose"]["people"] = alone["pose"]["people"][1:]
        exercise.frame("a", FRAME, squatting.times_s[number] * 1000.0, results=alone)
    assert exercise.end("a")["exercise_summary"]["exercises"] == {}
