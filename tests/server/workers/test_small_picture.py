"""Small JPEGs of frames."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from server.workers.small_picture import WIDTH, small_jpeg


def planes(width, height):
    """Red on the left, blue on the right, darker towards the bottom."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 2] = 220
    picture[:, width // 2 :, 0] = 220
    picture[height // 2 :] //= 2
    return cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (640, 480, (320, 240)),
        (1280, 720, (320, 180)),
        (720, 1280, (320, 568)),
        (160, 120, (160, 120)),
        (322, 16, (320, 16)),
        (4000, 2, (320, 2)),
    ],
)
def test_size_and_colours(width, height, size):
    made = Image.open(io.BytesIO(small_jpeg(planes(width, height)))).convert("RGB")
    assert made.size == size
    assert made.width <= WIDTH
    if height < 16:
        return
    for x, y, expected in (
        (0.25, 0.2, (220, 0, 0)),
        (0.75, 0.2, (0, 0, 220)),
        (0.25, 0.8, (110, 0, 0)),
        (0.75, 0.8, (0, 0, 110)),
    ):
        seen = made.getpixel((int(x * size[0]), int(y * size[1])))
        assert all(abs(a - b) < 40 for a, b in zip(seen, expected, strict=True)), (x, y, seen)
