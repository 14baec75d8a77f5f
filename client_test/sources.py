"""What a client can send: a file, a camera, arrays; each a track that aiortc takes."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakKeyDictionary

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import VIDEO_CLOCK_RATE, VIDEO_TIME_BASE, MediaStreamError
from av import VideoFrame
from numpy.typing import NDArray

from client_test.clip import MAX_LAG_S, ClipTrack
from client_test.errors import BadSource

Clip = ClipTrack
"""A video file, played in real time as a camera would."""

Picture = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB."""
# A camera that gives nothing for so long is gone.
SILENT_AFTER_S = 10.0


class Arrays(MediaStreamTrack):
    """Pictures that a program makes, sent at a steady rate until there are no more.

    Parameters
    ----------
    pictures
        Each (H, W, 3) uint8 RGB, 16 pixels or more each way; a generator, which may take its
        time since it runs on a thread, or an asynchronous one. An odd last row or column is cut
        off. An array may be written into again once the next one is asked for.
    fps
        Pictures a second. One that is late is sent when it comes, with its own time.

    Attributes
    ----------
    count
        Pictures sent so far.
    error
        What ended it: what the generator raised, or `BadSource` for an array that is no picture.
        None while it goes on, and after the last picture.
    """

    kind = "video"

    def __init__(
        self, pictures: Iterable[Picture] | AsyncIterable[Picture], fps: float = 30.0
    ) -> None:
        super().__init__()
        if not fps > 0:
            raise BadSource(f"{fps} is no number of pictures a second")
        self.count = 0
        self.error: Exception | None = None
        self._pictures: Iterator[Picture] | AsyncIterator[Picture]
        if isinstance(pictures, AsyncIterable):
            self._pictures = aiter(pictures)
        else:
            self._pictures = iter(pictures)
        self._fps = fps
        self._began_s: float | None = None
        self._due_s = 0.0
        self._ahead: asyncio.Task[VideoFrame | None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pictures")

    async def recv(self) -> VideoFrame:
        """The next picture, when it is due.

        Raises
        ------
        MediaStreamError
            There are no more.
        """
        if self.readyState != "live":
            raise MediaStreamError
        if self._ahead is None:
            self._ahead = asyncio.create_task(self._next())
        try:
            # Shielded: a connection that is closed must not end a generator.
            frame = await asyncio.shield(self._ahead)
        except Exception as error:
            self.error = error
            frame = None
        self._ahead = None
        if frame is None:
            self.stop()
            raise MediaStreamError
        await self._until_due()
        frame.pts, frame.time_base = round(self._due_s * VIDEO_CLOCK_RATE), VIDEO_TIME_BASE
        self.count += 1
        return frame

    async def _until_due(self) -> None:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s
            return
        self._due_s += 1 / self._fps
        ahead_s = self._due_s - (now_s - self._began_s)
        if ahead_s < -MAX_LAG_S:
            # It was not made in time, or nobody asked for it.
            self._due_s -= ahead_s
        await asyncio.sleep(max(ahead_s, 0.0))

    async def _next(self) -> VideoFrame | None:
        loop = asyncio.get_running_loop()
        if isinstance(self._pictures, AsyncIterator):
            picture = await anext(self._pictures, None)
            return await loop.run_in_executor(self._thread, _frame_of, picture)
        pictures = self._pictures
        return await loop.run_in_executor(self._thread, lambda: _frame_of(next(pictures, None)))

    def stop(self) -> None:
        """End it."""
        super().stop()
        if self._ahead is not None:
            self._ahead.cancel()
        self._thread.shutdown(wait=False)


class Camera(MediaStreamTrack):
    """A camera of this machine, its pictures as they come.

    Parameters
    ----------
    device
        What FFmpeg calls it: ``/dev/video0``.
    format
        FFmpeg's name for its kind: ``v4l2`` on Linux, ``avfoundation`` on macOS (device ``0``),
        ``dshow`` on Windows (device ``video=NAME``).
    size
        Width and height to ask it for.
    fps
        Pictures a second to ask it for.
    options
        More of FFmpeg's options for it, such as ``{"input_format": "mjpeg"}``.

    Raises
    ------
    BadSource
        There is no such camera, or it does not give what it is asked for.
    """

    kind = "video"

    def __init__(
        self,
        device: str = "/dev/video0",
        *,
        format: str = "v4l2",
        size: tuple[int, int] | None = (640, 480),
        fps: float | None = 30.0,
        options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        asked = {"video_size": f"{size[0]}x{size[1]}"} if size else {}
        asked |= {"framerate": f"{fps:g}"} if fps else {}
        try:
            self._container = av.open(device, format=format, options={**asked, **(options or {})})
        except (OSError, ValueError) as error:
            raise BadSource(f"the camera {device} can not be opened: {error}") from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._frames = self._container.decode(video=0)
        self._ahead: Future[VideoFrame | None] = self._thread.submit(self._read)
        self._began_s: float | None = None
        self.error: Exception | None = None

    async def recv(self) -> VideoFrame:
        """The next picture.

        Raises
        ------
        MediaStreamError
            It gives no more; `error` says why.
        """
        if self.readyState != "live":
            raise MediaStreamError
        try:
            async with asyncio.timeout(SILENT_AFTER_S):
                # Shielded: who stops waiting must not stop the reading.
                frame = await asyncio.shield(asyncio.wrap_future(self._ahead))
        except TimeoutError:
            self.error = BadSource(f"the camera gave no picture for {SILENT_AFTER_S:g} s")
            frame = None
        except (OSError, ValueError) as error:
            self.error = BadSource(f"the camera gives no more pictures: {error}")
            frame = None
        if frame is None:
            self.stop()
            raise MediaStreamError
        self._ahead = self._thread.submit(self._read)
        now_s = time.monotonic()
        self._began_s = now_s if self._began_s is None else self._began_s
        frame.pts = round((now_s - self._began_s) * VIDEO_CLOCK_RATE)
        frame.time_base = VIDEO_TIME_BASE
        return frame

    def stop(self) -> None:
        """Let go of the camera."""
        if self.readyState == "live":
            self._thread.submit(self._container.close)
            self._thread.shutdown(wait=False)
        super().stop()

    def _read(self) -> VideoFrame | None:
        frame = next(self._frames, None)
        return None if frame is None else frame.reformat(format="yuv420p")


_LENT_LAST: WeakKeyDictionary[MediaStreamTrack, "Lent"] = WeakKeyDictionary()


class Lent(MediaStreamTrack):
    """A track for one connection, which stops it when it closes; what it is lent from goes on.

    Where a connection takes another one's place, both are there for a moment: the one that began to
    ask for frames last has all that follow.

    Parameters
    ----------
    track
        What gives the frames.
    ended
        Called when that has ended.
    """

    kind = "video"

    def __init__(self, track: MediaStreamTrack, ended: Callable[[], None]) -> None:
        super().__init__()
        self._track = track
        self._ended = ended
        self._has_begun = False

    async def recv(self) -> Any:
        """The next frame of the track."""
        if not self._has_begun:
            self._has_begun = True
            _LENT_LAST[self._track] = self
        if _LENT_LAST[self._track] is not self:
            # Until the connection is closed.
            await asyncio.get_running_loop().create_future()
        try:
            return await self._track.recv()
        except MediaStreamError:
            self._ended()
            raise


def _frame_of(picture: Picture | None) -> VideoFrame | None:
    if picture is None:
        return None
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3:
        raise BadSource(f"{_named(picture)} is no picture: (height, width, 3) of uint8 is")
    height, width = (length & ~1 for length in picture.shape[:2])
    if picture.shape[2] != 3 or min(height, width) < 16:
        raise BadSource(f"{_named(picture)} is no picture: (height, width, 3) of uint8 is")
    rgb = np.ascontiguousarray(picture[:height, :width])
    return VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")


def _named(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"a {type(value).__name__}"
