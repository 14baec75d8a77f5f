"""Who is found, on boxes whose overlaps are known by hand."""

from pathlib import Path

import numpy as np
import pytest

from analyzers.pose.engine import Person
from bench.poses.people import (
    count_matches,
    count_people,
    intersection_over_union,
    landmark_boxes,
    read_boxes,
)

WIDTH, HEIGHT = 200, 100


def person(x0: float, y0: float, x1: float, y1: float) -> Person:
    """Someone whose landmarks reach from corner to corner of a box in pixels."""
    landmarks = np.zeros((33, 4))
    landmarks[:, 0] = np.linspace(x0, x1, 33) / WIDTH
    landmarks[:, 1] = np.linspace(y0, y1, 33) / HEIGHT
    return Person(landmarks, np.zeros((33, 4)))


def test_boxes_are_read_by_frame(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("1,1,10,20,30,40,1,-1,-1,-1\n3,1,1,2,3,4,1,-1,-1,-1\n1,2,0,0,5,5,1,-1,-1,-1\n")
    boxes = read_boxes(path)
    assert {frame: each.tolist() for frame, each in boxes.items()} == {
        0: [[10, 20, 40, 60], [0, 0, 5, 5]],
        2: [[1, 2, 4, 6]],
    }


def test_intersection_over_union() -> None:
    boxes = np.array([[0.0, 0, 2, 2], [10, 10, 14, 12]])
    others = np.array([[1.0, 0, 3, 2], [0, 0, 2, 2], [12, 10, 14, 12], [2, 2, 3, 3]])
    assert intersection_over_union(boxes, others) == pytest.approx(
        np.array([[1 / 3, 1, 0, 0], [0, 0, 1 / 2, 0]])
    )


def test_boxes_without_area_overlap_nothing() -> None:
    nothing = np.array([[1.0, 1, 1, 1]])
    assert intersection_over_union(nothing, nothing).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("overlaps", "expected"),
    [
        ([[0.9, 0.6], [0.7, 0.1]], 1),  # the best pair leaves the others 0.1
        ([[0.6, 0.9], [0.7, 0.1]], 2),
        ([[0.5]], 1),
        ([[0.49]], 0),
        ([[0.8, 0.8, 0.8]], 1),  # two poses on one person count once
        ([[0.8], [0.8]], 1),
        ([], 0),
    ],
)
def test_matches_are_one_to_one(overlaps: list[list[float]], expected: int) -> None:
    assert count_matches(np.array(overlaps)) == expected


def test_landmark_boxes_end_at_the_frame() -> None:
    boxes = landmark_boxes([person(20, 10, 60, 90), person(-40, 10, 60, 190)], WIDTH, HEIGHT)
    assert boxes == pytest.approx(np.array([[20, 10, 60, 90], [0, 10, 60, 100]]))
    assert landmark_boxes([], WIDTH, HEIGHT).shape == (0, 4)


def test_people_are_counted_over_all_frames() -> None:
    truth = {
        0: np.array([[20.0, 10, 60, 90], [100, 10, 140, 90]]),
        2: np.array([[20.0, 10, 60, 90]]),
    }
    answers = [
        [person(20, 10, 60, 90), person(100, 10, 140, 40)],  # one found, one too small
        [person(20, 10, 60, 90)],  # nobody is there
        [],  # missed
    ]
    assert count_people(truth, answers, WIDTH, HEIGHT) == (3, 1, 2)
