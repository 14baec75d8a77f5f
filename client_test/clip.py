"""A video file as a track, played in real time as a camera would."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE, MediaStreamError
from av import VideoFrame

from client_test.errors import BadSource

# A camera does not wait for a slow encoder: a frame that is this late is skipped.
MAX_LAG_S = 0.1


class ClipTrack(MediaStreamTrack):
    """Plays the first video stream of a file, decoding in a thread of its own.

    Frames come with pts on RTP's 90 kHz clock, 0 at the first. They are handed out when they are
    due; the track ends after the last one.

    Parameters
    ----------
    path
        Any file that FFmpeg reads.
    play_from_s
        Where in the file to begin, in seconds.
    loop
        Begin again at `play_from_s` when the file is over; pts go on rising.
    duration_s
        End after this time; None plays to the end.
    on_frame
        Called with each frame as it is handed out.

    Attributes
    ----------
    frames_sent
        Frames handed out, which the sender then encodes.
    frames_skipped
        Frames that were too late to be handed out.
    length_s
        How long the track will play, in seconds; None when it loops for ever, or if the file does
        not say.
    error
        What ended it early; None while it goes on, and after the last frame.

    Raises
    ------
    OSError, av.error.FFmpegError
        The file cannot be opened.
    ValueError
        It has no video, or `play_from_s` is not inside it.
    """

    kind = "video"

    def __init__(
        self,
        path: str | Path,
        *,
        play_from_s: float = 0.0,
        loop: bool = False,
        duration_s: float | None = None,
        on_frame: Callable[[VideoFrame], None] | None = None,
    ) -> None:
        super().__init__()
        self._decoder = _Decoder(path, play_from_s=play_from_s, loop=loop)
        self.frames_sent = 0
        self.frames_skipped = 0
        self.error: BadSource | None = None
        self.length_s = _shortest(None if loop else self._decoder.remaining_s, duration_s)
        self._duration_s = duration_s
        self._on_frame = on_frame
        self._started_s: float | None = None
        self._ended = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clip")
        self._ahead = self._read_ahead()

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due.

        Raises
        ------
        MediaStreamError
            The clip is over.
        """
        if self.readyState != "live":
            raise MediaStreamError
        frame, due_s = await self._next()
        while self._lag_s(due_s) > MAX_LAG_S:
            self.frames_skipped += 1
            frame, due_s = await self._next()
        await asyncio.sleep(max(0.0, -self._lag_s(due_s)))
        frame.pts = round(due_s * VIDEO_CLOCK_RATE)
        frame.time_base = VIDEO_TIME_BASE
        self.frames_sent += 1
        if self._on_frame is not None:
            self._on_frame(frame)
        return frame

    async def wait_ended(self) -> None:
        """Return when the last frame has been handed out, or the track was stopped."""
        await self._ended.wait()

    def stop(self) -> None:
        """End the track and close the file."""
        if self.readyState == "live":
            self._thread.submit(self._decoder.close)
            self._thread.shutdown(wait=False)
            self._ended.set()
        super().stop()

    async def _next(self) -> tuple[VideoFrame, float]:
        try:
            # Shielded: a sender that is cancelled here must not cancel the decoder's work.
            decoded = await asyncio.shield(asyncio.wrap_future(self._ahead))
        except av.error.FFmpegError as error:
            self.error = BadSource(f"the clip can not be decoded any further: {error}")
            self.stop()
            raise MediaStreamError(str(self.error)) from error
        if decoded is None or (self._duration_s is not None and decoded[1] >= self._duration_s):
            self.stop()
        if decoded is None or self.readyState != "live":
            raise MediaStreamError
        self._ahead = self._read_ahead()
        return decoded

    def _read_ahead(self) -> "Future[tuple[VideoFrame, float] | None]":
        return self._thread.submit(next, self._decoder.frames, None)

    def _lag_s(self, due_s: float) -> float:
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s = now_s
        return now_s - self._started_s - due_s


class _Decoder:
    """Reads frames of a file with the time at which each is due, 0 for the first."""

    def __init__(self, path: str | Path, *, play_from_s: float, loop: bool) -> None:
        self._container = av.open(str(path))
        if not self._container.streams.video:
            self._container.close()
            raise ValueError(f"{path} has no video")
        self._stream = self._container.streams.video[0]
        self._play_from_s = play_from_s
        self._loop = loop
        length_s = self._length_s()
        if not 0 <= play_from_s < (length_s or math.inf):
            self._container.close()
            raise ValueError(f"cannot play {path} from {play_from_s:g} s: it lasts {length_s} s")
        self.remaining_s = None if length_s is None else length_s - play_from_s
        # The rate that the file claims, for frames without a time and for the pause between loops.
        self._interval_s = float(1 / (self._stream.average_rate or Fraction(30)))
        self.frames = self._frames()

    def close(self) -> None:
        self._container.close()

    def _length_s(self) -> float | None:
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration is not None:
            return self._container.duration / av.time_base
        return None

    def _frames(self) -> Iterator[tuple[VideoFrame, float]]:
        base_s = 0.0
        while True:
            due_s = base_s
            first_s: float | None = None
            for time_s, frame in self._one_pass():
                first_s = time_s if first_s is None else first_s
                due_s = base_s + time_s - first_s
                yield frame, due_s
            if first_s is None or not self._loop:
                return
            base_s = due_s + self._interval_s

    def _one_pass(self) -> Iterator[tuple[float, VideoFrame]]:
        # Seeking lands on the keyframe before; what lies between is decoded and left out.
        self._container.seek(round(self._play_from_s * av.time_base))
        for number, frame in enumerate(self._container.decode(self._stream)):
            time_s = frame.time if frame.time is not None else number * self._interval_s
            if time_s >= self._play_from_s:
                # Encoders take yuv420p; converting here keeps the event loop free of it.
                yield time_s, frame if _is_i420(frame) else frame.reformat(format="yuv420p")


def _is_i420(frame: VideoFrame) -> bool:
    return frame.format.name in ("yuv420p", "yuvj420p")


def _shortest(*lengths_s: float | None) -> float | None:
    return min((length_s for length_s in lengths_s if length_s is not None), default=None)
