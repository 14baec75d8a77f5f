"""Boxes, with answers known by hand."""

import numpy as np
import pytest

from analyzers.networks.boxes import Box, overlap, pair

UNIT = Box(0, 0, 10, 10)


def test_a_box_knows_its_measures():
    box = Box(1, 2, 5, 10, score=0.7)
    assert (box.width, box.height, box.middle) == (4, 8, (3, 6))
    assert box.corners().tolist() == [[1, 2], [5, 2], [5, 10], [1, 10]]


def test_a_box_around_points_touches_the_outermost():
    points = np.array([(3.0, 7.0), (-1.0, 8.0), (2.0, 4.0)])
    assert Box.around(points) == Box(-1, 4, 3, 8)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (UNIT, 1.0),
        # Half of each is shared: 50 of 150.
        (Box(5, 0, 15, 10), 1 / 3),
        # A quarter within: 25 of 100.
        (Box(0, 0, 5, 5), 0.25),
        (Box(10, 0, 20, 10), 0.0),
        (Box(20, 20, 30, 30), 0.0),
        (Box(3, 3, 3, 3), 0.0),
    ],
)
def test_overlap(other, expected):
    assert overlap(UNIT, other) == pytest.approx(expected)
    assert overlap(other, UNIT) == pytest.approx(expected)


def test_boxes_that_touch_do_not_meet():
    assert UNIT.meets(Box(9, 9, 20, 20))
    assert not UNIT.meets(Box(10, 0, 20, 10))
    assert not UNIT.meets(Box(0, -5, 10, 0))


def test_a_box_holds_what_is_inside():
    assert UNIT.holds(5, 5)
    assert not UNIT.holds(10, 5)
    assert not UNIT.holds(5, -1)


def test_pairs_are_one_to_one_and_the_largest_overlap_comes_first():
    first = [Box(0, 0, 10, 10), Box(6, 0, 16, 10)]
    # Overlaps 4/16 with the first and 10/10 with the second; then 8/12 with the first.
    second = [Box(6, 0, 16, 10), Box(2, 0, 12, 10)]
    assert pair(first, second, 0.3) == {0: 1, 1: 0}


def test_too_little_overlap_is_no_pair():
    assert pair([UNIT], [Box(5, 0, 15, 10)], 0.34) == {}
    assert pair([UNIT], [Box(5, 0, 15, 10)], 0.33) == {0: 0}
    assert pair([], [UNIT], 0.1) == {}
    assert pair([UNIT], [], 0.1) == {}
