"""Points move to the heat around them, and stay where there is none."""

import math

import numpy as np
import pytest

from analyzers.pose.on_openvino.refinement import refine

SIDE = 16
# No heat at all.
COLD = -1000.0
# All there can be.
HOT = 1000.0


def heat_map(cells):
    """Return a map that is cold but for some cells, (row, column) each: (SIDE, SIDE)."""
    logits = np.full((SIDE, SIDE), COLD, np.float32)
    for (row, column), logit in cells.items():
        logits[row, column] = logit
    return logits


def refined_cell(point_cells, cells):
    """Refine a point, x and y in cells, on a map of its own; return x and y in cells."""
    points = np.array([point_cells], float) / SIDE
    with np.errstate(all="raise"):
        return (refine(points, heat_map(cells)[:, :, None])[0] * SIDE).tolist()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({(5, 9): HOT}, (9, 5)),
        # Three cells away in each direction is in the window of seven.
        ({(3, 5): HOT}, (5, 3)),
        ({(9, 11): HOT}, (11, 9)),
        ({(5, 9): HOT, (5, 11): HOT}, (10, 5)),
        ({(4, 8): HOT, (8, 8): HOT}, (8, 6)),
        # Heats of 3/4 and 1/4: 0.75 * 7 + 0.25 * 11 and 0.75 * 4 + 0.25 * 8.
        ({(4, 7): math.log(3), (8, 11): -math.log(3)}, (8, 5)),
        # Heats of 1/2 and 1/6.
        ({(6, 6): 0.0, (6, 10): -math.log(5)}, (7, 6)),
    ],
)
def test_a_point_moves_to_the_middle_of_the_heat(cells, expected):
    # In the cell of column 8 and row 6; where in it does not matter.
    for point in ((8.0, 6.0), (8.5, 6.5), (8.99, 6.99)):
        assert refined_cell(point, cells) == pytest.approx(expected)


@pytest.mark.parametrize("far", [(6, 12), (6, 4), (2, 8), (10, 8)])
def test_what_is_four_cells_away_does_not_count(far):
    assert refined_cell((8.5, 6.5), {far: HOT}) == pytest.approx((8.5, 6.5))
    assert refined_cell((8.5, 6.5), {far: HOT, (7, 9): HOT}) == pytest.approx((9, 7))


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        # Of the window's seven columns and rows those from 0 to 3 are in the map.
        ((0.5, 0.5), (1.5, 1.5)),
        # 0 to 4, and 0 to 5
        ((1.5, 2.5), (2, 2.5)),
        # 12 to 15
        ((15.5, 15.5), (13.5, 13.5)),
        ((15.5, 8.5), (13.5, 8)),
        # A little outside is the first cell.
        ((-0.9, 8.5), (1.5, 8)),
    ],
)
def test_at_the_border_the_window_ends(point, expected):
    everywhere = {(row, column): 3.0 for row in range(SIDE) for column in range(SIDE)}
    assert refined_cell(point, everywhere) == pytest.approx(expected)


@pytest.mark.parametrize("point", [(-1.0, 8), (16.0, 8), (8, -1.5), (8, 17.0), (-40, 1e6)])
def test_a_point_outside_the_map_stays(point):
    everywhere = {(row, column): HOT for row in range(SIDE) for column in range(SIDE)}
    assert refined_cell(point, everywhere) == pytest.approx(point)


@pytest.mark.parametrize(
    ("logit", "expected"),
    [
        # A heat of exactly a half is enough.
        (0.0, (9, 5)),
        (-0.01, (8.5, 6.5)),
        (COLD, (8.5, 6.5)),
    ],
)
def test_a_point_moves_only_where_it_is_hot_enough(logit, expected):
    assert refined_cell((8.5, 6.5), {(5, 9): logit}) == pytest.approx(expected)


def test_much_lukewarm_is_not_hot():
    # 49 cells of 0.27 each.
    everywhere = {(row, column): -1.0 for row in range(SIDE) for column in range(SIDE)}
    assert refined_cell((8.5, 6.5), everywhere) == pytest.approx((8.5, 6.5))


def test_each_point_has_a_map_of_its_own():
    maps = np.stack(
        [heat_map({(5, 9): HOT}), heat_map({}), heat_map({(8, 7): HOT}), heat_map({(6, 8): HOT})],
        axis=-1,
    )
    points = np.array([(8.5, 6.5)] * 3) / SIDE
    before = points.copy()
    moved = refine(points, maps) * SIDE
    assert moved == pytest.approx(np.array([(9, 5), (8.5, 6.5), (7, 8)]))
    assert np.array_equal(points, before)


def test_no_points_stay_none():
    assert refine(np.empty((0, 2)), heat_map({})[:, :, None]).shape == (0, 2)
