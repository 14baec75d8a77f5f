"""The rate of a pulse, neither its half nor its double."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from analyzers.vitals import spectrum
from analyzers.vitals.resampling import RATE_HZ

TIMES_S = np.arange(360) / RATE_HZ


def wave(bpm, harmonic=0.0, phase=0.0, noise=0.0, seed=0):
    turn = 2.0 * np.pi * bpm / 60.0 * TIMES_S + phase
    rng = np.random.default_rng(seed)
    clean = np.sin(turn) + harmonic * np.sin(2.0 * turn + 1.0)
    return (clean + rng.normal(0.0, noise, len(clean)) if noise else clean)[:, None]


def rate(waves):
    return spectrum.peak(spectrum.likeness(*spectrum.spectra(waves).together()))


@settings(max_examples=40, deadline=None)
@given(bpm=st.floats(45.0, 210.0), phase=st.floats(0.0, 6.28), slope=st.floats(-3.0, 3.0))
def test_the_rate_is_found_at_any_phase_and_over_a_drift(bpm, phase, slope):
    drift = slope * np.linspace(-1.0, 1.0, len(TIMES_S))[:, None]
    assert abs(rate(wave(bpm, phase=phase) + drift) - bpm) < 1.0


@settings(max_examples=40, deadline=None)
@given(bpm=st.floats(45.0, 105.0), phase=st.floats(0.0, 6.28), harmonic=st.floats(0.0, 0.95))
def test_a_strong_harmonic_is_not_taken_for_the_rate(bpm, phase, harmonic):
    assert abs(rate(wave(bpm, harmonic, phase)) - bpm) < 2.5


@settings(max_examples=50, deadline=None)
@given(bpm=st.floats(100.0, 210.0), seed=st.integers(0, 10**6))
def test_a_fast_heart_is_not_halved(bpm, seed):
    assert abs(rate(wave(bpm, noise=0.7, seed=seed)) - bpm) < 2.5


@pytest.mark.parametrize("bpm", [48.0, 77.0, 133.0, 190.0])
def test_the_spectrum_is_that_of_scipy(bpm):
    waves = wave(bpm, 0.3, noise=0.5)
    tapered = signal.detrend(waves[:, 0]) * signal.windows.hann(len(waves))
    lines = np.abs(np.fft.rfft(tapered, 8192)) ** 2
    rates = np.fft.rfftfreq(8192, 1.0 / RATE_HZ) * 60.0
    band = (rates >= 40.0) & (rates <= 220.0)
    assert abs(rates[band][lines[band].argmax()] - rate(waves)) < 1.0


def test_what_rises_to_the_end_of_the_band_is_no_rate():
    below = wave(36.0)
    assert spectrum.likeness(*spectrum.spectra(below).together())[:5].max() == 0.0


def test_noise_has_no_rate_that_stands_out():
    clean, noisy = (spectrum.spectra(wave(80.0, noise=level)) for level in (0.1, 10.0))
    assert spectrum.snr_db(clean.together()[0], 80.0) > 10.0
    assert spectrum.snr_db(noisy.together()[0], 80.0) < 3.0


def test_places_agree_on_one_wave_and_not_on_several():
    together = spectrum.spectra(np.concatenate([wave(80.0, phase=0.3)] * 4, axis=1))
    apart = spectrum.spectra(
        np.concatenate([wave(80.0, phase=phase) for phase in (0.0, 1.57, 3.14, 4.71)], axis=1)
    )
    assert spectrum.agreement(together, 80.0) > 0.99
    assert spectrum.agreement(apart, 80.0) < 0.05


def test_a_polynomial_is_taken_away():
    line = np.linspace(-1.0, 1.0, 300)[:, None]
    assert np.abs(spectrum.detrended(3.0 + 2.0 * line - 5.0 * line**2)).max() < 1e-9
