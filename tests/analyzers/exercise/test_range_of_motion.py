"""How far joints go: against the athlete's own angles, and nothing of what is not seen."""

import numpy as np
import pytest

from analyzers.exercise import Exercise
from analyzers.exercise.definitions import definitions
from analyzers.exercise.range_of_motion import JointAngles, joined, joints_of
from client_test.athlete import standing

from .recordings import Recording, of_exercise
from .test_analyzer import run

SQUATS = of_exercise(standing.SQUAT, 25.0, 3)


def true_angles(recording, first, corner, last):
    """Angles of a joint over the recording, from the athlete's own joints, degrees."""
    a, b, c = (recording.world[:, number, :3] for number in (first, corner, last))
    one, other = a - b, c - b
    cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return np.degrees(np.arccos(cosine))


def test_it_is_the_joints_own_range_by_repetition_and_in_all():
    exercise = Exercise()
    exercise.start("a", 0.0, options={})
    last = run(exercise, SQUATS)[-1]["repetition"]
    assert set(last["range_deg"]) == {"left_hip", "right_hip", "left_knee", "right_knee"}
    span = (SQUATS.times_s >= last["start_ms"] / 1000) & (SQUATS.times_s <= last["end_ms"] / 1000)
    for joint, landmarks in (("left_knee", (23, 25, 27)), ("right_hip", (12, 24, 26))):
        true = true_angles(SQUATS, *landmarks)[span]
        # Smoothing takes a little off the turn.
        assert last["range_deg"][joint] == pytest.approx([true.min(), true.max()], abs=4.0)
    summary = exercise.end("a")["exercise_summary"]
    told = [each["range_deg"] for each in summary["repetitions"]]
    assert len(told) == 3
    assert summary["exercises"]["squat"]["range_deg"] == joined(told)


def test_joints_that_are_not_seen_have_no_range():
    hidden = SQUATS.landmarks.copy()
    hidden[:, [25, 27], 3] = 0.2
    exercise = Exercise()
    exercise.start("a", 0.0, options={"name": "squat"})
    seen = Recording(SQUATS.times_s, hidden, SQUATS.world, SQUATS.aspect)
    assert set(run(exercise, seen)[-1]["repetition"]["range_deg"]) == {"right_hip", "right_knee"}


def test_nothing_is_told_of_a_time_that_was_not_seen_or_is_forgotten():
    angles = JointAngles()
    assert angles.during(0.0, 1.0, ("left_knee",)) == {}
    for number in range(1000):
        points = (SQUATS.landmarks[number % 90].tolist(), SQUATS.world[number % 90].tolist())
        angles.add(*points, number / 15.0, SQUATS.aspect)
    assert angles.during(0.0, 20.0, ("left_knee",)) == {}
    assert set(angles.during(60.0, 62.0, ("left_knee",))) == {"left_knee"}
    assert angles.during(70.0, 80.0, ("left_knee",)) == {}


def test_ranges_together_are_the_widest():
    assert joined([{"a": [50, 90]}, {"a": [40, 80], "b": [1, 2]}]) == {"a": [40, 90], "b": [1, 2]}


def test_every_exercise_with_repetitions_has_its_joints():
    for name, definition in definitions().items():
        assert bool(joints_of(name)) != definition.held, name
