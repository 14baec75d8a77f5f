"""A region stands upright with its person, and cuts what it says it cuts."""

import math

import numpy as np
import pytest

from analyzers.pose.on_openvino.region import Region, overlap

QUARTER = math.pi / 2


def grey(rows):
    """Return a picture of grey levels: (H, W, 3)."""
    return np.repeat(np.array(rows, np.uint8)[:, :, None], 3, axis=2)


def cut(region, frame, side, **options):
    into = np.full((side, side, 3), 99, np.uint8)
    region.cut(frame, into, **options)
    assert (into == into[..., :1]).all()
    return into[..., 0].tolist()


@pytest.mark.parametrize(
    ("edge", "angle"),
    [
        ((100, 150), 0),
        ((150, 200), QUARTER),
        ((100, 250), math.pi),
        ((50, 200), -QUARTER),
        # The sides of a triangle of 3, 4 and 5: to the right of upright by the angle at the hips.
        ((130, 160), math.atan2(3, 4)),
        ((70, 160), -math.atan2(3, 4)),
        ((130, 240), math.pi - math.atan2(3, 4)),
    ],
    ids=["up", "right", "down", "left", "up right", "up left", "down right"],
)
def test_it_is_turned_to_the_edge_and_a_quarter_larger_than_the_circle(edge, angle):
    middle, edge = np.array([100.0, 200.0]), np.array(edge, float)
    region = Region.around(middle, edge)
    # The radius is 50 in each case.
    assert (region.x, region.y, region.size) == pytest.approx((100, 200, 125))
    assert math.cos(region.angle) == pytest.approx(math.cos(angle))
    assert math.sin(region.angle) == pytest.approx(math.sin(angle))
    assert -math.pi <= region.angle <= math.pi
    # In its own picture the person is upright: the edge is 50 / 125 above the middle.
    assert region.to_frame(np.array([[0.5, 0.1]]))[0] == pytest.approx(edge)


@pytest.mark.parametrize(
    ("angle", "top", "right"),
    [
        (0.0, (100, 40), (110, 50)),
        (QUARTER, (110, 50), (100, 60)),
        (math.pi, (100, 60), (90, 50)),
        (-QUARTER, (90, 50), (100, 40)),
    ],
)
def test_points_are_turned_clockwise_about_the_middle(angle, top, right):
    region = Region(100, 50, 20, angle)
    points = np.array([(0.5, 0.5), (0.5, 0.0), (1.0, 0.5)])
    assert region.to_frame(points) == pytest.approx(np.array([(100, 50), top, right]))


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (1, 1)])
def test_the_whole_frame_is_a_square_around_it(height, width):
    frame = np.zeros((height, width, 3), np.uint8)
    assert Region.whole(frame) == Region(width / 2, height / 2, max(height, width), 0.0)


def test_it_follows_a_frame_that_changes_size():
    assert Region(100, 50, 20, 0.7).scaled(0.5) == Region(50, 25, 10, 0.7)


@pytest.mark.parametrize(
    ("region", "usable"),
    [
        (Region(10, 10, 1), True),
        (Region(-500, 1e6, 40), True),
        (Region(10, 10, 0.99), False),
        (Region(10, 10, 0), False),
        (Region(math.nan, 10, 40), False),
        (Region(10, math.inf, 40), False),
        (Region(math.inf, -math.inf, 40), False),
        (Region(10, 10, math.nan), False),
        (Region.around(np.array([5.0, 5.0]), np.array([5.0, 5.0])), False),
        (Region.around(np.array([5.0, 5.0]), np.array([5.0, math.nan])), False),
    ],
)
def test_there_is_something_to_look_at_in_a_region_of_a_pixel(region, usable):
    assert region.is_usable is usable


def test_a_square_frame_is_cut_as_it_is():
    frame = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
    frame.setflags(write=False)
    into = np.zeros((1, 8, 8, 3), np.uint8)
    Region.whole(frame).cut(frame, into[0])
    # Into the very array that a network reads, with its three channels apart.
    assert np.array_equal(into[0], frame)


@pytest.mark.parametrize(
    ("repeat_edge", "above", "below"),
    [(False, [0, 0, 0, 0], [0, 0, 0, 0]), (True, [1, 2, 3, 4], [5, 6, 7, 8])],
)
def test_outside_the_frame_it_is_black_or_like_the_edge(repeat_edge, above, below):
    frame = grey([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert cut(Region.whole(frame), frame, 4, repeat_edge=repeat_edge) == [
        above,
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        below,
    ]


@pytest.mark.parametrize(
    ("angle", "picture"),
    [
        # A pixel (column u, row v) shows the frame at x = 4 - v, y = u, where x = 4 is outside.
        (QUARTER, [[0, 0, 0, 0], [13, 23, 33, 43], [12, 22, 32, 42], [11, 21, 31, 41]]),
        # x = 4 - u, y = 4 - v
        (math.pi, [[0, 0, 0, 0], [0, 43, 42, 41], [0, 33, 32, 31], [0, 23, 22, 21]]),
        # x = v, y = 4 - u
        (-QUARTER, [[0, 40, 30, 20], [0, 41, 31, 21], [0, 42, 32, 22], [0, 43, 33, 23]]),
    ],
)
def test_a_turned_region_is_cut_upright(angle, picture):
    frame = grey([[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33], [40, 41, 42, 43]])
    assert cut(Region(2, 2, 4, angle), frame, 4) == picture


@pytest.mark.parametrize(
    ("region", "side", "picture"),
    [
        # Every second pixel of every second row.
        (Region(2, 2, 4), 2, [[10, 30], [90, 110]]),
        # x and y at 1, 1.5, 2 and 2.5; between two pixels their mean.
        (
            Region(2, 2, 2),
            4,
            [[60, 65, 70, 75], [80, 85, 90, 95], [100, 105, 110, 115], [120, 125, 130, 135]],
        ),
        # A pixel to the right and two down.
        (Region(3, 4, 4), 4, [[100, 110, 120, 0], [140, 150, 160, 0], [0] * 4, [0] * 4]),
    ],
    ids=["smaller", "larger", "beside"],
)
def test_sizes_and_places_are_cut_bilinearly(region, side, picture):
    frame = grey([[10, 20, 30, 40], [50, 60, 70, 80], [90, 100, 110, 120], [130, 140, 150, 160]])
    assert cut(region, frame, side) == picture


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5])
def test_what_is_seen_in_the_picture_is_where_the_points_say(angle):
    frame = np.zeros((120, 160, 3), np.uint8)
    # A square around (70, 40).
    frame[38:43, 68:73] = 200
    region = Region(80, 50, 64, angle)
    into = np.zeros((256, 256, 3), np.uint8)
    region.cut(frame, into)
    rows, columns = np.mgrid[0:256, 0:256]
    light = into[..., 0] / into[..., 0].sum(dtype=float)
    seen = np.array([[(columns * light).sum(), (rows * light).sum()]]) / 256
    assert region.to_frame(seen)[0] == pytest.approx((70, 40), abs=0.05)


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        (Region(3, 4, 2), Region(3, 4, 2), 1),
        # Squares of 4, half of one in the other: 2 of 6.
        (Region(0, 0, 2), Region(1, 0, 2), 1 / 3),
        (Region(0, 0, 2), Region(0, -1, 2), 1 / 3),
        # A quarter: 1 of 7.
        (Region(0, 0, 2), Region(1, 1, 2), 1 / 7),
        # One inside the other: 4 of 16.
        (Region(0, 0, 4), Region(0.5, 0.5, 2), 1 / 4),
        (Region(0, 0, 2), Region(2, 0, 2), 0),
        # Apart in both directions, where two negative sides would make a positive area.
        (Region(0, 0, 2), Region(5, 5, 2), 0),
        (Region(0, 0, 2, 0.0), Region(0, 0, 2, 1.0), 1),
        (Region(0, 0, 0), Region(0, 0, 0), 0),
    ],
)
def test_overlap_is_intersection_over_union(a, b, iou):
    assert overlap(a, b) == pytest.approx(iou)
    assert overlap(b, a) == pytest.approx(iou)
