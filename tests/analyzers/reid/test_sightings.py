"""Boxes from what pose says."""

import pytest

from analyzers.reid.sightings import posed_people
from tests.analyzers.reid.people import HEIGHT, WIDTH, as_dicts, joints_px, pose_of


@pytest.mark.parametrize("pose", [None, {}, {"has_pose": False, "landmarks": [], "people": []}])
def test_nobody(pose):
    assert posed_people(pose, WIDTH, HEIGHT) == []


def test_several_people_have_pose_s_numbers_and_boxes_around_their_heads_too():
    people = posed_people(pose_of((7, 20, 20), (3, 200, 30)), WIDTH, HEIGHT)
    assert [person.number for person in people] == [7, 3]
    box = people[0].box
    assert people[0].middle == pytest.approx((20 + 30, 20 + 70), abs=0.01)
    # The landmarks reach from 8 to 90 of 100; the head begins at 0.
    assert box.y0 == pytest.approx(20, abs=4)
    assert box.y1 == pytest.approx(20 + 190, abs=8)
    assert box.score == pytest.approx(1)


def test_one_person_has_the_number_that_pose_gives():
    pose = {"has_pose": True, "track_id": 4, "landmarks": as_dicts(joints_px(20, 20))}
    assert [person.number for person in posed_people(pose, WIDTH, HEIGHT)] == [4]
    del pose["track_id"]
    assert [person.number for person in posed_people(pose, WIDTH, HEIGHT)] == [0]


def test_boxes_stay_within_the_frame():
    (person,) = posed_people(pose_of((1, 300, 150)), WIDTH, HEIGHT)
    assert (person.box.x1, person.box.y1) == (WIDTH, HEIGHT)
