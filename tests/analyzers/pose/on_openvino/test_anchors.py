"""Boxes are where the network was taught they are, and those on one person become one."""

import numpy as np
import pytest

from analyzers.pose.on_openvino.anchors import make_anchors, merge_overlapping


def test_there_are_two_boxes_for_each_output_of_the_three_grids():
    # 28 * 28 * 2 + 14 * 14 * 2 + 7 * 7 * 6 = 1568 + 392 + 294
    assert make_anchors().shape == (2254, 2)


@pytest.mark.parametrize(
    ("index", "column", "row", "cells"),
    [
        # Stride 8: 28 cells of two boxes, row by row.
        (0, 0, 0, 28),
        (1, 0, 0, 28),
        (2, 1, 0, 28),
        (55, 27, 0, 28),
        (56, 0, 1, 28),
        (1567, 27, 27, 28),
        # Stride 16: 14 cells of two.
        (1568, 0, 0, 14),
        (1569, 0, 0, 14),
        (1570, 1, 0, 14),
        (1596, 0, 1, 14),
        (1959, 13, 13, 14),
        # Three times stride 32: 7 cells of six.
        (1960, 0, 0, 7),
        (1965, 0, 0, 7),
        (1966, 1, 0, 7),
        (2002, 0, 1, 7),
        (2247, 5, 6, 7),
        (2253, 6, 6, 7),
    ],
)
def test_a_box_is_in_the_middle_of_its_cell(index, column, row, cells):
    middle = ((column + 0.5) / cells, (row + 0.5) / cells)
    assert make_anchors()[index] == pytest.approx(middle)


def box(x, y, width, height, *points):
    return [(x, y), (x + width, y + height), *points]


def merge(boxes, scores, min_overlap=0.5):
    return merge_overlapping(np.array(boxes, float), np.array(scores, float), min_overlap)


@pytest.mark.parametrize(
    ("second", "min_overlap", "people"),
    [
        # Three fifths of the first, inside it.
        (box(0, 0, 1, 0.6), 0.59, 1),
        (box(0, 0, 1, 0.6), 0.61, 2),
        # A half in floating point exactly, which is not more than a half.
        (box(0, 0, 1, 0.5), 0.5, 2),
        # Half of each: 1/2 of 3/2.
        (box(0.5, 0, 1, 1), 0.33, 1),
        (box(0.5, 0, 1, 1), 0.34, 2),
        # Beside it, and apart in both directions.
        (box(1, 0, 1, 1), 0.0, 2),
        (box(5, 5, 1, 1), 0.0, 2),
    ],
)
def test_boxes_that_overlap_enough_are_one_person(second, min_overlap, people):
    assert len(merge([box(0, 0, 1, 1), second], [0.9, 0.8], min_overlap)) == people


def test_one_person_is_the_mean_of_the_boxes_weighted_by_their_scores():
    boxes = [box(0, 0, 1, 1, (0.2, 0.8)), box(0, 0, 1, 0.6, (0.6, 0.4))]
    # Weights of 3/4 and 1/4.
    merged = merge(boxes, [0.9, 0.3])
    assert merged == pytest.approx(np.array([[(0, 0), (1, 0.9), (0.3, 0.7)]]))


def test_the_surest_come_first():
    boxes = [box(x, 0, 1, 1) for x in (0, 10, 20, 30)]
    merged = merge(boxes, [0.6, 0.9, 0.7, 0.9])
    assert merged[:, 0, 0].tolist() == [10, 30, 20, 0]


def test_of_those_that_are_equally_sure_the_first_come_first():
    lefts = [10.0 * number for number in range(100)]
    merged = merge([box(x, 0, 1, 1) for x in lefts], [0.6, 0.9] * 50)
    assert merged[:, 0, 0].tolist() == lefts[1::2] + lefts[::2]


@pytest.mark.parametrize(
    ("scores", "left_edges"),
    [
        # Neighbours overlap by 0.8 of 1.2, the outer two by 0.6 of 1.4.
        ((0.6, 0.9, 0.6), [0.2]),
        # The mean of the first two begins at 0.08 and would overlap with the third by 0.515,
        # the best box by itself does not.
        ((0.9, 0.6, 0.6), [0.08, 0.4]),
    ],
)
def test_boxes_are_compared_with_the_best_one(scores, left_edges):
    boxes = [box(x, 0, 1, 1) for x in (0.0, 0.2, 0.4)]
    assert merge(boxes, scores)[:, 0, 0] == pytest.approx(left_edges)


@pytest.mark.parametrize(
    "flat", [box(0.5, 0.5, 0, 0), box(0, 0, 1, 0), box(1, 1, -1, -1), box(1, 0, -1, 1)]
)
def test_boxes_without_area_are_people_of_their_own(flat):
    whole = box(0, 0, 1, 1)
    assert (
        merge([flat, whole, flat], [0.9, 0.8, 0.7]).tolist()
        == np.array([flat, whole, flat], float).tolist()
    )


def test_no_boxes_are_no_people():
    assert merge(np.empty((0, 6, 2)), []).shape == (0, 6, 2)


def test_a_single_box_is_a_person():
    assert merge([box(1, 2, 3, 4, (5, 6))], [0.5]).tolist() == [[[1, 2], [4, 6], [5, 6]]]
