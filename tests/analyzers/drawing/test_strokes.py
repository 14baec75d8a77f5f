"""Strokes are where they are asked for, to a fraction of a pixel."""

import numpy as np
import pytest

from analyzers.drawing import strokes
from analyzers.drawing.strokes import GREEN, WHITE


def black(width=64, height=48):
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("size", "scale"), [((640, 480), 1.0), ((1920, 1440), 3.0), ((1920, 1080), 2.25),
                        ((480, 640), 4 / 3), ((320, 1000), 320 * 4 / 3 / 480)]
)  # fmt: skip
def test_lengths_go_with_the_size(size, scale):
    assert strokes.scale_of(black(*size)) == pytest.approx(scale)


def middle_of(picture):
    weights = picture[..., 0].astype(float)
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("at", [(20.0, 20.0), (20.25, 20.5), (31.75, 9.125)])
def test_a_dot_is_between_pixels_where_it_belongs(at):
    picture = black()
    strokes.dots(picture, np.array([at]), WHITE, 5.0)
    assert middle_of(picture) == pytest.approx(at, abs=0.1)
    # OpenCV's soft edge is half a pixel outside.
    assert picture[..., 0].sum() / WHITE[0] == pytest.approx(np.pi * 5.5**2, rel=0.05)


def test_lines_reach_from_end_to_end_with_soft_edges():
    picture = black()
    strokes.lines(picture, np.array([[(5, 5), (45, 35)], [(50, 5), (50, 5)]]), WHITE, 3.0)
    along = [picture[round(y), round(x), 0] for x, y in np.linspace((5, 5), (45, 35), 50)]
    assert min(along) > 200
    assert ((picture > 0) & (picture < 240)).any()
    assert picture[5, 50].tolist() == list(WHITE), "a line of no length is a point"
    assert not picture[35, 10].any()


def test_what_is_far_outside_harms_nothing():
    picture = black()
    ends = np.array([[(10.0, 10.0), (1e12, 10.0)], [(-1e300, -1e300), (-5e9, 1e9)]])
    strokes.lines(picture, ends, WHITE, 3.0)
    assert picture[10, 60].tolist() == list(WHITE)
    strokes.dots(picture, np.array([(1e9, -1e9)]), WHITE, 3.0)


def test_nothing_is_drawn_of_nothing():
    picture = black()
    strokes.lines(picture, np.empty((0, 2, 2)), WHITE, 3.0)
    strokes.dots(picture, np.empty((0, 2)), WHITE, 3.0)
    assert not picture.any()


def test_a_box_runs_along_its_edges_and_leaves_the_inside():
    picture = np.full((480, 640, 3), 128, np.uint8)
    strokes.box(picture, (100, 50, 300, 400), GREEN)
    assert np.all(picture[150:250, 106:294] == 128)
    for y, x in ((225, 100), (225, 300), (50, 200), (400, 200)):
        assert picture[y, x] == pytest.approx(GREEN, abs=25)
    for y, x in ((50, 110), (60, 100), (400, 290), (390, 300)):
        assert picture[y, x].tolist() == list(GREEN), "corners are strong"
    assert picture[225, 98].max() < 60, "a dark line beside it, for light pictures"
    assert np.all(picture[:44] == 128)
    assert np.all(picture[:, 306:] == 128)
