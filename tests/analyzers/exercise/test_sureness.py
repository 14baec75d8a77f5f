"""How conditions and network are weighed, and what no weighing can overrule."""

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions
from analyzers.exercise.posture import ANY, LYING, PRONE, STANDING_UP, UPRIGHT
from analyzers.exercise.signals import INDEX, NAMES
from analyzers.exercise.sureness import Judgement


def trunk(mean, lowest=None, highest=None):
    """Return statistics in which only the trunk's incline is told."""
    values = {
        "mean": mean,
        "min": mean if lowest is None else lowest,
        "max": mean if highest is None else highest,
    }
    out = {name: np.zeros(len(NAMES)) for name in values}
    for name, value in values.items():
        out[name][INDEX["trunk"]] = value
    return out


def test_every_exercise_has_a_posture():
    assert [each.name for each in definitions().values() if each.posture == ANY] == []


@pytest.mark.parametrize(("posture", "name"), [(UPRIGHT, "bicep_curl"), (PRONE, "push_up")])
def test_who_stands_does_no_push_up_and_who_lies_no_curl(posture, name):
    assert definitions()[name].posture == posture
    assert posture.allows(trunk(10.0)) == (name == "bicep_curl")
    assert posture.allows(trunk(85.0)) == (name == "push_up")


def test_a_deadlift_has_to_come_up():
    assert STANDING_UP.allows(trunk(50.0, lowest=10.0))
    assert not STANDING_UP.allows(trunk(70.0, lowest=65.0))


def test_a_sit_up_has_to_lie_down_however_long_one_sits():
    assert LYING.allows(trunk(20.0, highest=70.0))
    assert not LYING.allows(trunk(30.0, highest=45.0))


def test_both_are_needed_to_be_quite_sure():
    judgement = Judgement()
    both = judgement.sureness(1.0, {"squat": 1.0, "none": 0.0}, "squat")
    conditions = judgement.sureness(1.0, {"squat": 0.0, "none": 1.0}, "squat")
    network = judgement.sureness(0.0, {"squat": 1.0, "none": 0.0}, "squat")
    assert both == pytest.approx(1.0)
    assert max(conditions, network) < both
    assert min(conditions, network) > 0.0


def test_another_exercise_speaks_less_against_it_than_none():
    judgement = Judgement()
    other = judgement.sureness(1.0, {"squat": 0.0, "lunge": 1.0, "none": 0.0}, "squat")
    none = judgement.sureness(1.0, {"squat": 0.0, "lunge": 0.0, "none": 1.0}, "squat")
    assert none < judgement.sure < other


def test_more_of_either_is_surer():
    judgement = Judgement()
    by_fit = [
        judgement.sureness(fit, {"squat": 0.5, "none": 0.5}, "squat") for fit in (0.1, 0.5, 1.0)
    ]
    by_network = [
        judgement.sureness(0.5, {"squat": p, "none": 1.0 - p}, "squat") for p in (0.1, 0.5, 1.0)
    ]
    assert by_fit == sorted(by_fit)
    assert by_network == sorted(by_network)
    assert len(set(by_fit)) == len(set(by_network)) == 3


def test_of_an_exercise_that_the_network_does_not_know_the_conditions_decide():
    assert Judgement().sureness(0.7, {"squat": 1.0}, "handstand") == 0.7
