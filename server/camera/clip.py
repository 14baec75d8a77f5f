"""A file that plays over and over, at its own pace, in place of a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from av.error import FFmpegError

from server.camera.frame_pacer import FramePacer
from server.camera.source import CameraError, CameraUnavailable, Mode, Source
from server.media.capture import Capture


class Clip(Source):
    """A video file, looped. It keeps its own size and rate.

    Parameters
    ----------
    mode
        Its rate is taken where the file does not tell one.
    path
        The file.
    """

    backend = "clip"

    def __init__(self, mode: Mode, path: Path) -> None:
        super().__init__(mode)
        self._path = path
        self._pace = FramePacer()
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._container: av.container.InputContainer | None = None
        self._interval_s = 1.0 / mode.fps

    def open(self) -> None:
        self._rewind()

    def _rewind(self) -> None:
        self.release()
        try:
            self._container = av.open(str(self._path))
            stream = self._container.streams.video[0]
        except (FFmpegError, OSError, IndexError) as error:
            raise CameraUnavailable(f"{self._path} can not be played: {error}") from error
        stream.thread_type = "AUTO"
        rate = stream.average_rate
        self._interval_s = 1.0 / float(rate) if rate else 1.0 / self.mode.fps
        self._frames = self._container.decode(stream)

    def read(self) -> Capture:
        due_s = self._pace.wait(self._interval_s)
        try:
            frame = next(self._frames, None)
            if frame is None:
                self._rewind()
                frame = next(self._frames, None)
        except (FFmpegError, OSError) as error:
            raise CameraError(f"{self._path} can not be decoded: {error}") from error
        if frame is None:
            raise CameraUnavailable(f"{self._path} has no picture")
        # Encoders take a frame's type for an order.
        frame.pict_type = av.video.frame.PictureType.NONE
        return Capture(frame, due_s)

    def close(self) -> None:
        self._pace.stop()

    def release(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None
