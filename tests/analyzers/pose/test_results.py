"""What a result says of people."""

import numpy as np
import pytest

from analyzers.pose.engine import Person
from analyzers.pose.results import bounding_box, of_one, of_several


def person(x0, y0, x1, y1):
    landmarks = np.ones((33, 4))
    landmarks[:, 0], landmarks[:, 1] = np.linspace(x0, x1, 33), np.linspace(y0, y1, 33)
    return Person(landmarks, landmarks)


def test_a_box_is_what_of_the_landmarks_is_in_the_frame():
    points = np.array([(-0.2, 0.1), (0.5, 1.4), (0.25, 0.2)])
    assert bounding_box(points) == [0.0, 0.1, 0.5, 1.0]


def test_several_people_are_in_the_order_of_their_numbers_the_largest_at_the_top():
    small, large = person(0.1, 0.2, 0.2, 0.4), person(0.5, 0.0, 0.75, 1.5)
    result = of_several([large, small], [7, 3], 640, 480)
    assert [(p["id"], p["track_id"]) for p in result["people"]] == [(3, 3), (7, 7)]
    assert [p["bbox"] for p in result["people"]] == [[64, 96, 128, 192], [320, 0, 480, 480]]
    assert result["people"][1]["box"] == [0.5, 0.0, 0.75, 1.0]
    assert result["track_id"] == 7
    assert result["landmarks"] == result["people"][1]["landmarks"]


def test_one_person_has_a_number_too():
    result = of_one([person(0.1, 0.2, 0.2, 0.4)], [5])
    assert (result["has_pose"], result["track_id"], len(result["landmarks"])) == (True, 5, 33)
    assert result["landmarks"][32]["x"] == pytest.approx(0.2)


def test_nobody_has_none():
    assert of_one([], [])["track_id"] is None
    assert of_several([], [], 640, 480) == {
        "has_pose": False,
        "track_id": None,
        "landmarks": [],
        "world_landmarks": [],
        "people": [],
    }
