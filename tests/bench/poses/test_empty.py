"""Scenes with nobody in view."""

import numpy as np
import pytest

from bench.poses.empty import NOISE_SIGMA, PAN_PX, PAN_RANGE_PX, pan, with_camera_noise


def test_the_camera_turns_there_and_back() -> None:
    there = PAN_RANGE_PX // PAN_PX
    lefts = pan(2 * there + 2)
    assert lefts[:3] == [0, 4, 8]
    assert lefts[there - 1 : there + 2] == [PAN_RANGE_PX - 4, PAN_RANGE_PX, PAN_RANGE_PX - 4]
    assert lefts[2 * there :] == [0, 4]


def test_camera_noise_has_its_spread_and_no_bias() -> None:
    frames = np.full((2, 200, 200, 3), 128, np.uint8)
    change = with_camera_noise(frames, np.random.default_rng(1)).astype(float) - 128
    # Rounding adds a variance of 1/12.
    assert change.std() == pytest.approx(np.hypot(NOISE_SIGMA, 12**-0.5), rel=0.01)
    assert change.mean() == pytest.approx(0.0, abs=0.02)
    assert not np.array_equal(change[0], change[1])


def test_camera_noise_stays_within_what_a_pixel_can_be() -> None:
    frames = np.stack([np.zeros((50, 50, 3), np.uint8), np.full((50, 50, 3), 255, np.uint8)])
    dark, bright = with_camera_noise(frames, np.random.default_rng(1))
    assert dark.max() < 20
    assert bright.min() > 235
