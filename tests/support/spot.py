"""Frames with a white square, and an analyzer that finds it and draws a red one below."""

import time
from fractions import Fraction

import av
import numpy as np

from analyzers.base_model import BaseModel

SPOT = "tests.support.spot:Spot"
GREY, SIDE, TOP = 100, 16, 16
RED = (255, 0, 0)
STEPS = 12


class Spot(BaseModel):
    """Draws right below what it found; ``{"draw": "raise"}`` or ``"block"``: wrongly."""

    def __init__(self):
        self._options = {}

    def start(self, sid, timestamp=None, *, options=None):
        self._options[sid] = options or {}

    def configure(self, sid, options):
        self._options[sid] = {**self._options[sid], **options}

    def frame(self, sid, frame, timestamp):
        return {"spot": white_at(frame), "how": self._options[sid].get("draw")}

    def draw(self, frame, result):
        x = result["spot"]
        frame[TOP + SIDE : TOP + 2 * SIDE, x : x + SIDE] = RED
        if result["how"] == "raise":
            raise ValueError("the brush is broken")
        if result["how"] == "block":
            time.sleep(3600)


def picture(number, size=(256, 128)):
    """The square moves; (H, W, 3), RGB."""
    width, height = size
    rgb = np.full((height, width, 3), GREY, np.uint8)
    x = SIDE * (number % STEPS)
    rgb[TOP : TOP + SIDE, x : x + SIDE] = 255
    return rgb


def frame(number, size=(256, 128)):
    """The same as a peer's video is decoded."""
    made = av.VideoFrame.from_ndarray(picture(number, size), "rgb24").reformat(format="yuv420p")
    made.pts, made.time_base = number * 3000, Fraction(1, 90_000)
    return made


def white_at(rgb):
    """Where the white square is; -1 without one."""
    return _begin(rgb[TOP : TOP + SIDE].astype(int).min(axis=(0, 2)) > 200)


def red_at(rgb):
    """Where the red square is; -1 without one."""
    below = rgb[TOP + SIDE : TOP + 2 * SIDE].astype(int)
    return _begin((below[..., 0] - below[..., 2]).min(axis=0) > 100)


def _begin(columns):
    where = np.flatnonzero(columns)
    return int(where[0]) if len(where) >= SIDE - 2 else -1
