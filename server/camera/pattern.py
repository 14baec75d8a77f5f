"""A test pattern: colour bars, a clock, and something that moves."""

from __future__ import annotations

import time

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from server.camera.frame_pacer import FramePacer
from server.camera.source import Mode, Source
from server.media.capture import Capture

# 75 % bars, as in SMPTE EG 1: white, yellow, cyan, green, magenta, red, blue.
_BARS = np.array(
    [
        (191, 191, 191),
        (191, 191, 0),
        (0, 191, 191),
        (0, 191, 0),
        (191, 0, 191),
        (191, 0, 0),
        (0, 0, 191),
    ],
    np.uint8,
)
_PERIOD_S = 4.0


class Pattern(Source):
    """Needs no hardware."""

    backend = "pattern"

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self._pace = FramePacer()
        columns = np.arange(mode.width) * len(_BARS) // mode.width
        self._bars: NDArray[np.uint8] = np.broadcast_to(
            _BARS[columns], (mode.height, mode.width, 3)
        ).copy()

    def open(self) -> None:
        """Nothing has to be started."""

    def read(self) -> Capture:
        due_s = self._pace.wait(1.0 / self.mode.fps)
        picture = self._bars.copy()
        height, width = picture.shape[:2]
        size = max(height // 8, 1)
        swing = 0.5 - 0.5 * np.cos(2 * np.pi * (due_s % _PERIOD_S) / _PERIOD_S)
        left = int(swing * (width - size))
        picture[height - 2 * size : height - size, left : left + size] = 255
        text = time.strftime("%H:%M:%S") + f".{int(time.time() % 1 * 10)}"
        scale = height / 240
        cv2.putText(
            picture,
            text,
            (int(8 * scale), int(30 * scale)),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            (16, 16, 16),
            max(int(2 * scale), 1),
        )
        return Capture(av.VideoFrame.from_ndarray(picture, format="rgb24"), due_s)

    def close(self) -> None:
        self._pace.stop()
