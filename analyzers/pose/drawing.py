"""Draws skeletons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.drawing import plates, strokes
from analyzers.drawing.strokes import BLUE, ORANGE, OUTLINE, WHITE, Picture
from analyzers.pose.landmarks import CONNECTIONS, INDEX, NAMES

# Below this a landmark is a guess and left out; up to the other it is drawn fainter.
_SEEN = 0.25
_WELL_SEEN = 0.6
_FAINT = 0.45

# Lines across the face would hide it.
_BONES = np.array([bone for bone in CONNECTIONS if min(bone) >= INDEX["left_shoulder"]])
# 1 is left, -1 right, 0 the middle, and bones across it.
_SIDES = np.array([("left" in name) - ("right" in name) for name in NAMES])
_BONE_SIDES = _SIDES[_BONES].sum(axis=1) // 2
_COLOURS = {1: ORANGE, -1: BLUE, 0: WHITE}
_JOINTS = np.array(
    [
        INDEX[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    ]
)


def draw_people(picture: Picture, result: Mapping[str, Any]) -> None:
    """Draw everyone in a result of pose's."""
    people = result.get("people")
    if people is None:
        draw_skeleton(picture, result["landmarks"])
        return
    for person in people:
        draw_skeleton(picture, person["landmarks"])
    if len(people) > 1:
        for person in people:
            _draw_number(picture, person)


def draw_skeleton(picture: Picture, landmarks: Sequence[Mapping[str, float]]) -> None:
    """Draw one person: the left side orange, the right one blue.

    Parameters
    ----------
    landmarks
        33 with `x` and `y` in 0..1 of the frame, and `visibility`; or none.
    """
    if not landmarks:
        return
    height, width = picture.shape[:2]
    points = np.array([(each["x"] * width, each["y"] * height) for each in landmarks])
    seen = np.array([each["visibility"] for each in landmarks])
    of_bones = seen[_BONES].min(axis=1)
    faint_bones = (of_bones >= _SEEN) & (of_bones < _WELL_SEEN)
    faint_joints = _JOINTS[(seen[_JOINTS] >= _SEEN) & (seen[_JOINTS] < _WELL_SEEN)]
    if faint_bones.any() or len(faint_joints):
        _draw_faintly(picture, points, faint_bones, faint_joints)
    _draw(picture, points, of_bones >= _WELL_SEEN, _JOINTS[seen[_JOINTS] >= _WELL_SEEN])


def _draw_faintly(
    picture: Picture, points: NDArray[np.float64], bones: NDArray[np.bool_], joints: NDArray[Any]
) -> None:
    height, width = picture.shape[:2]
    drawn = np.concatenate([points[_BONES[bones]].reshape(-1, 2), points[joints]])
    margin = 10 * strokes.scale_of(picture) + 2
    x0, y0 = np.clip(drawn.min(axis=0) - margin, 0, (width, height)).astype(int)
    x1, y1 = np.clip(drawn.max(axis=0) + margin, 0, (width, height)).astype(int)
    if x0 == x1 or y0 == y1:
        return
    below = picture[y0:y1, x0:x1]
    before = below.copy()
    _draw(picture, points, bones, joints)
    cv2.addWeighted(below, _FAINT, before, 1 - _FAINT, 0, dst=below)


def _draw(
    picture: Picture, points: NDArray[np.float64], bones: NDArray[np.bool_], joints: NDArray[Any]
) -> None:
    scale = strokes.scale_of(picture)
    ends = points[_BONES]
    strokes.lines(picture, ends[bones], OUTLINE, 5.5 * scale)
    for side, colour in _COLOURS.items():
        strokes.lines(picture, ends[bones & (side == _BONE_SIDES)], colour, 3.0 * scale)
    strokes.dots(picture, points[joints], OUTLINE, 5.5 * scale)
    for side, colour in _COLOURS.items():
        strokes.dots(picture, points[joints[_SIDES[joints] == side]], colour, 4.25 * scale)
    strokes.dots(picture, points[joints], WHITE, 2.2 * scale)


def _draw_number(picture: Picture, person: Mapping[str, Any]) -> None:
    scale = strokes.scale_of(picture)
    plate = plates.label(f"{person['track_id']}", scale)
    x0, y0, x1, _ = person["bbox"]
    plate.lay(picture, round((x0 + x1 - plate.width) / 2), round(y0 - plate.height - 14 * scale))
