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


def test_push_ups_and_planks_are_told_by_posture():
    assert shown(PUSH_UP, at_turn(PUSH_UP)) == ("push_up", [])
    assert shown(PUSH_UP, 0) == ("plank", [])
    for code in ("plank_hips_high", "plank_hips_low"):
        assert shown(of_exercise(PLANKS[code], 80.0, 1, on_floor=True), 20) == ("plank", [code])


def test_others_are_told_at_their_turn_when_they_are_named():
    turn = at_turn(SQUAT)
    assert shown(SQUAT, turn) == ("none", [])
    assert shown(SQUAT, turn, "squat") == ("squat", [])
    assert shown(SQUAT, 0, "squat") == ("none", [])
    assert shown(SQUAT, turn, "push_up") == ("none", [])
    leaning = of_exercise(FAULTY["squat_torso_forward"], 80.0, 2)
    assert shown(leaning, at_turn(leaning), "squat") == ("squat", ["squat_torso_forward"])


@pytest.mark.parametrize(("name", "expected"), [(None, "push_up"), ("squat", "none")])
def test_a_session_of_stills_says_it_of_each_picture(name, expected):
    exercise = Exercise()
    exercise.start("a", 0.0, options={"still": True, "name": name})
    seen = {"has_pose": True, **both_lists(PUSH_UP, at_turn(PUSH_UP))}
    said = exercise.frame("a", FRAME, 0.0, results={"pose": seen})
    assert said["exercise"] == expected
    assert set(said) == KEYS - {"framing", "ready"}
    assert (said["reps"], said["score"], said["repetition"]) == (0, None, None)
    assert exercise.frame("a", FRAME, 1.0, results={"pose": NOBODY})["exercise"] == "none"
    with pytest.raises(ValueError, match="still is 1"):
        exercise.configure("a", {"still": 1})
