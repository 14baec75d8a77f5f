"""Draws what came back: the skeleton of one good result on the frame that it speaks of."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

# Frames are kept until their result comes; three seconds at 30 frames per second.
KEPT_FRAMES = 90
# Drawn at this width, so that lines and letters are smooth however small the video is.
PICTURE_WIDTH = 1280
MIN_VISIBILITY = 0.5
# The first results come while models are still being loaded, and late.
SETTLED_AFTER_FRAMES = 30

# Bones between landmarks of BlazePose's topology: odd indices are the person's left, even ones the
# right (https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker, "Pose landmarker
# model"). The face is left out but for the nose, hands and feet are kept.
ARM_LEFT = ((11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19))
LEG_LEFT = ((23, 25), (25, 27), (27, 29), (27, 31), (29, 31))
BONES_LEFT = ARM_LEFT + LEG_LEFT
BONES_RIGHT = tuple((a + 1, b + 1) for a, b in BONES_LEFT)
BONES_MIDDLE = ((11, 12), (11, 23), (12, 24), (23, 24))
JOINTS = (0, *range(11, 33))

# BGR.
LEFT = (60, 150, 255)
RIGHT = (255, 190, 60)
MIDDLE = (245, 245, 245)
OUTLINE = (40, 36, 32)
CAPTION = (250, 250, 250)

Image = NDArray[Any]
Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Taken:
    """A frame, the result that speaks of it, and how good a picture they make."""

    image: Image
    result: dict[str, Any]
    latency_ms: float
    score: float


class PictureTaker:
    """Keeps the last frames, and of all results the one that makes the best picture."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, VideoFrame]] = deque(maxlen=KEPT_FRAMES)
        self._best: Taken | None = None

    def keep(self, number: int, frame: VideoFrame) -> None:
        """Frame `number` was sent."""
        self._frames.append((number, frame))

    def consider(self, number: int, result: dict[str, Any], latency_ms: float) -> None:
        """A result with a pose came for frame `number`."""
        if number < SETTLED_AFTER_FRAMES:
            return
        frame = next((kept for kept_number, kept in self._frames if kept_number == number), None)
        score = _score(result)
        if frame is None or (self._best is not None and score <= self._best.score):
            return
        self._best = Taken(frame.to_ndarray(format="bgr24"), result, latency_ms, score)

    def save(self, path: Path) -> bool:
        """Write the picture as PNG; False if no result had a pose.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        if self._best is None:
            return False
        _, png = cv2.imencode(".png", draw(self._best))
        path.write_bytes(png.tobytes())
        return True


def draw(taken: Taken) -> Image:
    """The picture, (H, W, 3) uint8 BGR, `PICTURE_WIDTH` wide."""
    scale = PICTURE_WIDTH / taken.image.shape[1]
    picture = cv2.resize(taken.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for landmarks in _people(taken.result):
        _draw_skeleton(picture, landmarks)
    _draw_caption(picture, _caption(taken))
    return picture


def _people(result: dict[str, Any]) -> list[list[dict[str, Any]]]:
    people = [person.get("landmarks") for person in result.get("people") or []]
    return [landmarks for landmarks in people if landmarks] or [result["landmarks"]]


def _score(result: dict[str, Any]) -> float:
    """Higher for bodies that are seen well and reach out far."""
    landmarks = result["landmarks"]
    points = np.array([(mark["x"], mark["y"]) for mark in landmarks])
    seen = float(np.mean([mark["visibility"] for mark in landmarks]))
    inside = bool(np.all((points > 0.02) & (points < 0.98)))
    return seen + 0.5 * float(np.ptp(points, axis=0).sum()) + inside


def _draw_skeleton(picture: Image, landmarks: list[dict[str, Any]]) -> None:
    height, width = picture.shape[:2]
    at = {
        mark["index"]: (round(mark["x"] * width), round(mark["y"] * height)) for mark in landmarks
    }
    seen = {mark["index"] for mark in landmarks if mark["visibility"] >= MIN_VISIBILITY}
    bones = [
        (a, b, color)
        for group, color in ((BONES_MIDDLE, MIDDLE), (BONES_RIGHT, RIGHT), (BONES_LEFT, LEFT))
        for a, b in group
        if a in seen and b in seen
    ]
    # All outlines first, so that none crosses a bone.
    for a, b, _ in bones:
        cv2.line(picture, at[a], at[b], OUTLINE, 11, cv2.LINE_AA)
    for a, b, color in bones:
        cv2.line(picture, at[a], at[b], color, 6, cv2.LINE_AA)
    for index in JOINTS:
        if index in seen:
            small = index == 0 or 16 < index < 23
            _draw_joint(picture, at[index], _color(index), 5 if small else 9)


def _draw_joint(picture: Image, center: tuple[int, int], color: Color, radius: int) -> None:
    cv2.circle(picture, center, radius + 3, OUTLINE, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, center, radius, MIDDLE, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, center, radius - 3, color, cv2.FILLED, cv2.LINE_AA)


def _color(index: int) -> Color:
    if index == 0:
        return MIDDLE
    return LEFT if index % 2 else RIGHT


def _caption(taken: Taken) -> str:
    frame = taken.result.get("frame", {})
    people = len(_people(taken.result))
    who = "1 person" if people == 1 else f"{people} people"
    return (
        f"frame {frame.get('number', '?')}   {who}, "
        f"{len(taken.result['landmarks'])} landmarks   back in {taken.latency_ms:.0f} ms"
    )


def _draw_caption(picture: Image, text: str) -> None:
    font, size, thickness, margin = cv2.FONT_HERSHEY_DUPLEX, 0.8, 1, 16
    (width, height), _ = cv2.getTextSize(text, font, size, thickness)
    bottom = picture.shape[0] - margin
    strip = picture[bottom - height - 2 * margin : bottom, margin : 3 * margin + width]
    strip[:] = (strip * 0.35).astype(np.uint8)
    origin = (2 * margin, bottom - margin)
    cv2.putText(picture, text, origin, font, size, CAPTION, thickness, cv2.LINE_AA)
