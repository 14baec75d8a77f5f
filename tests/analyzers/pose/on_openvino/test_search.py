"""Who is new and who is not, with answers known by hand."""

import math

import numpy as np
import pytest

from analyzers.networks.boxes import Box
from analyzers.pose.on_openvino.region import Region
from analyzers.pose.on_openvino.search import Followed, Search

FRAME = np.zeros((480, 640, 3), np.uint8)
ANN = Followed(Region(100, 200, 200), Box(70, 120, 130, 280))


class Answers:
    """In a detector's place: answers as it is told and writes down where it was to look."""

    def __init__(self, *answer):
        self.answer = list(answer)
        self.asked = []

    def find(self, rgb, within=None, nobody_is_likely=None):
        self.asked.append(within)
        return list(self.answer)


def test_a_region_that_nobody_has_is_a_newcomer():
    region = Region(500, 200, 200, 0.3)
    (newcomer,) = Search(Answers(region), None).find(FRAME, [ANN], 0)
    assert (newcomer.region, newcomer.box) == (region, None)


@pytest.mark.parametrize(
    "region",
    [
        # The same middle.
        Region(100, 200, 200),
        # Overlaps: 170 x 200 of 230 x 200.
        Region(130, 200, 200),
        # Hardly overlaps, but its hips are 36 pixels from Ann's: a fifth of her region is 40.
        Region(100, 236, 60),
        # Nothing to look at.
        Region(500, 200, 0.4),
        Region(math.nan, 200, 200),
    ],
)
def test_a_region_of_someone_who_is_followed_is_none(region):
    assert Search(Answers(region), None).find(FRAME, [ANN], 0) == []


def test_someone_within_the_box_of_wide_arms_is_a_newcomer():
    wide = Followed(Region(320, 255, 450), Box(140, 80, 500, 430))
    beside = Region(450, 240, 300)
    (newcomer,) = Search(Answers(beside), None).find(FRAME, [wide], 0)
    assert newcomer.region == beside


def test_a_box_without_height_is_none():
    assert Search(Answers(), Answers(Box(10, 50, 60, 50))).find(FRAME, [ANN], 0) == []


def test_of_two_regions_that_overlap_the_later_one_counts():
    sure, same, other = Region(300, 200, 200), Region(310, 200, 200), Region(520, 200, 200)
    found = Search(Answers(sure, same, other), None).find(FRAME, [], 0)
    assert [newcomer.region for newcomer in found] == [same, other]


def test_a_box_becomes_the_upright_region_around_the_hips():
    people = Answers(Box(300, 100, 360, 300))
    (newcomer,) = Search(Answers(), people).find(FRAME, [ANN], 0)
    # 1.25 times 200 pixels, its middle at 52 % of the height.
    assert newcomer.region == Region(330, 204, 250, 0)
    assert newcomer.box == people.answer[0]


def test_a_box_of_someone_who_is_followed_is_none():
    # Ann's landmarks fill 60 x 160 of 80 x 200: 0.6.
    assert Search(Answers(), Answers(Box(60, 100, 140, 300))).find(FRAME, [ANN], 0) == []


def test_two_boxes_on_one_person_leave_one_newcomer():
    beside = Box(90, 120, 150, 280)
    (newcomer,) = Search(Answers(), Answers(Box(70, 120, 130, 280), beside)).find(FRAME, [ANN], 0)
    assert newcomer.box == beside


@pytest.mark.parametrize(
    ("angle_deg", "is_new"), [(0, True), (40, True), (50, False), (-90, False)]
)
def test_boxes_within_someone_who_lies_are_parts_of_them(angle_deg, is_new):
    body = Box(100, 300, 500, 420)
    lying = Followed(Region(300, 360, 450, math.radians(angle_deg)), body)
    found = Search(Answers(), Answers(Box(120, 310, 170, 400))).find(FRAME, [lying], 0)
    assert bool(found) == is_new


def test_parts_of_the_frame_have_their_turn_once_somebody_is_followed():
    detector = Answers()
    search = Search(detector, None)
    for _ in range(8):
        search.find(FRAME, [ANN], 0)
    left, middle, right = (Region(x, 240, 480) for x in (240, 320, 400))
    assert detector.asked == [None, left, None, middle, None, right, None, left]


def test_parts_of_a_tall_frame_are_above_each_other():
    detector = Answers()
    search = Search(detector, None)
    for _ in range(6):
        search.find(FRAME.transpose(1, 0, 2), [ANN], 0)
    assert [region for region in detector.asked if region] == [
        Region(240, y, 480) for y in (240, 320, 400)
    ]


def searches(followed, step_ms, count=12):
    """Search every `step_ms`; return at which times each detector looked."""
    pose, people = Answers(), Answers()
    search = Search(pose, people)
    looked = ([], [])
    for time_ms in range(0, count * step_ms, step_ms):
        before = len(pose.asked), len(people.asked)
        search.find(FRAME, followed, time_ms)
        after = len(pose.asked), len(people.asked)
        for times, earlier, now in zip(looked, before, after, strict=True):
            times += [time_ms] * (now - earlier)
    return looked


def test_while_somebody_is_followed_boxes_come_each_time_and_regions_every_160_ms():
    pose, people = searches([ANN], 80, 8)
    assert people == list(range(0, 640, 80))
    assert pose == [0, 160, 320, 480]


@pytest.mark.parametrize("step_ms", [33, 66, 200, 1000])
def test_in_an_empty_scene_only_one_detector_looks_at_a_frame(step_ms):
    pose, people = searches([], step_ms)
    assert sorted(pose + people) == list(range(0, 12 * step_ms, step_ms))
    assert pose[0] == 0
    assert len(pose) >= len(people)
    # Boxes wait for 160 ms, and for a search of the pose detector.
    assert people[1] - people[0] == max(2 * step_ms, -(-160 // step_ms) * step_ms)


def test_in_an_empty_scene_the_whole_frame_is_searched():
    pose = Answers()
    search = Search(pose, None)
    for _ in range(4):
        search.find(FRAME, [], 0)
    assert pose.asked == [None] * 4
