"""Clips that are altered are what another camera would have seen."""

import numpy as np
import pytest

from bench.parts.altered import WAYS, at_rate, mirrored, rolled
from bench.parts.exercise_clips import Landmarks
from tests.analyzers.exercise.recordings import of_catalogue


@pytest.fixture(scope="module")
def squats():
    clip = of_catalogue("squat-side")
    flat, solid = clip.landmarks.astype(float).copy(), clip.world.astype(float).copy()
    flat[3] = solid[3] = np.nan
    return Landmarks(np.asarray(clip.times_s, float), flat, solid, clip.aspect)


def same(one, other):
    return np.allclose(one.flat, other.flat, equal_nan=True) and np.allclose(
        one.solid, other.solid, equal_nan=True
    )


def test_a_mirror_image_of_a_mirror_image_is_what_it_was(squats):
    assert same(mirrored(mirrored(squats)), squats)
    assert not same(mirrored(squats), squats)


def test_a_camera_that_is_rolled_back_sees_what_it_saw(squats):
    assert same(rolled(rolled(squats, 10.0), -10.0), squats)
    # Nobody is longer or shorter for it, in the picture's heights.
    wide = (squats.aspect, 1.0)
    for seen in (squats, rolled(squats, 10.0)):
        trunk = (seen.flat[0, 11, :2] - seen.flat[0, 23, :2]) * wide
        plain = (squats.flat[0, 11, :2] - squats.flat[0, 23, :2]) * wide
        assert np.linalg.norm(trunk) == pytest.approx(np.linalg.norm(plain))


def test_frames_are_left_out_down_to_a_rate(squats):
    thinned = at_rate(squats, 10.0)
    assert len(thinned.times_s) == pytest.approx(squats.times_s[-1] * 10.0, abs=2)
    assert set(thinned.times_s) < set(squats.times_s)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_the_clip_itself_is_changed_and_nobody_appears(squats, way):
    before = squats.flat.copy(), squats.solid.copy(), squats.times_s.copy()
    altered = WAYS[way](squats)
    now = squats.flat, squats.solid, squats.times_s
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, now, strict=True))
    assert len(altered.times_s) == len(altered.flat) == len(altered.solid)
    assert np.isnan(altered.flat).any(axis=(1, 2)).sum() <= 1
