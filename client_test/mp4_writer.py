"""Writes JPEGs to an MP4 file, H264, each at its own time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

_TIME_BASE = Fraction(1, 90_000)
_NOMINAL_FPS = 30
# Nothing is waited for, so that a client that is killed loses half a second and no more.
_OPTIONS = {"preset": "veryfast", "tune": "zerolatency", "crf": "23"}
# A file of fragments, which plays whenever the writing stops, until it is finished with an index.
_MOVIE = {
    "movflags": "hybrid_fragmented+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
_KEY_FRAME_EVERY_S = 2.0


class Mp4Writer:
    """An MP4 file. Slow: for a thread.

    Parameters
    ----------
    path
        Created with the first picture.
    """

    def __init__(self, path: Path) -> None:
        self.frames = 0
        self.unreadable = 0
        """Pictures that are no JPEGs, or damaged."""
        self.seconds = 0.0
        """From the first frame to the last."""
        self._path = path
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._first_s = 0.0
        self._next_key_s = 0.0
        self._last_ticks = -1

    @property
    def bytes_written(self) -> int:
        """The size of the file so far."""
        return self._path.stat().st_size if self._container is not None else 0

    def write(self, jpeg: bytes, at_s: float) -> None:
        """Write a picture that was taken at a time, in seconds.

        Raises
        ------
        OSError
            It can not be written.
        """
        try:
            pictures = self._decoder.decode(av.Packet(jpeg))
        except av.error.FFmpegError:
            pictures = []
        if not pictures:
            self.unreadable += 1
            return
        self._encode(pictures[0], at_s)

    def close(self) -> None:
        """Finish the file; without a picture there is none.

        Raises
        ------
        OSError
            It can not be written.
        """
        if self._container is None or self._stream is None:
            return
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _encode(self, picture: av.VideoFrame, at_s: float) -> None:
        if self._stream is None:
            # 4:2:0 needs even sizes.
            self._open(picture.width + picture.width % 2, picture.height + picture.height % 2)
            self._first_s = at_s
        assert self._stream is not None
        assert self._container is not None
        # What comes in another size is fitted into that of the first one.
        frame = picture.reformat(
            self._stream.width,
            self._stream.height,
            "yuv420p",
            # JPEGs use all levels, video 16 to 235: unless it is converted, it looks too hard.
            dst_color_range=av.video.reformatter.ColorRange.MPEG,
        )
        elapsed_s = at_s - self._first_s
        frame.pts = max(round(elapsed_s / _TIME_BASE), self._last_ticks + 1)
        frame.time_base = _TIME_BASE
        frame.pict_type = av.video.frame.PictureType.NONE
        if elapsed_s >= self._next_key_s:
            frame.pict_type = av.video.frame.PictureType.I
            self._next_key_s = elapsed_s + _KEY_FRAME_EVERY_S
        self._last_ticks = frame.pts
        self._container.mux(self._stream.encode(frame))
        self.frames += 1
        self.seconds = float(frame.pts * _TIME_BASE)

    def _open(self, width: int, height: int) -> None:
        self._container = av.open(str(self._path), "w", format="mp4", container_options=_MOVIE)
        self._stream = self._container.add_stream(
            "libx264",
            rate=_NOMINAL_FPS,
            options=_OPTIONS,
            width=width,
            height=height,
            pix_fmt="yuv420p",
            time_base=_TIME_BASE,
        )
