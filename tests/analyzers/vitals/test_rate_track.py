"""A rate is followed, and one odd moment does not carry it off."""

import numpy as np

from analyzers.vitals.rate_track import RateTrack
from analyzers.vitals.spectrum import BPM


def at(*rates):
    """A likeness with peaks, the first one twice as high as the others."""
    likely = np.full(len(BPM), 1e-4)
    for number, bpm in enumerate(rates):
        likely += (0.5 if number else 1.0) * np.exp(-0.5 * ((BPM - bpm) / 2.0) ** 2)
    return likely / likely.sum()


def test_it_follows_a_rate_that_falls():
    track = RateTrack()
    true = np.linspace(150.0, 120.0, 60)
    found = [track.follow(at(bpm), 0.5) for bpm in true]
    assert np.abs(np.array(found) - true)[4:].max() <= 3.0


def test_an_odd_moment_does_not_move_it():
    track = RateTrack()
    for _ in range(10):
        track.follow(at(72.0), 0.5)
    assert track.follow(at(144.0, 72.0), 0.5) == 72.0


def test_it_comes_back_from_what_was_wrong():
    track = RateTrack()
    for _ in range(6):
        track.follow(at(60.0), 0.5)
    found = [track.follow(at(110.0), 0.5) for _ in range(20)]
    assert found[-1] == 110.0


def test_forgotten_is_forgotten():
    track = RateTrack()
    for _ in range(50):
        track.follow(at(60.0), 0.5)
    track.forget()
    assert track.follow(at(150.0), 0.5) == 150.0
