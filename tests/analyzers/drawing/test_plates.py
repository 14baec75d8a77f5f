"""Plates lie where they are put, are cut off at the edges, and can be read on any picture."""

import numpy as np
import pytest

from analyzers.drawing import plates

BACKGROUNDS = {
    "black": np.zeros((80, 120, 3), np.uint8),
    "white": np.full((80, 120, 3), 255, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (80, 120, 3), np.uint8),
}


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_text_stands_out_on(background):
    picture = BACKGROUNDS[background].copy()
    plate = plates.label("#12  0.21", 1.0)
    plate.lay(picture, 20, 30)
    under = picture[30 : 30 + plate.height, 20 : 20 + plate.width].mean(axis=-1)
    card = np.median(under)
    assert card < 100
    assert under.max() > card + 130


@pytest.mark.parametrize("x", [-15, 0, 50, 110])
@pytest.mark.parametrize("y", [-9, 0, 40, 72])
def test_what_is_outside_is_cut_off(x, y):
    plate = plates.label("Abc 123", 1.0)
    large = np.full((200, 300, 3), 200, np.uint8)
    plate.lay(large, 50 + x, 50 + y)
    picture = np.full((80, 120, 3), 200, np.uint8)
    plate.lay(picture, x, y)
    assert np.array_equal(picture, large[50:130, 50:170])
    assert (picture != 200).any()


@pytest.mark.parametrize("at", [(-500, 10), (10, -500), (120, 10), (10, 80)])
def test_all_of_it_may_be_outside(at):
    picture = np.full((80, 120, 3), 200, np.uint8)
    plates.label("far away", 1.0).lay(picture, *at)
    assert np.all(picture == 200)


def test_text_is_larger_in_larger_pictures_and_never_too_small():
    heights = [plates.label("12", scale).height for scale in (0.1, 0.25, 1.0, 2.0)]
    assert heights[0] == heights[1] >= 11
    assert heights[3] == pytest.approx(2 * heights[2], abs=1)


def test_corners_are_round():
    picture = np.full((80, 120, 3), 255, np.uint8)
    plate = plates.label("corner", 1.0)
    plate.lay(picture, 10, 10)
    assert picture[10, 10].min() > 220
    assert picture[10 + plate.height // 2, 12].max() < 130


def test_the_same_plate_is_made_once():
    assert plates.label("once", 1.0) is plates.label("once", 1.0)
