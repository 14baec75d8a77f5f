"""What a picture by itself shows."""

import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.exercise.still import of_still
from client_test.athlete import floor, standing

from .movements import FAULTY, PLANKS
from .recordings import both_lists, of_exercise, play
from .test_analyzer import FRAME, KEYS, NOBODY

PUSH_UP = of_exercise(floor.PUSH_UP, 75.0, 2, on_floor=True)
SQUAT = of_exercise(standing.SQUAT, 80.0, 2)


def at_turn(recording):
    """The frame at which the first repetition turns."""
    turn_s = play(recording).scorer.repetitions[0].turn_s
    return int(np.searchsorted(recording.times_s, turn_s))


def shown(recording, number, name=None):
    said = of_still(
        recording.landmarks[number].tolist(), recording.world[number].tolist(),
        recording.aspect, name,
    )  # fmt: skip
    return said["exercise"], [each["code"] for each in said["warnings"]]


def test_what_it_is_is_told_by_posture():
    assert shown(PUSH_UP, at_turn(PUSH_UP)) == ("push_up", [])
    assert shown(PUSH_UP, 0) == ("plank", [])
    for code in ("plank_hips_high", "plank_hips_low"):
        assert shown(of_exercise(PLANKS[code], 80.0, 1, on_floor=True), 20) == ("plank", [code])
    assert shown(SQUAT, at_turn(SQUAT)) == ("squat", [])
    assert shown(SQUAT, 0) == ("none", [])


def test_who_presses_with_the_feet_together_does_no_jumping_jack():
    press = of_exercise(standing.OVERHEAD_PRESS, 0.0, 2)
    jack = of_exercise(standing.JUMPING_JACK, 0.0, 2)
    assert shown(press, at_turn(press))[0] != "jumping_jack"
    assert shown(jack, at_turn(jack)) == ("jumping_jack", [])


def test_one_that_is_named_is_no_other():
    turn = at_turn(SQUAT)
    assert shown(SQUAT, turn, "squat") == ("squat", [])
    assert shown(SQUAT, 0, "squat") == ("none", [])
    assert shown(SQUAT, turn, "push_up") == ("none", [])
    leaning = of_exercise(FAULTY["squat_torso_forward"], 80.0, 2)
    assert shown(leaning, at_turn(leaning), "squat") == ("squat", ["squat_torso_forward"])


def test_a_deeper_squat_scores_more_and_a_fault_costs():
    def score(recording, number):
        rows = (each[number].tolist() for each in (recording.landmarks, recording.world))
        return of_still(*rows, recording.aspect, "squat")

    # At rest it is none, and nearer to the turn it gets deeper.
    turn = at_turn(SQUAT)
    said = [score(SQUAT, number) for number in range(turn - 15, turn + 1)]
    half, full = next(each for each in said if each["exercise"] == "squat"), said[-1]
    assert half["score_parts"]["depth"] < full["score_parts"]["depth"]
    assert 0.0 < half["score"] < full["score"] <= 100.0
    assert "squat_depth_good" in [each["code"] for each in full["feedback"]]
    leaning = of_exercise(FAULTY["squat_torso_forward"], 80.0, 2)
    assert score(leaning, at_turn(leaning))["score_parts"]["alignment"] == 55.0


@pytest.mark.parametrize(("name", "expected"), [(None, "push_up"), ("squat", "none")])
def test_a_session_of_stills_says_it_of_each_picture(name, expected):
    exercise = Exercise()
    exercise.start("a", 0.0, options={"still": True, "name": name})
    seen = {"has_pose": True, **both_lists(PUSH_UP, at_turn(PUSH_UP))}
    said = exercise.frame("a", FRAME, 0.0, results={"pose": seen})
    assert said["exercise"] == expected
    assert set(said) == KEYS - {"framing", "ready"} | {"still"}
    assert said["still"] is True
    assert (said["reps"], said["repetition"]) == (0, None)
    assert (said["score"] is None) == (expected == "none")
    assert exercise.frame("a", FRAME, 1.0, results={"pose": NOBODY})["exercise"] == "none"
    with pytest.raises(ValueError, match="still is 1"):
        exercise.configure("a", {"still": 1})


def test_the_same_picture_again_and_again_is_a_still_and_a_movement_is_none():
    def told(numbers):
        exercise = Exercise()
        exercise.start("a", 0.0, options={"still": "when_still"})
        for count, number in enumerate(numbers):
            seen = {"has_pose": True, **both_lists(SQUAT, number)}
            said = exercise.frame("a", FRAME, 40.0 * count, results={"pose": seen})
            yield said["exercise"], said["still"]

    turn = at_turn(SQUAT)
    assert set(told([turn] * 26)) == {("squat", True)}
    # On the way down and up again nobody is still, and nothing is counted yet.
    assert set(list(told(range(turn - 15, turn + 8)))[3:]) == {("none", False)}
