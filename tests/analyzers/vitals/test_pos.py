"""POS keeps the pulse, and loses light and movement."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.vitals import pos
from analyzers.vitals.resampling import RATE_HZ

from .traces import BLOOD, SKIN, pulse_wave

TIMES_S = np.arange(360) / RATE_HZ


def colors(bpm, strength=0.01, light=1.0, phase=0.0):
    wave = strength * pulse_wave(phase + 2.0 * np.pi * bpm / 60.0 * TIMES_S)
    skin = SKIN * (1.0 - wave[:, None] * BLOOD) * np.broadcast_to(light, TIMES_S.shape)[:, None]
    return skin[:, None, :], wave


@settings(max_examples=40, deadline=None)
@given(bpm=st.floats(50.0, 200.0), phase=st.floats(0.0, 6.28), depth=st.floats(0.0, 0.05))
def test_the_pulse_comes_out_whatever_the_light_does(bpm, phase, depth):
    light = 1.0 + depth * np.sin(2.0 * np.pi * 0.4 * TIMES_S)
    skin, wave = colors(bpm, light=light, phase=phase)
    found = pos.pulse(skin)[:, 0]
    # Where a window is not cut by an end. Blood takes light away: its wave is the other way round.
    middle = slice(pos.WINDOW, -pos.WINDOW)
    likeness = np.corrcoef(found[middle], wave[middle])[0, 1]
    assert abs(likeness) > 0.9


def test_light_alone_is_no_pulse():
    light = 1.0 + 0.02 * np.sin(2.0 * np.pi * 1.3 * TIMES_S)
    still, _ = colors(80.0, strength=0.0, light=light)
    beating, _ = colors(80.0, strength=0.01, light=light)
    assert np.ptp(pos.pulse(still)) < 1e-3 * np.ptp(pos.pulse(beating))


def test_places_are_told_apart():
    first, _ = colors(60.0)
    second, _ = colors(140.0)
    both = pos.pulse(np.concatenate([first, second], axis=1))
    assert np.allclose(both[:, :1], pos.pulse(first))
    assert np.allclose(both[:, 1:], pos.pulse(second))


def test_it_is_what_the_paper_says_window_by_window():
    rng = np.random.default_rng(6)
    skin = 100.0 + np.cumsum(rng.normal(0.0, 0.3, (200, 2, 3)), axis=0)
    projection = np.array([[0.0, 1.0, -1.0], [-2.0, 1.0, 1.0]])
    total, shares = np.zeros((200, 2)), np.zeros((200, 1))
    for begin in range(200 - pos.WINDOW + 1):
        window = slice(begin, begin + pos.WINDOW)
        shares[window] += 1.0
        for place in range(2):
            colors_there = skin[window, place]
            first, second = projection @ (colors_there / colors_there.mean(axis=0)).T
            wave = first + first.std() / second.std() * second
            total[window, place] += wave - wave.mean()
    assert np.allclose(pos.pulse(skin), total / shares, atol=1e-9)
