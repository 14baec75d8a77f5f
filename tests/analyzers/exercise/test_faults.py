"""Every fault is named on every repetition that has it, from where it can be seen, and no other."""

from dataclasses import replace

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions

from .movements import FAULTY, GOOD, PLANKS
from .recordings import Recording, of_exercise, play

# How far the person is turned to their left from facing the camera.
FRONT, OBLIQUE, SIDE = (0.0,), (-42.0,), (90.0, -75.0)
BACK = (180.0,)
EVERYWHERE = FRONT + OBLIQUE + SIDE + BACK

# What shows in the plane that is seen from the side does not show from in front, and the reverse.
SEEN_FROM = {
    "squat_knees_in": FRONT + OBLIQUE + BACK,
    "squat_feet_narrow": FRONT + OBLIQUE + BACK,
    "squat_feet_wide": FRONT + OBLIQUE + BACK,
    "squat_heels_up": SIDE,
    "push_up_hips_sagging": SIDE,
    "push_up_hips_piked": SIDE,
    "lunge_knee_past_toe": OBLIQUE + SIDE,
    "jack_feet_narrow": FRONT + BACK,
}
LYING = OBLIQUE + SIDE

# The step towards the camera lowers the feet in the picture by as much as the body comes down: such
# a lunge is not even counted from there.
NOT_FROM_IN_FRONT = {"lunge_shallow"}


def views_of(exercise):
    return LYING if exercise.on_floor else EVERYWHERE


CASES = [
    pytest.param(code, exercise, yaw_deg, id=f"{code} from {yaw_deg:g}")
    for code, exercise in FAULTY.items()
    for yaw_deg in (SIDE + BACK if code in NOT_FROM_IN_FRONT else views_of(exercise))
]


@pytest.mark.parametrize(("code", "exercise", "yaw_deg"), CASES)
def test_a_fault_is_named_where_it_can_be_seen_and_no_other_is(code, exercise, yaw_deg):
    # The third is believed at the latest, and those before it then.
    played = play(of_exercise(exercise, yaw_deg, 3, exercise.on_floor))
    assert played.counted == [exercise.label] * 3
    seen = yaw_deg in SEEN_FROM.get(code, EVERYWHERE)
    named = [[fault.code for fault in each.faults] for each in played.scorer.repetitions]
    assert named == [[code] if seen else []] * 3
    assert played.faults == ({code} if seen else set())


@pytest.mark.parametrize("yaw_deg", EVERYWHERE)
@pytest.mark.parametrize("name", GOOD)
def test_no_fault_is_named_on_good_repetitions(name, yaw_deg):
    exercise = GOOD[name]
    if exercise.on_floor and yaw_deg not in LYING:
        pytest.skip("lying bodies are not told from their ends")
    played = play(of_exercise(exercise, yaw_deg, 2, exercise.on_floor))
    assert played.counted == [name] * 2
    assert played.faults == set()


@pytest.mark.parametrize("yaw_deg", LYING)
@pytest.mark.parametrize("code", PLANKS)
def test_hips_in_a_plank(code, yaw_deg):
    played = play(of_exercise(PLANKS[code], yaw_deg, 1, on_floor=True))
    assert played.counted == []
    last = played.states[-1][1]
    assert (last.exercise, last.phase) == ("plank", "hold")
    assert played.faults == ({code} if code else set())


@pytest.mark.parametrize("code", FAULTY)
def test_a_fault_costs_score_and_the_part_that_it_is_of(code):
    exercise = FAULTY[code]
    fault = next(each for each in definitions()[exercise.label].faults if each.code == code)
    yaw_deg = SEEN_FROM.get(code, SIDE)[0]
    as_fast = replace(GOOD[exercise.label], tempo=exercise.tempo)
    good = play(of_exercise(as_fast, yaw_deg, 2, exercise.on_floor))
    bad = play(of_exercise(exercise, yaw_deg, 2, exercise.on_floor))
    assert max(each.score for each in bad.scorer.repetitions) < 90
    for one, other in zip(good.scorer.repetitions, bad.scorer.repetitions, strict=True):
        assert one.score > other.score + 8
        assert one.parts[fault.part] > other.parts[fault.part] + 25


def faults_over(*movements):
    """Return what is shown over sets that follow each other, without repeats."""
    recordings = [of_exercise(each, 80.0, 3, each.on_floor) for each in movements]
    lengths_s = [each.times_s[-1] + 1 / 30 for each in recordings]
    starts_s = np.cumsum([0.0, *lengths_s[:-1]])
    played = play(
        Recording(
            np.concatenate([e.times_s + s for e, s in zip(recordings, starts_s, strict=True)]),
            np.concatenate([each.landmarks for each in recordings]),
            np.concatenate([each.world for each in recordings]),
            recordings[0].aspect,
        )
    )
    shown = [{fault.code for fault in state.faults} for _, state in played.states]
    return [now for number, now in enumerate(shown) if number == 0 or now != shown[number - 1]]


@pytest.mark.parametrize(
    "code", ["squat_shallow", "curl_leaning_back", "press_leaning_back", "push_up_hips_piked"]
)
def test_a_fault_is_shown_once_while_it_lasts_and_gone_when_it_is_not(code):
    """Some show in one half of each repetition only."""
    bad = FAULTY[code]
    good = replace(GOOD[bad.label], tempo=bad.tempo)
    assert faults_over(good, bad, good) == [set(), {code}, set()]


def test_every_fault_that_a_repetition_can_have_is_tried_or_is_of_a_rarer_exercise():
    tried = set(FAULTY) | set(PLANKS)
    rarer = {"sit_up", "pull_up", "deadlift", "lateral_raise"}
    codes = {
        fault.code
        for each in definitions().values()
        if each.name not in rarer
        for fault in each.faults
    }
    assert codes == tried - {None}
