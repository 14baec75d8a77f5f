"""Samples at the times of frames become samples at even times."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.vitals.resampling import RATE_HZ, frame_rate, longest_gap, resample


@settings(max_examples=50, deadline=None)
@given(
    fps=st.floats(15.0, 60.0),
    skipped=st.floats(0.0, 0.1),
    bpm=st.floats(45.0, 120.0),
    seed=st.integers(0, 2**31),
)
def test_frames_that_are_missing_move_nothing(fps, skipped, bpm, seed):
    rng = np.random.default_rng(seed)
    times_s = np.arange(round(10.0 * fps)) / fps
    times_s = times_s[rng.random(len(times_s)) >= skipped]
    wave = np.sin(2.0 * np.pi * bpm / 60.0 * times_s)
    end_s = times_s[-1]
    even = resample(times_s, wave[:, None], end_s, 8.0)[:, 0]
    at_s = end_s - np.arange(len(even) - 1, -1, -1) / RATE_HZ
    true = np.sin(2.0 * np.pi * bpm / 60.0 * at_s)
    # A line between neighbours is off by at most this, by its second derivative.
    gap_s = longest_gap(times_s)
    assert np.abs(even - true).max() <= (2.0 * np.pi * bpm / 60.0 * gap_s) ** 2 / 8.0 + 1e-9


def test_each_column_is_its_own():
    times_s = np.array([0.0, 1.0, 2.0])
    values = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    even = resample(times_s, values, 2.0, 2.0)
    assert even.shape == (60, 2)
    assert even[-1].tolist() == [2.0, 5.0]
    assert np.allclose(np.diff(even[:, 0]), 1.0 / RATE_HZ)


def test_how_many_frames_there_are():
    times_s = np.array([0.0, 0.1, 0.2, 0.6])
    assert frame_rate(times_s) == 5.0
    assert np.isclose(longest_gap(times_s), 0.4)
    assert frame_rate(times_s[:1]) == 0.0
    assert longest_gap(times_s[:1]) == 0.0
