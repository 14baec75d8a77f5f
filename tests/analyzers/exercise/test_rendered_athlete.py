"""The rendered athlete: repetitions and faults are known exactly."""

from collections import Counter

import numpy as np
import pytest

from client_test.athlete import floor, standing

from .recordings import Recording, of_catalogue, of_exercise, play

GOOD = [
    ("squat-front", {"squat": 3}),
    ("squat-oblique", {"squat": 3}),
    ("squat-side", {"squat": 3}),
    ("jumping-jack", {"jumping_jack": 5}),
    ("bicep-curl", {"bicep_curl": 3}),
    ("overhead-press", {"shoulder_press": 3}),
    ("lunge", {"lunge": 2}),
    ("push-up", {"push_up": 3}),
    ("sit-up", {"sit_up": 3}),
    ("sample-video", {"squat": 2, "jumping_jack": 3, "bicep_curl": 2, "shoulder_press": 1}),
]


@pytest.mark.parametrize(("clip", "repetitions"), GOOD)
def test_good_repetitions_are_counted_and_have_no_fault(clip, repetitions):
    played = play(of_catalogue(clip))
    assert Counter(played.counted) == repetitions
    assert played.faults == set()


@pytest.mark.parametrize(
    ("clip", "fault"),
    [("squat-shallow", "squat_shallow"), ("squat-knees-in", "squat_knees_in")],
)
def test_a_fault_is_named_and_nothing_else(clip, fault):
    played = play(of_catalogue(clip))
    assert played.counted == ["squat"] * 3
    assert played.faults == {fault}
    assert all([each.code for each in rep.faults] == [fault] for rep in played.scorer.repetitions)


def test_a_fault_costs_score():
    good = play(of_catalogue("squat-front")).scorer.repetitions
    caving = play(of_catalogue("squat-knees-in")).scorer.repetitions
    shallow = play(of_catalogue("squat-shallow")).scorer.repetitions
    assert min(each.score for each in good) > max(each.score for each in caving) + 10
    assert min(each.score for each in good) > max(each.score for each in shallow) + 10
    assert all(each.parts["depth"] > 90 > 40 > other.parts["depth"] for each in good
               for other in shallow)  # fmt: skip


@pytest.mark.parametrize("yaw_deg", [0.0, 45.0, 90.0, 135.0, 180.0, -90.0])
@pytest.mark.parametrize(
    ("exercise", "name"),
    [
        (standing.SQUAT, "squat"),
        (standing.SHALLOW_SQUAT, "squat"),
        (standing.LUNGE, "lunge"),
        (standing.BICEP_CURL, "bicep_curl"),
        (standing.OVERHEAD_PRESS, "shoulder_press"),
        (standing.JUMPING_JACK, "jumping_jack"),
    ],
)
def test_it_counts_from_every_side(exercise, name, yaw_deg):
    assert play(of_exercise(exercise, yaw_deg)).counted == [name] * 3


@pytest.mark.parametrize("yaw_deg", [60.0, 90.0, -60.0, 120.0])
@pytest.mark.parametrize(
    ("exercise", "name"), [(floor.PUSH_UP, "push_up"), (floor.SIT_UP, "sit_up")]
)
def test_it_counts_on_the_floor(exercise, name, yaw_deg):
    assert play(of_exercise(exercise, yaw_deg, on_floor=True)).counted == [name] * 3


def test_standing_about_is_none():
    played = play(of_exercise(standing.STAND, 20.0, 6))
    assert played.counted == []
    assert {state.exercise for _, state in played.states} == {"none"}


def test_holding_the_top_of_a_push_up_is_a_plank_and_its_seconds_count():
    top = of_catalogue("push-up").at(np.zeros(150))
    held = Recording(np.arange(150) / 30.0, top.landmarks, top.world, top.aspect)
    played = play(held)
    assert played.counted == []
    last = played.states[-1][1]
    assert (last.exercise, last.phase) == ("plank", "hold")
    assert last.held_s == pytest.approx(149 / 30.0, abs=0.3)


def test_times_of_a_repetition_are_those_of_the_movement():
    # Squats of 0.8 s down, 0.1 s held and 0.75 s up, the first from 0.4 s, every 1.75 s.
    for number, each in enumerate(play(of_exercise(standing.SQUAT, 30.0)).scorer.repetitions):
        begin_s = 0.4 + 1.75 * number
        assert begin_s < each.start_s < begin_s + 0.4
        assert each.turn_s == pytest.approx(begin_s + 0.85, abs=0.15)
        assert begin_s + 1.25 < each.end_s <= begin_s + 1.7
        assert each.out_s + each.hold_s + each.back_s == pytest.approx(each.end_s - each.start_s)


def test_only_the_exercise_that_was_asked_for_is_counted():
    recording = of_catalogue("sample-video")
    assert play(recording, "jumping_jack").counted == ["jumping_jack"] * 3
    assert play(recording, "sit_up").counted == []


def with_one_arm_hanging(recording, shoulder):
    """Let the arm of a shoulder (11 left, 12 right) hang as it does standing about."""
    hanging = of_exercise(standing.STAND, 0.0, 1)
    arm = [shoulder + distance for distance in (2, 4, 6, 8, 10)]
    landmarks, world = recording.landmarks.copy(), recording.world.copy()
    for points, still in ((landmarks, hanging.landmarks), (world, hanging.world)):
        from_shoulder = still[0, arm, :3] - still[0, shoulder, :3]
        points[:, arm, :3] = points[:, [shoulder], :3] + from_shoulder
    return Recording(recording.times_s, landmarks, world, recording.aspect)


@pytest.mark.parametrize("shoulder", [11, 12])
def test_one_arm_is_enough_for_a_curl(shoulder):
    played = play(with_one_arm_hanging(of_exercise(standing.BICEP_CURL, 20.0), shoulder))
    assert played.counted == ["bicep_curl"] * 3


@pytest.mark.parametrize("shoulder", [11, 12])
def test_one_arm_is_enough_for_a_press_that_is_asked_for(shoulder):
    """One arm that goes up is reaching for something, unless a press was asked for."""
    recording = with_one_arm_hanging(of_exercise(standing.OVERHEAD_PRESS, 20.0), shoulder)
    assert play(recording, "shoulder_press").counted == ["shoulder_press"] * 3
