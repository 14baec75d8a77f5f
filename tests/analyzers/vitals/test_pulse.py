"""One person over time: what is told, when, and why nothing is."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.vitals.evidence import Stretch
from analyzers.vitals.pulse import PersonPulse
from analyzers.vitals.reasons import TEXTS, Reason

from .traces import moments, pulse_wave, times


def told(seen, person=None):
    person = person or PersonPulse()
    return [(each.time_s, person.see(each)) for each in seen]


def reasons(results):
    """Those given, in their order, each as long as it lasts."""
    return [key for key, _ in itertools.groupby(each.reason for _, each in results)]


@settings(max_examples=8, deadline=None)
@given(
    bpm=st.floats(45.0, 190.0),
    phase=st.floats(0.0, 6.28),
    fps=st.sampled_from([20.0, 25.0, 30.0]),
    skipped=st.floats(0.0, 0.05),
    drift=st.floats(-0.004, 0.004),
    seed=st.integers(0, 10**6),
)
def test_any_rate_is_told_of_somebody_who_keeps_still(bpm, phase, fps, skipped, drift, seed):
    rng = np.random.default_rng(seed)
    seen = moments(times(16.0, fps, skipped, rng), bpm, phase=phase, drift=drift, rng=rng)
    results = told(seen)
    rates = [each.heart_rate_bpm for _, each in results if each.heart_rate_bpm is not None]
    first_s = next(time_s for time_s, each in results if each.heart_rate_bpm is not None)
    assert first_s <= 12.0
    assert np.abs(np.array(rates) - bpm).max() < 3.0
    assert results[-1][1].confidence > 0.75


def test_noise_is_hardly_ever_given_a_number():
    """Now and then some is as regular as a pulse: less than a hundredth of the time."""
    numbers = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        results = told(moments(times(16.0), 70.0, strength=0.0, noise=0.3, rng=rng))
        numbers += [each.heart_rate_bpm is not None for _, each in results]
    assert np.mean(numbers) < 0.01


def test_the_reason_says_what_happens():
    results = told(moments(times(14.0), 80.0))
    assert reasons(results) == [Reason.MEASURING, None]


def test_a_rate_that_falls_is_followed():
    rng = np.random.default_rng(4)
    at_s = times(50.0)
    true = np.interp(at_s, [0.0, 10.0, 40.0, 50.0], [150.0, 150.0, 122.0, 122.0])
    results = told(moments(at_s, true, rng=rng))
    # A window sees what was, on average, half of it ago.
    lag = {round(t, 3): b for t, b in zip(at_s + 6.0, true, strict=True)}
    errors = [
        abs(each.heart_rate_bpm - lag[round(time_s, 3)])
        for time_s, each in results
        if each.heart_rate_bpm is not None and round(time_s, 3) in lag
    ]
    assert len(errors) > 800
    assert np.percentile(errors, 95) < 5.0


def test_who_moves_is_told_to_hold_still_and_measured_after():
    at_s = times(24.0)
    places = np.zeros((len(at_s), 4))
    moving = (at_s > 8.5) & (at_s < 11.0)
    places[moving, 0] = 0.3 * np.sin(2.0 * np.pi * 1.0 * at_s[moving])
    results = told(moments(at_s, 75.0, places=places))
    during = [each for time_s, each in results if 10.0 < time_s < 12.0]
    assert {each.reason for each in during} == {Reason.HOLD_STILL}
    back_s = next(t for t, each in results if t > 11.0 and each.heart_rate_bpm is not None)
    assert back_s - 11.0 <= 12.0


def test_a_nod_in_time_is_no_pulse():
    at_s = times(20.0)
    places = np.zeros((len(at_s), 4))
    places[:, 1] = 0.01 * np.sin(2.0 * np.pi * 96.0 / 60.0 * at_s)
    seen = moments(at_s, 96.0, strength=0.006, places=places)
    results = told(seen)
    assert {each.heart_rate_bpm for _, each in results} == {None}
    assert Reason.HOLD_STILL in reasons(results)


def test_a_pulse_that_moves_the_square_a_little_is_no_movement():
    at_s = times(16.0)
    places = np.zeros((len(at_s), 4))
    # The face gets darker as the pulse comes, and looks larger by that.
    places[:, 2] = 0.0005 * pulse_wave(2.0 * np.pi * 84.0 / 60.0 * at_s)
    seen = moments(at_s, 84.0, strength=0.006, places=places)
    found = Stretch(seen, seen[-1].time_s, 12.0).weigh(84.0)
    assert found.brightness.snr_db > 3.0
    assert found.movement == 0.0
    assert abs(told(seen)[-1][1].heart_rate_bpm - 84.0) < 3.0


def test_a_flicker_is_no_pulse():
    results = told(moments(times(20.0), 60.0, strength=0.0, flicker_bpm=110.0))
    assert {each.heart_rate_bpm for _, each in results} == {None}


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        ({"width_px": 40.0}, Reason.TOO_SMALL),
        ({"turned": 0.8}, Reason.TURNED_AWAY),
        ({"level": 0.2}, Reason.MORE_LIGHT),
    ],
)
def test_what_can_not_be_measured_is_refused(scene, reason):
    results = told(moments(times(12.0), 70.0, **scene))
    assert reasons(results) == [reason]


def test_eight_frames_a_second_are_too_few():
    results = told(moments(times(14.0, 8.0), 70.0))
    assert {each.heart_rate_bpm for _, each in results} == {None}
    assert results[-1][1].reason == Reason.TOO_FEW_FRAMES


def test_a_pause_begins_anew():
    person = PersonPulse()
    before = told(moments(times(14.0), 70.0), person)
    assert before[-1][1].heart_rate_bpm is not None
    after = told(moments(times(14.0, start_s=20.0), 120.0), person)
    assert after[20][1].heart_rate_bpm is None
    assert abs(after[-1][1].heart_rate_bpm - 120.0) < 3.0


@pytest.mark.parametrize("bpm", [52.0, 88.0, 171.0])
def test_runs_of_frames_that_are_missing_move_nothing(bpm):
    at_s = times(22.0, 25.0)
    # What a busy server leaves out, up to the next key frame.
    there = at_s % 5.0 < 3.8
    seen = moments(at_s, bpm)
    results = told(seen)
    holes = told([each for each, is_there in zip(seen, there, strict=True) if is_there])
    for found in (results, holes):
        rates = [each.heart_rate_bpm for _, each in found if each.heart_rate_bpm is not None]
        assert np.abs(np.array(rates) - bpm).max() < 3.0
        assert found[-1][1].heart_rate_bpm is not None


def test_who_has_pauses_only_is_told_that_frames_are_few():
    at_s = times(20.0)
    results = told([each for each in moments(at_s, 70.0) if each.time_s % 3.0 < 1.0])
    assert results[-1][1].reason == Reason.TOO_FEW_FRAMES
    assert {each.heart_rate_bpm for _, each in results} == {None}


def test_who_leaves_is_gone():
    person = PersonPulse()
    told(moments(times(14.0), 70.0), person)
    gone = person.nobody()
    assert (gone.heart_rate_bpm, gone.reason) == (None, Reason.NO_FACE)


def test_it_forgets_what_is_long_ago():
    person = PersonPulse()
    told(moments(times(80.0, 15.0), 70.0), person)
    assert len(person._still.moments) < 33 * 15


def test_times_that_stand_still_do_not_grow_it():
    person = PersonPulse()
    told(moments(times(5.0, 1000.0), 70.0), person)
    assert len(person._still.moments) == 3840


def test_the_curve_is_the_pulse():
    seen = moments(times(14.0), 72.0, noise=0.02)
    curve = told(seen)[-1][1].signal
    assert curve.shape == (180,)
    assert np.abs(curve).max() == 1.0
    beats = np.sin(2.0 * np.pi * 1.2 * np.arange(180) / 30.0)
    quarter = np.cos(2.0 * np.pi * 1.2 * np.arange(180) / 30.0)
    alike = np.hypot(curve @ beats, curve @ quarter) / np.linalg.norm(curve) / np.sqrt(90.0)
    assert alike > 0.8


def test_each_reason_has_a_text():
    assert set(TEXTS) == set(Reason)
