"""Light and movement are taken out of colours, and the pulse is left."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analyzers.vitals.cleaning import cleaned, without_slow
from analyzers.vitals.resampling import RATE_HZ

TIMES_S = np.arange(360) / RATE_HZ


@settings(max_examples=30, deadline=None)
@given(bpm=st.floats(50.0, 190.0), flicker=st.floats(0.8, 3.5), depth=st.floats(0.005, 0.03))
def test_a_flicker_is_gone_and_the_pulse_is_there(bpm, flicker, depth):
    assume(abs(flicker * 60.0 - bpm) > 12.0)
    pulse = 0.005 * np.sin(2.0 * np.pi * bpm / 60.0 * TIMES_S)
    light = depth * np.sin(2.0 * np.pi * flicker * TIMES_S)
    behind = light[:, None] + np.zeros((1, 1))
    left = without_slow(cleaned((pulse + light)[:, None], behind))[45:-45, 0]
    spare = without_slow(light[:, None])[45:-45, 0]
    beats = without_slow(pulse[:, None])[45:-45, 0]
    assert left @ beats / (beats @ beats) > 0.8
    # Nearly all of the flicker, beside a little of what the ends of a stretch have in common.
    assert abs(left @ spare) / np.linalg.norm(spare) < 0.1 * np.linalg.norm(spare) + 0.003


def test_what_explains_nothing_takes_nothing():
    pulse = 0.005 * np.sin(2.0 * np.pi * 1.2 * TIMES_S)[:, None]
    nothing = np.zeros((len(TIMES_S), 4))
    assert np.allclose(cleaned(pulse, nothing), pulse)


def test_slow_things_go_and_quick_ones_stay():
    slow = np.sin(2.0 * np.pi * 0.1 * TIMES_S)[:, None]
    quick = np.sin(2.0 * np.pi * 2.0 * TIMES_S)[:, None]
    inner = slice(45, -45)
    assert np.abs(without_slow(slow)[inner]).max() < 0.05
    assert np.abs(without_slow(quick)[inner] - quick[inner]).max() < 0.05
