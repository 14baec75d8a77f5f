"""Reads a source in a thread of its own, and reads it again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import av
from av.error import FFmpegError
from av.video.stream import VideoStream

from server.backoff import Backoff
from server.media.convert import as_i420
from server.media.newest import NewestOnLoop
from server.sources.container import OpenVideo
from server.sources.errors import SourceError, SourceRefused

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
# A file behind a URL that ends so much before its time was cut off.
_CUT_OFF_S = 1.0
# A frame that comes this much before its time is taken.
_EARLY_S = 0.02


class SourceViewer(Protocol):
    """Whoever wants a source's frames; called on the event loop. No method may block or raise."""

    def opened(self) -> None:
        """The source delivers, for the first time or again."""

    def frame(self, frame: av.VideoFrame, number: int) -> None:
        """A frame, yuv420p, and which of the source's it is, from 1."""

    def lost(self, message: str, retry_in_s: float) -> None:
        """The source is gone; it is tried again."""

    def ended(self, message: str | None) -> None:
        """There is nothing more to come: why, or None at its end."""


class SourceReader:
    """One source.

    Parameters
    ----------
    open_video
        Opens it; called in the thread.
    viewer
        Gets the frames: the newest, if they come faster than it takes them.
    comes_back
        Whether to try again when it is lost.
    fps_limit
        Frames a second that are wanted.
    max_pixels
        Larger frames are refused.
    """

    def __init__(
        self,
        open_video: Callable[[], OpenVideo],
        viewer: SourceViewer,
        *,
        comes_back: bool,
        fps_limit: float,
        max_pixels: int,
    ) -> None:
        self._open_video = open_video
        self._viewer = viewer
        self._comes_back = comes_back
        self._fps_limit = fps_limit
        self._max_pixels = max_pixels
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._abort: Callable[[], None] | None = None
        self._newest: NewestOnLoop[tuple[av.VideoFrame, int]] = NewestOnLoop(
            self._tell, lambda frame: viewer.frame(*frame)
        )
        self._number = 0
        self._delivered = False

    def start(self) -> None:
        """Begin to read."""
        # Nobody waits for it when the server stops: a host may be slow to answer.
        threading.Thread(target=self._run, name="source", daemon=True).start()

    def close(self) -> None:
        """Read no more; the viewer is not called any more."""
        with self._lock:
            self._stop.set()
            abort = self._abort
        if abort is not None:
            abort()

    # ---- in the thread

    def _run(self) -> None:
        # The event loop is closed when the server has stopped.
        with contextlib.suppress(RuntimeError):
            try:
                self._tell(self._viewer.ended, self._read_until_ended())
            except Exception:
                logger.exception("A source can not be read")
                self._tell(self._viewer.ended, "the source can not be read")

    def _read_until_ended(self) -> str | None:
        backoff = Backoff(FIRST_PAUSE_S)
        was_open = False
        while not self._stop.is_set():
            try:
                video = self._open()
                was_open = True
                if self._read(video):
                    return None
                message = "the source was cut off"
            except SourceRefused as error:
                return error.message
            except (SourceError, FFmpegError, OSError) as error:
                message = _told(error)
            if not (self._comes_back and was_open):
                return message
            if self._delivered:
                self._delivered = False
                backoff.reset()
            pause_s = backoff.pause_s()
            self._tell(self._viewer.lost, message, pause_s)
            self._stop.wait(pause_s)
        return None

    def _open(self) -> OpenVideo:
        video = self._open_video()
        with self._lock:
            self._abort = video.abort
            if self._stop.is_set():
                video.abort()
        return video

    def _read(self, video: OpenVideo) -> bool:
        """Read to the end.

        Returns
        -------
        Whether it was the end, and not only the end of the connection.
        """
        with contextlib.closing(video.container):
            self._tell(self._viewer.opened)
            limit = RateLimit(self._fps_limit)
            began_s = time.monotonic()
            time_s = 0.0
            for packet in video.container.demux(video.stream):
                for frame in _decoded(packet):
                    time_s = time.monotonic() - began_s
                    if not video.is_live and frame.time is not None:
                        # At its own speed, as if it were happening.
                        self._stop.wait(max(frame.time - time_s, 0.0))
                        time_s = frame.time
                    if self._stop.is_set():
                        return True
                    self._take(frame, limit.allow(time_s))
            return not video.is_live and time_s >= _duration_s(video.stream) - _CUT_OFF_S

    def _take(self, frame: av.VideoFrame, is_wanted: bool) -> None:
        self._number += 1
        self._delivered = True
        if frame.width * frame.height > self._max_pixels:
            raise SourceRefused(
                f"the source has {frame.width} x {frame.height} pixels: at most"
                f" {self._max_pixels} are taken"
            )
        if is_wanted:
            self._newest.put((as_i420(frame), self._number))

    def _tell(self, method: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(self._call, method, arguments)

    # ---- on the event loop

    def _call(self, method: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if not self._stop.is_set():
            method(*arguments)


class RateLimit:
    """Lets so many frames a second through, evenly.

    Parameters
    ----------
    per_s
        Frames a second.
    """

    def __init__(self, per_s: float) -> None:
        self._interval_s = 1.0 / per_s
        self._due_s: float | None = None

    def allow(self, now_s: float) -> bool:
        """Whether to take the frame that has come now."""
        if self._due_s is None:
            self._due_s = now_s
        # Frames of a camera that makes just as many are not quite even.
        if now_s < self._due_s - min(0.25 * self._interval_s, _EARLY_S):
            return False
        self._due_s = max(self._due_s, now_s - self._interval_s) + self._interval_s
        return True


def _decoded(packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
    try:
        return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
    except av.error.InvalidDataError:
        # Damaged on its way; the next key frame mends it.
        return []


def _duration_s(stream: VideoStream) -> float:
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


def _told(error: Exception) -> str:
    if isinstance(error, SourceError):
        return error.message
    return f"the source was lost: {getattr(error, 'strerror', None) or error}"
