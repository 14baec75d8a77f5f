"""The same person keeps the same number, whatever order MediaPipe lists people in."""

import numpy as np
import pytest

from analyzers.pose.people import Identities, bounding_box, box_area

BODY = np.random.default_rng(2).uniform((0, 0), (0.1, 0.4), (33, 2))


def person(x, y=0.3):
    return np.add(BODY, (x, y))


def test_numbers_follow_people_not_positions_in_the_list():
    identities = Identities()
    assert identities.assign([person(0.2), person(0.6)], 0) == [1, 2]
    assert identities.assign([person(0.62), person(0.22)], 33) == [2, 1]


def test_people_who_walk_through_the_picture_keep_their_numbers():
    identities = Identities()
    for step in range(40):
        left, right = person(0.1 + 0.008 * step), person(0.8 - 0.002 * step)
        assert identities.assign([left, right], step * 33) == [1, 2]


def test_the_nearest_pair_is_matched_first():
    identities = Identities()
    identities.assign([person(0.2), person(0.3)], 0)
    # Both are nearest to number 2; the one that is nearer gets it.
    assert identities.assign([person(0.26), person(0.3)], 33) == [1, 2]


def test_someone_new_gets_a_new_number():
    identities = Identities()
    assert identities.assign([person(0.1)], 0) == [1]
    assert identities.assign([person(0.8), person(0.1)], 33) == [2, 1]
    assert identities.assign([], 66) == []


@pytest.mark.parametrize(("away_ms", "number"), [(900, 1), (1100, 2)])
def test_someone_out_of_sight_is_remembered_for_a_second(away_ms, number):
    identities = Identities()
    identities.assign([person(0.4)], 0)
    for time_ms in range(33, away_ms, 33):
        assert identities.assign([], time_ms) == []
    assert identities.assign([person(0.42)], away_ms) == [number]


@pytest.mark.parametrize("times_ms", [(0, 5000, 90_000), (60_000, 60_033, 0, 33), (0, 1001, 2002)])
def test_time_without_frames_makes_nobody_forgotten(times_ms):
    identities = Identities()
    assert [identities.assign([person(0.4)], time_ms) for time_ms in times_ms] == [[1]] * len(
        times_ms
    )


def test_a_box_is_what_of_the_landmarks_is_in_the_frame():
    points = np.array([(-0.2, 0.1), (0.5, 1.4), (0.25, 0.2)])
    assert bounding_box(points) == [0.0, 0.1, 0.5, 1.0]
    assert box_area([0.0, 0.1, 0.5, 1.0]) == pytest.approx(0.45)
    assert box_area(bounding_box(points + 5)) == 0
