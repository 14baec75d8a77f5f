"""The card says what the result says, and stays in its corner."""

import numpy as np
import pytest

from analyzers.exercise.definitions import definitions
from analyzers.exercise.drawing import draw_exercise

REST = {"exercise": "none", "reps": 0, "phase": "rest", "held_s": 0.0, "score": None}
SQUAT = {**REST, "exercise": "squat", "reps": 3, "phase": "down", "score": 91.4, "warnings": []}
PLANK = {**REST, "exercise": "plank", "phase": "hold", "held_s": 12.3, "score": 70.0,
         "warnings": []}  # fmt: skip


def drawn(result, size=(640, 480), level=128):
    picture = np.full((size[1], size[0], 3), level, np.uint8)
    draw_exercise(picture, result)
    return picture


def changed(picture, level=128):
    return (picture != level).any(axis=-1)


def test_nothing_is_said_of_nothing():
    assert not changed(drawn({**REST, "warnings": []})).any()


def test_an_exercise_of_ones_own_has_a_card_with_its_name():
    own = {**SQUAT, "exercise": "band_pull"}
    assert changed(drawn(own)).any()
    assert (drawn(own) != drawn({**own, "exercise": "band_push"})).any()


def test_the_card_is_in_its_corner():
    inside = np.argwhere(changed(drawn(SQUAT)))
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0)
    assert 5 < top < 20
    assert 5 < left < 20
    assert bottom < 100
    assert right < 320


@pytest.mark.parametrize(
    "change",
    [
        {"reps": 4},
        {"score": 60.0},
        {"score": None},
        {"exercise": "lunge"},
        {"phase": "hold", "held_s": 3.0},
    ],
)
def test_each_value_shows(change):
    assert not np.array_equal(drawn(SQUAT), drawn({**SQUAT, **change}))


def test_what_is_not_on_it_changes_nothing():
    assert np.array_equal(drawn(SQUAT), drawn({**SQUAT, "phase": "up", "score": 91.0}))
    assert np.array_equal(drawn(PLANK), drawn({**PLANK, "held_s": 12.1, "reps": 1}))


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (270, 480), (160, 120)])
def test_every_warning_is_told_whole_at_the_bottom(size):
    width, height = size
    for definition in definitions().values():
        for fault in definition.faults:
            warned = drawn({**SQUAT, "warnings": [{"code": fault.code, "text": fault.text}]}, size)
            note = (warned != drawn(SQUAT, size)).any(axis=-1)
            rows, columns = np.nonzero(note)
            assert rows.max() < height - 1
            assert columns.min() > 0
            assert columns.max() < width - 1
            assert rows.min() > 0.2 * height


def test_the_first_warning_is_the_one():
    first, second = ({"code": n, "text": f"{n} of them"} for n in ("one", "two"))
    both = drawn({**SQUAT, "warnings": [first, second]})
    assert np.array_equal(both, drawn({**SQUAT, "warnings": [first]}))
    assert not np.array_equal(both, drawn({**SQUAT, "warnings": [second]}))


@pytest.mark.parametrize("level", [0, 255])
def test_it_can_be_read_on_light_and_on_dark(level):
    picture = drawn(SQUAT, level=level)
    card = picture[16:76, 16:150].mean(axis=-1)
    assert np.median(card) < 100
    assert card.max() > 230
