"""A Raspberry Pi's own camera, through picamera2. Importing this imports picamera2."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from picamera2 import MappedArray, Picamera2

from server.camera.pi_encoder import hardware_encoder
from server.camera.sensor_clock import SensorClock
from server.camera.source import CameraError, CameraUnavailable, Mode, Source
from server.media.capture import Capture, analyzed_size

logger = logging.getLogger(__name__)

# picamera2 keeps this many pictures in memory. With fewer, it drops some while one is copied and
# others are being encoded.
_BUFFERS = 6
# libcamera's numbers for them (its control_ids_core.yaml).
_AF = {
    "AfMode": ("manual", "auto", "continuous"),
    "AfRange": ("normal", "macro", "full"),
    "AfSpeed": ("normal", "fast"),
}
_AF_TRIGGER_START = 0
# How often it is looked whether a picture is still wanted.
_LOOKS_UP_S = 0.2
_PLANAR = "YUV420"
# What it can be replaced with: libcamera's names, which give the bytes from the last
# to the first, and FFmpeg's.
_PACKED = {
    "YUYV": "yuyv422",
    "BGR888": "rgb24",
    "RGB888": "bgr24",
    "XBGR8888": "rgba",
    "XRGB8888": "bgra",
}


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
        self.encoder = self._encoder = hardware_encoder(mode.fps)
        self._camera: Any = None
        self._streams: dict[str, dict[str, Any]] = {}
        self._clock = SensorClock()
        self._closed = False

    def open(self) -> None:
        try:
            self._camera = Picamera2()
            self._configure()
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise CameraError(f"picamera2 can not start the camera: {_reason(error)}") from error

    def _configure(self) -> None:
        camera, mode = self._camera, self.mode
        period_us = round(1e6 / mode.fps)
        size = (mode.width, mode.height)
        camera.configure(
            camera.create_video_configuration(
                main={"size": size, "format": _PLANAR},
                # The image processor makes it for nothing.
                lores={"size": analyzed_size(*size), "format": _PLANAR},
                controls={
                    "FrameDurationLimits": (period_us, period_us),
                    **self._focus(camera.camera_controls),
                },
                buffer_count=_BUFFERS,
            )
        )
        # What was asked for can be replaced without a word.
        configured = camera.camera_configuration()
        self._streams = {name: configured[name] for name in ("main", "lores")}
        for stream in self._streams.values():
            if stream["format"] not in (_PLANAR, *_PACKED):
                raise CameraUnavailable(
                    f"the camera gives {stream['format']}, which is not known here"
                )

    def _focus(self, known: Mapping[str, Any]) -> dict[str, int]:
        """What is asked of the lens, as far as it can be moved."""
        focus = self.mode.focus
        asked = {"AfMode": focus.mode, "AfRange": focus.range, "AfSpeed": focus.speed}
        wanted = {name: _AF[name].index(value) for name, value in asked.items() if value}
        if wanted and not wanted.keys() <= known.keys():
            logger.warning("The camera has a fixed focus: what is asked of it changes nothing")
            return {}
        if focus.mode == "auto":
            wanted["AfTrigger"] = _AF_TRIGGER_START
        return wanted

    def read(self) -> Capture:
        request = self._next_request()
        try:
            main, small = self._frame(request, "main"), self._frame(request, "lores")
            sensor_ns = request.get_metadata().get("SensorTimestamp")
            if self._encoder is not None:
                self._encoder.encode(request, self._streams["main"], self._clock)
        finally:
            request.release()
        return Capture(main, self._clock.monotonic_s(sensor_ns), small)

    def _next_request(self) -> Any:
        job = self._camera.capture_request(wait=False)
        while not self._closed:
            # Never longer: a thread of picamera2's that an encoder or a callback has ended can
            # take a job along that nothing finishes any more, nor calls off.
            with contextlib.suppress(TimeoutError):
                return job.get_result(timeout=_LOOKS_UP_S)
        raise CameraError("the camera was closed")

    def _frame(self, request: Any, name: str) -> av.VideoFrame:
        """A copy: the buffer is filled anew when the request is released."""
        stream = self._streams[name]
        with MappedArray(request, name, write=False) as mapped:
            if stream["format"] == _PLANAR:
                return _from_planes(mapped.array, *stream["size"])
            return av.VideoFrame.from_ndarray(
                np.ascontiguousarray(mapped.array[:, : stream["size"][0]]),
                format=_PACKED[stream["format"]],
            )

    def close(self) -> None:
        self._closed = True

    def release(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        if self._camera is not None:
            self._camera.close()
            self._camera = None


def _from_planes(rows: NDArray[np.uint8], width: int, height: int) -> av.VideoFrame:
    """A frame of planes, one behind the other, whose rows are longer than the picture is wide.

    PyAV 18's own way there, `from_numpy_buffer`, takes the height for a multiple of 4.
    """
    stride = rows.shape[1]
    luma, chroma = rows[:height], rows.reshape(-1)[stride * height :].reshape(-1, stride // 2)
    frame = av.VideoFrame(width, height, "yuv420p")
    planes = (luma, chroma[: height // 2], chroma[height // 2 :])
    for plane, pixels in zip(frame.planes, planes, strict=True):
        into = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        into[: plane.height, : plane.width] = pixels[:, : plane.width]
    return frame


def _reason(error: BaseException) -> str:
    """What went wrong in the first place: picamera2 says of most faults only where they came up."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
