"""Skeletons are drawn where the landmarks are, and nowhere else."""

import cv2
import numpy as np
import pytest

from analyzers.drawing.strokes import BLUE, ORANGE
from analyzers.pose.drawing import draw_people, draw_skeleton
from analyzers.pose.landmarks import CONNECTIONS, INDEX, NAMES
from tests.analyzers.reid.people import joints_px

WIDTH, HEIGHT = 640, 480
BODY = [pair for pair in CONNECTIONS if min(pair) >= INDEX["left_shoulder"]]


def person(x=200, y=60, scale=4.0, visibility=1.0):
    points = joints_px(x, y, scale)
    return [
        {"index": i, "name": name, "x": px / WIDTH, "y": py / HEIGHT, "visibility": visibility}
        for i, (name, (px, py, _)) in enumerate(zip(NAMES, points, strict=True))
    ]


def grey(factor=1):
    return np.full((HEIGHT * factor, WIDTH * factor, 3), 128, np.uint8)


def drawn(landmarks, picture=None):
    picture = grey() if picture is None else picture
    draw_skeleton(picture, landmarks)
    return picture


def changed(picture):
    return (picture != 128).any(axis=-1)


def far_from_bones(landmarks):
    """How far each pixel is from the nearest bone."""
    lines = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for a, b in BODY:
        ends = [
            (round(landmarks[i]["x"] * WIDTH), round(landmarks[i]["y"] * HEIGHT)) for i in (a, b)
        ]
        cv2.line(lines, *ends, 0, 1)
    return cv2.distanceTransform(lines, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def test_bones_and_joints_are_drawn_and_nothing_else():
    landmarks = person()
    picture = drawn(landmarks)
    distance = far_from_bones(landmarks)
    assert changed(picture)[distance < 0.5].all()
    assert not changed(picture)[distance > 8].any()


def test_left_and_right_are_told_apart():
    landmarks = person()
    picture = drawn(landmarks)
    for side, colour in (("left", ORANGE), ("right", BLUE)):
        hip, knee = (landmarks[INDEX[f"{side}_{joint}"]] for joint in ("hip", "knee"))
        x, y = (hip["x"] + knee["x"]) / 2 * WIDTH, (hip["y"] + knee["y"]) / 2 * HEIGHT
        assert picture[round(y), round(x)].tolist() == list(colour)


def test_it_is_seen_on_light_and_on_dark():
    landmarks = person()
    for level in (0, 255):
        picture = drawn(landmarks, np.full((HEIGHT, WIDTH, 3), level, np.uint8))
        contrast = np.abs(picture.astype(int) - level).max(axis=-1).astype(np.uint8)
        # White on white has dark edges.
        around = cv2.dilate(contrast, np.ones((9, 9), np.uint8))
        assert around[far_from_bones(landmarks) < 0.5].min() > 130


def test_what_is_hardly_seen_is_fainter_and_what_is_guessed_is_left_out():
    strength = [
        np.abs(drawn(person(visibility=v)).astype(int) - 128).sum() for v in (0.9, 0.45, 0.1)
    ]
    assert strength[1] == pytest.approx(0.45 * strength[0], rel=0.1)
    assert strength[2] == 0


def test_one_hidden_arm_leaves_the_rest_as_it_is():
    landmarks = person()
    # Held out, away from the trunk.
    for each in landmarks:
        if each["name"].removeprefix("left_") in ("elbow", "wrist", "pinky", "index", "thumb"):
            each["x"] += 0.2
    whole = drawn(landmarks)
    for each in landmarks:
        if each["name"].removeprefix("left_") in ("elbow", "wrist", "pinky", "index", "thumb"):
            each["visibility"] = 0.0
    without = drawn(landmarks)
    knee = landmarks[INDEX["left_knee"]]
    x, y = round(knee["x"] * WIDTH), round(knee["y"] * HEIGHT)
    assert np.array_equal(
        whole[y - 5 : y + 5, x - 5 : x + 5], without[y - 5 : y + 5, x - 5 : x + 5]
    )
    assert np.abs(without.astype(int) - 128).sum() < np.abs(whole.astype(int) - 128).sum()


def test_larger_pictures_get_thicker_lines():
    ratio = changed(drawn(person(), grey(3))).sum() / changed(drawn(person())).sum()
    # Lines of a pixel's width have soft edges of as much again.
    assert 5 < ratio < 9


@pytest.mark.parametrize("visibility", [1.0, 0.4])
def test_landmarks_may_be_anywhere(visibility):
    for offset in (-1e9, -5.0, -0.5, 0.5, 5.0, 1e9):
        landmarks = person(visibility=visibility)
        for each in landmarks[::2]:
            each["x"] += offset
        picture = drawn(landmarks)
        assert picture.shape == (HEIGHT, WIDTH, 3)


def test_everyone_is_drawn_with_their_number():
    left, right = person(60), person(400)
    people = [
        {"track_id": 3, "bbox": [60, 60, 180, 440], "landmarks": left},
        {"track_id": 8, "bbox": [400, 60, 520, 440], "landmarks": right},
    ]
    picture = grey()
    draw_people(picture, {"landmarks": left, "people": people})
    for landmarks in (left, right):
        assert changed(picture)[far_from_bones(landmarks) < 0.5].all()
    numbers = changed(picture)[:46]
    assert numbers[:, 100:140].any()
    assert numbers[:, 440:480].any()
    assert not numbers[:, 200:380].any()
    alone = grey()
    draw_people(alone, {"landmarks": left, "people": people[:1]})
    assert not changed(alone)[:46].any(), "who is alone needs none"


def test_nobody_leaves_the_picture_as_it_is():
    picture = grey()
    draw_people(picture, {"has_pose": False, "landmarks": []})
    draw_people(picture, {"has_pose": False, "landmarks": [], "people": []})
    assert not changed(picture).any()
