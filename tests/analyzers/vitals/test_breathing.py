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
    signals = np.stack([wave, 0.1 * wave, wave], axis=1) + rng.normal(0.0, 0.005, (900, 3))
    found = find(signals)
    assert abs(found.per_minute - per_minute) < 1.0
    assert found.is_sure


def test_a_chest_that_does_not_move_tells_nothing():
    rng = np.random.default_rng(1)
    assert not find(rng.normal(0.0, 0.0003, (900, 3))).is_sure


def test_noise_is_not_breathing():
    rng = np.random.default_rng(2)
    sure = sum(find(rng.normal(0.0, 0.02, (900, 3))).is_sure for _ in range(200))
    assert sure <= 4


@pytest.mark.parametrize("per_minute", [9.0, 16.0, 28.0])
def test_moments_with_missing_frames(per_minute):
    rng = np.random.default_rng(3)
    seen = moments(times(30.0, 25.0, 0.05, rng), 70.0, breaths=per_minute, rng=rng)
    found = breathing(seen, seen[-1].time_s, 29.0)
    assert abs(found.per_minute - per_minute) < 1.0
