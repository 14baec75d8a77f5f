"""Breaths a minute, where there are some to be seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.vitals.breathing import breathing, find
from analyzers.vitals.resampling import RATE_HZ

from .traces import moments, times


@settings(max_examples=30, deadline=None)
@given(per_minute=st.floats(7.0, 38.0), phase=st.floats(0.0, 6.28), seed=st.integers(0, 10**6))
def test_the_rate_is_found(per_minute, phase, seed):
    rng = np.random.default_rng(seed)
    at_s = np.arange(900) / RATE_HZ
    wave = 0.02 * np.sin(2.0 * np.pi * per_minute / 60.0 * at_s + phase)
    # The head sways, and the chest with it.
    sway = 0.01 * np.sin(2.0 * np.pi * 0.11 * at_s + rng.uniform(0.0, 6.28))
    signals = np.stack([wave + 0.8 * sway, 0.1 * wave + sway], axis=1)
    signals += rng.normal(0.0, 0.005, (900, 2))
    found = find(signals)
    assert abs(found.per_minute - per_minute) < 1.0
    assert found.is_sure


def test_a_chest_that_does_not_move_tells_nothing():
    rng = np.random.default_rng(1)
    assert not find(rng.normal(0.0, 0.0003, (900, 2))).is_sure


@pytest.mark.parametrize("seconds", [15, 20, 30])
def test_noise_is_not_breathing(seconds):
    rng = np.random.default_rng(2)
    sure = 0
    for _ in range(200):
        # Nothing in it that is quicker than a breath can be, so that much looks like one.
        lines = np.fft.rfft(rng.normal(0.0, 0.02, (30 * seconds, 2)), axis=0)
        lines[round(0.75 * seconds) :] = 0.0
        sure += find(np.fft.irfft(lines, 30 * seconds, axis=0)).is_sure
    assert sure <= 4


@pytest.mark.parametrize("per_minute", [8.0, 9.5, 12.0])
def test_a_slow_breath_keeps_its_rate_over_a_drift(per_minute):
    at_s = np.arange(600) / RATE_HZ
    chest = 0.01 * np.sin(2.0 * np.pi * per_minute / 60.0 * at_s + 1.0) + 0.004 * at_s
    found = find(np.stack([chest, np.zeros(600)], axis=1))
    assert abs(found.per_minute - per_minute) <= 0.5
    assert found.is_sure


@pytest.mark.parametrize("per_minute", [9.0, 16.0, 28.0])
def test_moments_with_missing_frames(per_minute):
    rng = np.random.default_rng(3)
    seen = moments(times(30.0, 25.0, 0.05, rng), 70.0, breaths=per_minute, rng=rng)
    found = breathing(seen, seen[-1].time_s, 29.0)
    assert abs(found.per_minute - per_minute) < 1.0
