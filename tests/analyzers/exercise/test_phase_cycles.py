"""Repetitions in the phase that the network tells."""

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions
from analyzers.exercise.history import History
from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.network import Told
from analyzers.exercise.phase_cycles import PhaseCounter, PhaseCycle, on_signal
from analyzers.exercise.signals import measure
from tests.analyzers.exercise.recordings import of_catalogue, play


def counted(phases, rate=15.0):
    """Return the cycles of phases, each 0 at rest and 0.5 at the turn."""
    counter, likely = PhaseCounter(), np.full(len(CLASSES), 1.0 / len(CLASSES))
    told = (
        (number / rate, Told(likely, np.sin(2 * np.pi * p), np.cos(2 * np.pi * p), 1.0))
        for number, p in enumerate(phases)
    )
    cycles = [counter.feed(time_s, each) for time_s, each in told]
    return [each for each in cycles if each is not None]


@pytest.mark.parametrize("repetitions", [1, 4, 20])
@pytest.mark.parametrize("lasts_s", [0.7, 2.0, 6.0])
def test_each_time_around_is_one(repetitions, lasts_s):
    moments = np.arange(0.0, repetitions * lasts_s + 0.2, 1 / 15)
    cycles = counted(np.minimum(moments / lasts_s, repetitions) % 1.0)
    assert len(cycles) == repetitions
    for number, each in enumerate(cycles):
        assert each.start_s <= each.turn_s <= each.end_s
        assert each.turn_s == pytest.approx((number + 0.5) * lasts_s, abs=0.1)


def test_rest_before_it_is_no_part_of_it():
    still, once = np.zeros(60), np.linspace(0.0, 1.0, 30)
    [cycle] = counted([*still, *once])
    assert 3.5 < cycle.start_s < 4.8


def test_a_way_out_alone_is_none():
    assert counted(np.linspace(0.0, 0.5, 30)) == []


def test_what_begins_on_the_way_back_is_none_and_the_next_one_is():
    assert len(counted([*np.linspace(0.5, 1.0, 15), *np.linspace(0.0, 1.0, 30)])) == 1


def test_trembling_at_rest_or_at_the_turn_counts_nothing_more():
    rng = np.random.default_rng(0)
    way = np.concatenate([np.zeros(20), np.linspace(0, 0.5, 15), np.full(20, 0.5),
                          np.linspace(0.5, 1, 15), np.zeros(20)])  # fmt: skip
    assert len(counted(way + 0.03 * rng.normal(size=len(way)))) == 1


def squatting(recording):
    history = History()
    for time_s, flat, solid in zip(
        recording.times_s.tolist(),
        recording.landmarks.tolist(),
        recording.world.tolist(),
        strict=True,
    ):
        history.add(time_s, measure(flat, solid, recording.aspect))
    return history


def test_a_cycle_of_the_phase_turns_where_the_signal_does():
    squats = of_catalogue("squat-oblique")
    first = play(squats).scorer.repetitions[0]
    # The phase's own turn may be anywhere between start and end.
    said = PhaseCycle(first.start_s, first.start_s + 0.2, first.end_s)
    cycle = on_signal(said, definitions()["squat"], squatting(squats))
    assert cycle.turn_s == pytest.approx(first.turn_s, abs=0.1)
    assert cycle.amplitude == pytest.approx(first.range_of_motion, rel=0.1)


def test_where_the_signal_of_an_exercise_stands_still_there_is_none():
    squats = of_catalogue("squat-oblique")
    still = squats.at(np.zeros(90))
    still = type(still)(np.arange(90) / 30.0, still.landmarks, still.world, still.aspect)
    said = PhaseCycle(0.5, 1.2, 2.0)
    assert on_signal(said, definitions()["squat"], squatting(still)) is None
    hour = PhaseCycle(0.0, 1800.0, 3600.0)
    assert on_signal(hour, definitions()["squat"], squatting(still)) is None
