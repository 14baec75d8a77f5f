"""The skeleton is drawn where the landmarks are."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av import VideoFrame

from client_test import picture
from client_test.picture import PictureTaker

HIDDEN = 0


def result(spread: float = 0.3) -> dict[str, Any]:
    """Landmarks on a circle, all visible but one."""
    angles = np.linspace(0, 2 * np.pi, 33, endpoint=False)
    return {
        "has_pose": True,
        "frame": {"number": 40},
        "landmarks": [
            {
                "index": index,
                "x": 0.5 + spread * float(np.cos(angle)),
                "y": 0.5 + spread * float(np.sin(angle)),
                "visibility": 0.1 if index == HIDDEN else 1.0,
            }
            for index, angle in enumerate(angles)
        ],
    }


def frame(level: int) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((240, 320, 3), level, np.uint8), format="rgb24")


def at(image: np.ndarray, mark: dict[str, Any]) -> tuple[int, ...]:
    height, width = image.shape[:2]
    return tuple(int(c) for c in image[round(mark["y"] * height), round(mark["x"] * width)])


def test_draws_the_best_result_on_its_own_frame(tmp_path: Path) -> None:
    taker = PictureTaker()
    for number, level in ((40, 100), (41, 180)):
        taker.keep(number, frame(level))
    taker.consider(41, result(spread=0.2), 20.0)
    taker.consider(40, result(spread=0.3), 20.0)
    taker.consider(41, result(spread=0.1), 20.0)
    path = tmp_path / "picture.png"
    assert taker.save(path)
    image = cv2.imread(str(path))
    assert image.shape == (960, 1280, 3)
    assert abs(int(image[10, 10, 0]) - 100) < 4
    marks = result(spread=0.3)["landmarks"]
    assert at(image, marks[13]) == picture.LEFT
    assert at(image, marks[26]) == picture.RIGHT
    assert at(image, marks[HIDDEN])[0] in range(96, 104)


def test_no_pose_no_picture(tmp_path: Path) -> None:
    assert not PictureTaker().save(tmp_path / "picture.png")


def test_a_frame_that_is_gone_makes_no_picture(tmp_path: Path) -> None:
    taker = PictureTaker()
    for number in range(40, 40 + picture.KEPT_FRAMES + 1):
        taker.keep(number, frame(100))
    taker.consider(40, result(), 20.0)
    assert not taker.save(tmp_path / "picture.png")
