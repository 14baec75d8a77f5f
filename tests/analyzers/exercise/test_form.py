"""Faults of the moment: shown when they last, gone when they are over, without flicker."""

from itertools import pairwise

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions
from analyzers.exercise.form import LiveFaults
from analyzers.exercise.signals import INDEX, NAMES

from .recordings import Recording, of_catalogue, play

LEAN = "curl_leaning_back"


def curl_row(lean_deg):
    row = [0.0] * len(NAMES)
    row[INDEX["lean_back"]] = lean_deg
    return row


def shown_over(leans_deg, step_s=1 / 30):
    faults = LiveFaults(definitions()["bicep_curl"])
    history = []
    for number, lean_deg in enumerate(leans_deg):
        faults.feed(number * step_s, curl_row(lean_deg))
        history.append({fault.code for fault in faults.shown})
    return history


def changes(history):
    return sum(before != now for before, now in pairwise(history))


def test_a_lasting_fault_is_shown_once_and_taken_back_once():
    history = shown_over([0] * 30 + [30] * 60 + [0] * 60)
    assert changes(history) == 2
    assert history[29] == set()
    assert history[45] == {LEAN}
    assert history[-1] == set()


def test_a_moment_is_not_shown():
    assert changes(shown_over(([0] * 30 + [30] * 4) * 5)) == 0


def test_trembling_around_the_threshold_does_not_flicker():
    leans = 13.0 + np.random.default_rng(1).normal(0.0, 3.0, 900)
    assert changes(shown_over(leans)) <= 2


def held_at_top(hips_up):
    """Return the top of a push-up for 5 s, the hips moved up by parts of the frame's height."""
    top = of_catalogue("push-up").at(np.zeros(150))
    landmarks = top.landmarks.copy()
    landmarks[:, [23, 24], 1] -= hips_up
    return Recording(np.arange(150) / 30.0, landmarks, top.world, top.aspect)


@pytest.mark.parametrize(
    ("hips_up", "faults"),
    [(0.0, set()), (-0.1, {"plank_hips_low"}), (0.16, {"plank_hips_high"})],
)
def test_hips_out_of_line_in_a_plank(hips_up, faults):
    assert play(held_at_top(hips_up)).faults == faults


@pytest.mark.parametrize(
    ("hips_up", "fault"), [(-0.12, "push_up_hips_sagging"), (0.16, "push_up_hips_piked")]
)
def test_hips_out_of_line_in_push_ups(hips_up, fault):
    plain = of_catalogue("push-up")
    landmarks = plain.landmarks.copy()
    landmarks[:, [23, 24], 1] -= hips_up
    played = play(Recording(plain.times_s, landmarks, plain.world, plain.aspect))
    assert played.counted == ["push_up"] * 3
    assert fault in played.faults
    assert all(fault in {f.code for f in rep.faults} for rep in played.scorer.repetitions)


def test_what_shows_while_resting_is_not_the_next_repetitions_fault():
    plain = of_catalogue("push-up")
    times_s = np.arange(0.0, plain.times_s[-1], 1 / 30)
    last = play(plain).scorer.repetitions[-1]
    # The elbows a little bent, the hips up in the air for 3 s; before and after it good push-ups.
    rest = plain.at(np.full(90, last.start_s + 0.15 * (last.turn_s - last.start_s)))
    up = rest.landmarks.copy()
    up[:, [23, 24], 1] -= 0.2
    good = plain.at(times_s)
    landmarks = np.concatenate([good.landmarks, up, good.landmarks])
    world = np.concatenate([good.world, rest.world, good.world])
    played = play(Recording(np.arange(len(landmarks)) / 30.0, landmarks, world, plain.aspect))
    assert "push_up_hips_piked" in played.faults
    assert played.counted == ["push_up"] * 6
    assert [rep.faults for rep in played.scorer.repetitions] == [()] * 6
