"""Half squats are told as such from every side, by how far the thighs are off upright."""

import pytest

from client_test.athlete import standing
from client_test.athlete.exercise import Exercise, Tempo, depth_of
from tests.analyzers.exercise.recordings import of_exercise, play


def squat_to(thighs_deg):
    # The athlete's thighs take two thirds of the knees' flexion, which is 5 to 108 degrees.
    deepest = (thighs_deg / 0.67 - 5.0) / 103.0

    def pose(person, phase, repetition):
        return standing.squat(person, 0.5 * deepest * depth_of(phase), repetition)

    return Exercise("squat", pose, Tempo(0.8, 0.1, 0.75))


@pytest.mark.parametrize("yaw_deg", [0.0, 45.0, 90.0])
@pytest.mark.parametrize(("thighs_deg", "shallow"), [(35, True), (45, True), (65, False)])
def test_a_squat_to_45_degrees_is_shallow(thighs_deg, shallow, yaw_deg):
    done = play(of_exercise(squat_to(thighs_deg), yaw_deg), "squat").scorer.repetitions
    assert len(done) >= 2
    for each in done:
        assert ("squat_shallow" in {fault.code for fault in each.faults}) == shallow
        assert (each.parts["depth"] <= 50.0) == shallow
