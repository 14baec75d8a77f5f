"""A Raspberry Pi's own camera, through picamera2. Importing this imports picamera2."""

from __future__ import annotations

import time
from typing import Any

import av
import numpy as np
from picamera2 import Picamera2

from server.camera.source import CameraError, CameraUnavailable, Capture, Mode, Source

# A request that does not come within this is no longer waited for.
_READ_WITHIN_S = 3.0
# picamera2 keeps this many pictures in memory; with fewer, it drops some while one is copied.
_BUFFERS = 4
_FORMATS = {"YUV420": "yuv420p", "NV12": "nv12", "BGR888": "rgb24", "RGB888": "bgr24"}


class PiCamera(Source):
    """The first camera that libcamera knows.

    Parameters
    ----------
    mode
        What is asked of it.
    """

    backend = "picamera2"

    def __init__(self, mode: Mode) -> None:
        super().__init__(mode)
        self._camera: Any = None
        self._closed = False
        self._size = (mode.width, mode.height)
        self._format = ""

    def open(self) -> None:
        try:
            self._camera = Picamera2()
        except IndexError as error:
            raise CameraUnavailable("picamera2 finds no camera: is it plugged in?") from error
        except RuntimeError as error:
            raise CameraError(f"picamera2 can not open the camera: {error}") from error
        period_us = round(1e6 / self.mode.fps)
        self._camera.configure(
            self._camera.create_video_configuration(
                main={"size": (self.mode.width, self.mode.height), "format": "YUV420"},
                controls={"FrameDurationLimits": (period_us, period_us)},
                buffer_count=_BUFFERS,
            )
        )
        # What was asked for can be replaced without a word.
        main = self._camera.camera_configuration()["main"]
        self._size, self._format = main["size"], str(main["format"])
        if self._format not in _FORMATS:
            raise CameraUnavailable(f"the camera gives {self._format}, which is not known here")
        self._camera.start()

    def read(self) -> Capture:
        if self._closed:
            raise CameraError("the camera was closed")
        try:
            request = self._camera.capture_request(wait=_READ_WITHIN_S)
        except TimeoutError as error:
            raise CameraError(f"the camera gave no picture for {_READ_WITHIN_S:.0f} s") from error
        try:
            # The buffer is filled anew when it is released.
            pixels = request.make_array("main").copy()
            sensor_ns = request.get_metadata().get("SensorTimestamp")
        finally:
            request.release()
        return Capture(self._frame(pixels), _monotonic_s(sensor_ns))

    def close(self) -> None:
        self._closed = True

    def release(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _frame(self, pixels: np.ndarray[Any, Any]) -> av.VideoFrame:
        width, height = self._size
        # Rows are longer than the picture is wide: the hardware wants them aligned.
        frame = av.VideoFrame.from_numpy_buffer(pixels, format=_FORMATS[self._format], width=width)
        assert frame.height == height
        return frame


def _monotonic_s(sensor_ns: int | None) -> float:
    """A sensor's time, which goes on while the machine sleeps, by ``time.monotonic()``."""
    now_s = time.monotonic()
    if sensor_ns is None:
        return now_s
    asleep_s = time.clock_gettime(time.CLOCK_BOOTTIME) - now_s
    taken_s = sensor_ns / 1e9 - asleep_s
    return taken_s if 0 <= now_s - taken_s < 10 else now_s
