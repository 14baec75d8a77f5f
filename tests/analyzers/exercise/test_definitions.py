"""Exercises are data, and whole."""

import pytest

from analyzers.exercise.definition import Condition, Fault
from analyzers.exercise.definitions import definitions

WANTED = {
    "squat", "push_up", "lunge", "bicep_curl", "shoulder_press", "jumping_jack", "sit_up",
    "pull_up", "deadlift", "lateral_raise", "plank",
}  # fmt: skip


def test_all_exercises_are_there():
    assert set(definitions()) == WANTED


def test_codes_are_unique_and_texts_are_sentences():
    faults = [fault for each in definitions().values() for fault in each.faults]
    good = [each for exercise in definitions().values() for each in exercise.good]
    codes = [fault.code for fault in faults] + [code for code, _ in good]
    assert len(codes) == len(set(codes))
    for text in [fault.text for fault in faults] + [text for _, text in good]:
        assert text[0].isupper()
        assert not text.endswith(".")


@pytest.mark.parametrize("exercise", definitions().values(), ids=lambda each: each.name)
def test_a_definition_says_where_it_comes_from_and_fits_itself(exercise):
    module = __import__(f"analyzers.exercise.definitions.{exercise.name}", fromlist=["x"])
    assert len(module.__doc__.splitlines()) >= 3
    assert exercise.conditions
    assert exercise.held or (exercise.min_amplitude > 0 and exercise.direction in (-1, 1))


def test_a_condition_fits_inside_and_less_and_less_outside():
    condition = Condition("trunk", "mean", low=10.0, high=20.0, soft=10.0)
    assert [condition.fit(value) for value in (15.0, 20.0, 25.0, 5.0, 40.0)] == [1, 1, 0.5, 0.5, 0]


def test_misspelt_signals_are_refused():
    with pytest.raises(ValueError, match="trunc"):
        Condition("trunc", "mean")
    with pytest.raises(ValueError, match="no statistic"):
        Fault("code", "Text", "trunk", "median")
