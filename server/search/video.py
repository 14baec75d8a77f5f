"""A video file in parts that several threads decode at once, frame numbers and times known."""

from __future__ import annotations

import contextlib
import os
import threading
from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.stream import VideoStream

from server.media.convert import as_i420
from server.sources.container import open_file, packets_of
from server.sources.errors import SourceError

# Looking for someone must not hold up those who stream: this is as much lower than the media's
# priority as the workers' is.
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A frame to look at.

    Attributes
    ----------
    picture
        Decoded, yuv420p.
    number
        Which of the video's it is, from 1.
    time_s
        Seconds from the video's first frame.
    """

    picture: av.VideoFrame
    number: int
    time_s: float


@dataclass(frozen=True, slots=True)
class VideoPart:
    """Consecutive frames, from a key frame on.

    Attributes
    ----------
    start, end
        Indices of the first frame and of the one behind the last, in the order of display.
    """

    start: int
    end: int


class IndexedVideo:
    """A video file.

    Made by `read`, which takes time: never on the event loop.

    Attributes
    ----------
    path
        Where it is.
    width, height
        Pixels.
    times_s
        Of each frame, seconds from the first, in the order of display.
    pts, keys
        Of each frame, and of each key frame, in ticks of the file's own clock, ascending.
    tick_s
        Seconds of a tick.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        pts: Sequence[int],
        keys: Sequence[int],
        tick_s: float,
    ) -> None:
        self.path = path
        self.width, self.height = size
        # Of a day there are millions.
        self.times_s = array("d", ((value - pts[0]) * tick_s for value in pts))
        self.pts = pts
        self.keys = keys
        self.tick_s = tick_s

    @classmethod
    def read(cls, path: Path, max_pixels: int, stop: threading.Event | None = None) -> IndexedVideo:
        """Find out which frames there are. Reads the file once, and decodes nothing.

        Parameters
        ----------
        path
            The file.
        max_pixels
            Of a frame.
        stop
            When this is set, nobody waits for it any more.

        Raises
        ------
        SourceError
            It can not be read, is no video, or has too many pixels.
        """
        video = open_file(path)
        pts: list[int] = []
        keys: list[int] = []
        try:
            with contextlib.closing(video.container):
                size = (video.stream.codec_context.width, video.stream.codec_context.height)
                tick = video.stream.time_base
                for packet in packets_of(video):
                    if stop is not None and stop.is_set():
                        raise SourceError("nobody waits for it any more")
                    if packet.size == 0:
                        continue
                    if packet.pts is None:
                        raise SourceError("its frames have no times: store it as MP4 or Matroska")
                    pts.append(packet.pts)
                    if packet.is_keyframe:
                        keys.append(packet.pts)
        except FFmpegError as error:
            # What a crash cut off: the frames before that are good.
            if not pts:
                raise SourceError(f"it can not be read: {error.strerror}") from error
        if not pts or not keys or tick is None:
            raise SourceError("there are no frames in it")
        if size[0] * size[1] > max_pixels:
            raise SourceError(f"it has {size[0]} x {size[1]} pixels: at most {max_pixels} are read")
        return cls(path, size, sorted(pts), sorted(keys), float(tick))

    @property
    def keys_s(self) -> list[float]:
        """Of each key frame, seconds from the first frame, ascending."""
        return [self.times_s[bisect_left(self.pts, key)] for key in self.keys]

    def at(self, time_s: float) -> int:
        """One of `times_s`, in ticks of the file's own clock."""
        return self.pts[bisect_left(self.times_s, time_s)]

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the last."""
        return self.times_s[-1]

    def sample(self, rate_hz: float) -> list[int]:
        """Indices of frames that are about evenly apart.

        Parameters
        ----------
        rate_hz
            How many a second; 0 is all.
        """
        if not rate_hz:
            return list(range(len(self.times_s)))
        wanted: list[int] = []
        due_s = 0.0
        # A frame a little early is nearer to the time than the one after it.
        early_s = min(0.25 / rate_hz, 0.02)
        for index, time_s in enumerate(self.times_s):
            if time_s >= due_s - early_s:
                wanted.append(index)
                due_s = max(due_s + 1 / rate_hz, time_s + 0.5 / rate_hz)
        return wanted

    def split(self, parts: int) -> list[VideoPart]:
        """Cut it at key frames into parts of about the same length, not more than asked for."""
        count = len(self.pts)
        keys = [bisect_left(self.pts, key) for key in self.keys]
        cuts = {0}
        for part in range(1, parts):
            near = bisect_left(keys, part * count // parts)
            if near < len(keys):
                cuts.add(keys[near])
        starts = sorted(cuts)
        return [
            VideoPart(start, end)
            for start, end in zip(starts, [*starts[1:], count], strict=True)
            if start < end
        ]

    def decode(self, part: VideoPart, wanted: list[int]) -> Generator[SampledFrame]:
        """Decode the wanted frames of a part, one at a time; in a thread of its own.

        Parameters
        ----------
        part
            One of `split`'s.
        wanted
            Indices, ascending; those of other parts are left out.

        Raises
        ------
        SourceError
            It can no longer be read.
        """
        give_way()
        wanted_pts, first = self._ticks_of(part, wanted)
        for pts, picture in decoded(self.path, wanted_pts, first):
            yield self._sampled(pts, picture)

    def _ticks_of(self, part: VideoPart, wanted: list[int]) -> tuple[list[int], int | None]:
        """A part's wanted frames, and its first one if that is not the video's, in ticks."""
        pts = [self.pts[i] for i in wanted if part.start <= i < part.end]
        return pts, self.pts[part.start] if part.start else None

    def _sampled(self, pts: int, picture: av.VideoFrame) -> SampledFrame:
        index = bisect_left(self.pts, pts)
        return SampledFrame(picture, index + 1, self.times_s[index])


def decoded(
    path: Path, wanted_pts: Sequence[int], first: int | None
) -> Generator[tuple[int, av.VideoFrame]]:
    """Decode some frames of a video, yuv420p, one at a time, each with its time in ticks.

    Parameters
    ----------
    path
        The file.
    wanted_pts
        Their times.
    first
        Time of the key frame to begin at; None is the beginning.

    Raises
    ------
    SourceError
        It can not be read.
    """
    left = set(wanted_pts)
    video = open_file(path)
    with contextlib.closing(video.container):
        for frame in _frames(packets_of(video), first):
            if frame.pts is not None and frame.pts in left:
                left.remove(frame.pts)
                yield frame.pts, as_i420(frame)
            if not left:
                return


def _frames(
    packets: Iterator[av.Packet[VideoStream]], first: int | None
) -> Iterator[av.VideoFrame]:
    # Read up to there, and not sought: fragmented MP4, as the recorder writes it, has no index
    # to seek by. Reading without decoding goes through an hour in a second or two.
    is_there = first is None
    try:
        for packet in packets:
            is_there = is_there or (packet.is_keyframe and packet.pts == first)
            if not is_there:
                continue
            with contextlib.suppress(av.error.InvalidDataError):
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        yield frame
    except FFmpegError as error:
        if not is_there:
            raise SourceError(f"it can not be read: {error.strerror}") from error


def give_way() -> None:
    """Have the calling thread wait for those that stream."""
    if hasattr(os, "setpriority"):
        # On Linux this is the calling thread's alone.
        with contextlib.suppress(OSError):
            has = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, max(has, _NICENESS))
