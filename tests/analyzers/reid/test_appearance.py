"""The fallback tells people by their clothes: in other light, other places, other postures."""

import cv2
import numpy as np
import pytest

from analyzers.networks.boxes import Box
from analyzers.reid.appearance import SIZE, Appearance, light_gains, straighten
from tests.analyzers.reid.people import GREEN_SHIRT, RED_SHIRT, joints_px, scene

APPEARANCE = Appearance()


def box(x, y):
    return Box(x, y, x + 60, y + 195)


def described(frame, x, y, *, posed=True):
    return APPEARANCE.describe(frame, box(x, y), joints_px(x, y) if posed else None)


@pytest.mark.parametrize("posed", [True, False])
def test_the_same_clothes_are_nearer_in_another_light_and_place(posed):
    anna = described(scene((20, 20, RED_SHIRT)), 20, 20, posed=posed)
    later = scene((200, 30, RED_SHIRT), light=(0.6, 0.7, 0.8), seed=1)
    bert = scene((20, 20, GREEN_SHIRT), seed=2)
    same = anna.distance(described(later, 200, 30, posed=posed))
    other = anna.distance(described(bert, 20, 20, posed=posed))
    assert same < APPEARANCE.threshold < other


def test_a_descriptor_is_of_its_kind():
    embedding = described(scene((20, 20, RED_SHIRT)), 20, 20)
    assert (embedding.model, embedding.vector.shape) == (APPEARANCE.name, (SIZE,))
    assert embedding.vector.dtype == np.float32
    again = Appearance().describe(scene((20, 20, RED_SHIRT)), box(20, 20), joints_px(20, 20))
    assert np.array_equal(again.vector, embedding.vector)


def test_gains_undo_a_coloured_light():
    frame = np.random.default_rng(3).integers(20, 100, (40, 30, 3), np.uint8)
    bluish = (frame * (0.5, 1.0, 2.0)).astype(np.uint8)
    plain, corrected = frame * light_gains(frame), bluish * light_gains(bluish)
    assert np.abs(plain.mean(axis=(0, 1)) - corrected.mean(axis=(0, 1))).max() < 2


def turned(frame, points, angle_deg):
    """The frame and the points, turned around the middle."""
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1.0)
    moved = points.copy()
    moved[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return cv2.warpAffine(frame, matrix, (width, height), borderValue=(120, 120, 120)), moved


@pytest.mark.parametrize("angle_deg", [0, 40, 90, -90, 180])
def test_someone_who_lies_is_shown_upright(angle_deg):
    frame, points = turned(scene((130, 20, RED_SHIRT)), joints_px(130, 20), angle_deg)
    upright = straighten(frame, points).astype(int)
    assert upright.shape == (128, 64, 3)
    for row, colour in ((45, RED_SHIRT[0]), (80, RED_SHIRT[1]), (105, RED_SHIRT[1])):
        assert np.abs(upright[row, 26:38].mean(axis=0) - colour).max() < 20


def test_legs_are_followed_where_they_go():
    points = joints_px(130, 20)
    frame = scene((130, 20, RED_SHIRT))
    frame[120:] = 120
    # Both knees and ankles far out to the sides, like a jumping jack's.
    for side, knee, ankle, dx in (("left", 25, 27, 30), ("right", 26, 28, -30)):
        points[knee, 0] += dx
        points[ankle, 0] += 2 * dx
        hip = 23 if side == "left" else 24
        for a, b in ((hip, knee), (knee, ankle)):
            start, end = points[a, :2].round().astype(int), points[b, :2].round().astype(int)
            cv2.line(frame, start.tolist(), end.tolist(), RED_SHIRT[1], 12)
    upright = straighten(frame, points).astype(int)
    for row in (75, 85, 100):
        blue = np.abs(upright[row] - RED_SHIRT[1]).max(axis=1) < 40
        assert blue[16:32].any()
        assert blue[32:48].any()


def test_a_torso_that_is_not_seen_is_not_straightened():
    frame, points = scene((20, 20, RED_SHIRT)), joints_px(20, 20)
    hidden = points.copy()
    hidden[23, 2] = 0.2
    assert straighten(frame, hidden) is None
    flat = points.copy()
    flat[[23, 24], :2] = flat[[11, 12], :2]
    assert straighten(frame, flat) is None
    # Then the box is described as it is.
    assert np.array_equal(
        APPEARANCE.describe(frame, box(20, 20), flat).vector,
        APPEARANCE.describe(frame, box(20, 20), None).vector,
    )


def test_a_box_outside_is_refused():
    with pytest.raises(ValueError, match="nothing of"):
        APPEARANCE.describe(scene(), Box(400, 0, 500, 100), None)
