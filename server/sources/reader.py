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
from server.media.encoded_frame import EncodedFrame
from server.media.in_order import InOrderOnLoop
from server.media.newest import NewestOnLoop
from server.media.picture import EncodedPicture
from server.sources.container import OpenVideo
from server.sources.errors import SourceError, SourceRefused
from server.sources.frames import CLOCK_HZ, frames_of, step_s
from server.sources.slots import Slots

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
# A file behind a URL that ends so much before its time was cut off.
_CUT_OFF_S = 1.0
# A frame that comes this much before its time is taken.
_EARLY_S = 0.02
# Encoded frames that wait for the event loop: two seconds of a camera.
_MAX_WAITING = 64
_MAX_WAITING_BYTES = 8 * 2**20


class SourceViewer(Protocol):
    """Whoever wants a source's frames; called on the event loop. No method may block or raise."""

    def opened(self) -> None:
        """The source delivers, for the first time or again."""

    def frame(self, frame: av.VideoFrame, number: int) -> None:
        """A frame, yuv420p, and which of the source's it is, from 1."""

    def picture(self, picture: EncodedPicture, number: int) -> None:
        """A frame that came as a picture, and which of the source's it is, from 1."""

    def encoded(self, frame: EncodedFrame, number: int, is_wanted: bool) -> None:
        """A frame as it is encoded, in the order of decoding, and which of those it is, from 1.

        Those after it build on it, whether it is wanted or not.
        """

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
        Gets the frames: encoded where a worker decodes their codec, all in order; or else the
        newest, if they come faster than it takes them.
    comes_back
        Whether to try again when it is lost.
    fps_limit
        Frames a second that are wanted.
    max_pixels
        Larger frames are refused.
    max_encoded_pixels
        Videos of more are decoded here.
    """

    def __init__(
        self,
        open_video: Callable[[], OpenVideo],
        viewer: SourceViewer,
        *,
        comes_back: bool,
        fps_limit: float,
        max_pixels: int,
        max_encoded_pixels: int,
    ) -> None:
        self._open_video = open_video
        self._viewer = viewer
        self._comes_back = comes_back
        self._fps_limit = fps_limit
        self._max_pixels = max_pixels
        self._max_encoded_pixels = max_encoded_pixels
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._abort: Callable[[], None] | None = None
        self._newest: NewestOnLoop[tuple[av.VideoFrame | EncodedPicture, int]] = NewestOnLoop(
            self._tell, lambda frame: self._give(*frame)
        )
        self._in_order: InOrderOnLoop[tuple[EncodedFrame, int, bool]] = InOrderOnLoop(
            *(self._tell, lambda frame: viewer.encoded(*frame)),
            max_items=_MAX_WAITING,
            max_bytes=_MAX_WAITING_BYTES,
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
        self._in_order.close()
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
            first_s: float | None = None
            slots = Slots(self._fps_limit, step_s(video.stream))
            for timed in frames_of(video, self._max_pixels, self._max_encoded_pixels):
                time_s = time.monotonic() - began_s
                if timed.due_s is not None:
                    # At its own speed, as if it were happening.
                    if first_s is None:
                        first_s = 0.0 if video.is_live else timed.due_s
                    self._stop.wait(max(timed.due_s - first_s - time_s, 0.0))
                    if not video.is_live:
                        time_s = timed.due_s - first_s
                if self._stop.is_set():
                    return True
                if isinstance(timed.frame, EncodedFrame) and not video.is_live:
                    is_wanted = slots.take(timed.frame.timestamp / CLOCK_HZ)
                else:
                    is_wanted = limit.allow(time_s)
                self._take(timed.frame, is_wanted)
            return not video.is_live and time_s >= _duration_s(video.stream) - _CUT_OFF_S

    def _take(self, frame: EncodedFrame | EncodedPicture | av.VideoFrame, is_wanted: bool) -> None:
        self._number += 1
        self._delivered = True
        if isinstance(frame, EncodedFrame):
            self._in_order.put((frame, self._number, is_wanted), len(frame.data))
        elif is_wanted:
            self._newest.put((frame, self._number))

    def _tell(self, method: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(self._call, method, arguments)

    # ---- on the event loop

    def _give(self, frame: av.VideoFrame | EncodedPicture, number: int) -> None:
        if isinstance(frame, EncodedPicture):
            self._viewer.picture(frame, number)
        else:
            self._viewer.frame(frame, number)

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


def _duration_s(stream: VideoStream) -> float:
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


def _told(error: Exception) -> str:
    if isinstance(error, SourceError):
        return error.message
    return f"the source was lost: {getattr(error, 'strerror', None) or error}"
