"""The counter of cycles, on signals that are known exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.exercise.cycles import CycleCounter


def count(times_s, values, *, accept=True, **options):
    counter = CycleCounter(0.2, 0.3, 10.0, **options)
    cycles = []
    for time_s, value in zip(times_s, values, strict=True):
        cycle = counter.feed(float(time_s), float(value))
        if cycle is not None and not cycle.partial:
            if accept:
                counter.accept(cycle)
            cycles.append((float(time_s), cycle))
    return cycles


def waves(number, period_s, fps, depth=1.0):
    times_s = np.arange(0.0, number * period_s + 1.0, 1.0 / fps)
    phase = np.clip(times_s - 0.5, 0.0, number * period_s) / period_s
    return times_s, depth * 0.5 * (1.0 - np.cos(2.0 * np.pi * phase))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    number=st.integers(1, 8),
    period_s=st.floats(1.2, 6.0),
    fps=st.floats(8.0, 60.0),
    depth=st.floats(0.3, 3.0),
    noise=st.floats(0.0, 0.02),
)
def test_every_wave_is_a_cycle_told_in_time(number, period_s, fps, depth, noise):
    times_s, values = waves(number, period_s, fps, depth)
    values = values + np.random.default_rng(number).normal(0.0, noise * depth, len(values))
    cycles = count(times_s, values)
    assert len(cycles) == number
    for index, (told_s, cycle) in enumerate(cycles):
        begin_s = 0.5 + index * period_s
        assert cycle.turn_s == pytest.approx(begin_s + period_s / 2, abs=0.2 * period_s)
        assert begin_s - 1 / fps <= cycle.start_s < cycle.turn_s < cycle.end_s
        assert cycle.end_s <= begin_s + period_s + 2 / fps
        # A slow wave ends slowly: its last tenth takes a tenth of its time.
        assert told_s - cycle.end_s <= 0.45 + 0.15 * period_s


def test_what_is_too_small_is_none():
    times_s, values = waves(5, 2.0, 30.0, depth=0.15)
    assert count(times_s, values) == []


def test_half_as_deep_as_the_others_is_none():
    times_s, values = waves(5, 2.0, 30.0)
    values[(times_s > 6.5) & (times_s < 8.5)] *= 0.3
    assert len(count(times_s, values)) == 4


def test_a_pause_at_the_turn_or_on_the_way_splits_nothing():
    way = np.concatenate(
        [np.linspace(0, 0.5, 15), [0.5] * 30, np.linspace(0.5, 1, 15), [1.0] * 60,
         np.linspace(1, 0, 30), [0.0] * 30]
    )  # fmt: skip
    assert len(count(np.arange(len(way)) / 30.0, way)) == 1


def test_drift_at_rest_is_none():
    times_s = np.arange(0, 60, 1 / 30)
    assert count(times_s, 0.5 * np.sin(times_s / 20.0)) == []


def test_a_weight_lifted_into_place_first_does_not_hide_the_repetitions():
    """From the floor to the shoulders, and three presses from there."""
    press = 1.0 + 0.45 * (1.0 - np.cos(np.linspace(0, 6 * np.pi, 180)))
    values = np.concatenate(
        [[-0.9] * 15, np.linspace(-0.9, 1.0, 20), [1.0] * 10, press, [1.0] * 30]
    )
    counter = CycleCounter(0.2, 0.3, 10.0)
    found = 0
    for number, value in enumerate(values):
        cycle = counter.feed(number / 30.0, float(value))
        if cycle is not None:
            found += 1
            if cycle.partial:
                counter.rest_there()
            counter.accept(cycle)
    assert found == 3


def test_a_bar_on_the_floor_is_a_turn_to_begin_at():
    lift = np.concatenate([[1.0] * 20, np.linspace(1, 0, 30), [0.0] * 30])
    times_s = np.arange(len(lift)) / 30.0
    assert len(count(times_s, lift, from_turn=True)) == 1
    assert count(times_s, lift) == []


def test_one_that_ends_short_of_its_start_is_told_in_time_too():
    values = np.concatenate(
        [[0.0] * 10, np.linspace(0, 1, 20), np.linspace(1, 0.3, 15), [0.3] * 60]
    )
    ((told_s, cycle),) = count(np.arange(len(values)) / 30.0, values)
    assert cycle.end_s == pytest.approx(44 / 30.0, abs=0.15)
    assert told_s - cycle.end_s <= 0.5
