"""A USB camera, or any other that Linux has as /dev/video*."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
from av.error import FFmpegError

from server.camera.source import CameraError, Mode, Source
from server.media.capture import Capture

# A picture that is said to be older than this has another clock.
_OLDEST_S = 10.0


class V4l2(Source):
    """A Video4Linux device, read with FFmpeg.

    Parameters
    ----------
    mode
        What is asked of it; it gives the nearest that it can.
    device
        ``/dev/video0``, say.
    """

    backend = "v4l2"

    def __init__(self, mode: Mode, device: Path) -> None:
        super().__init__(mode)
        self._device = device
        self._closed = threading.Event()
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._container: av.container.InputContainer | None = None

    def open(self) -> None:
        if not self._device.exists():
            raise CameraError(f"there is no {self._device}: is the camera plugged in?")
        try:
            self._container = av.open(
                str(self._device),
                format="v4l2",
                options={
                    "video_size": f"{self.mode.width}x{self.mode.height}",
                    "framerate": f"{self.mode.fps:g}",
                },
                # Opening waits for the driver, reading for the next picture.
                timeout=(10.0, 3.0),
            )
            stream = self._container.streams.video[0]
        except (FFmpegError, OSError, IndexError) as error:
            raise CameraError(f"{self._device} can not be opened: {error}") from error
        self._frames = self._container.decode(stream)

    def read(self) -> Capture:
        try:
            frame = next(self._frames, None)
        except (FFmpegError, OSError) as error:
            raise CameraError(f"{self._device} gives no more pictures: {error}") from error
        if self._closed.is_set() or frame is None:
            raise CameraError(f"{self._device} was closed")
        frame.pict_type = av.video.frame.PictureType.NONE
        return Capture(frame, taken_s(frame))

    def close(self) -> None:
        self._closed.set()

    def release(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


def taken_s(frame: av.VideoFrame) -> float:
    """When a picture was taken, by ``time.monotonic()``.

    FFmpeg hands on the driver's times as they are, and drivers have CLOCK_MONOTONIC's, as Python on
    Linux. Where one has not, it is now.
    """
    now_s = time.monotonic()
    told_s = frame.time
    return told_s if told_s is not None and 0 <= now_s - told_s < _OLDEST_S else now_s
