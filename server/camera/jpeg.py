"""The camera's pictures as JPEG, each encoded once for all who watch in one size and quality."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import av
import cv2

from server.camera.camera import Camera
from server.media.capture import Capture
from server.media.convert import convert
from server.media.newest import NewestWork

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JpegOptions:
    """How a JPEG is to be.

    Attributes
    ----------
    width
        In pixels; the height follows. None keeps the camera's, and so does a larger one.
    quality
        1 to 100, as libjpeg has it.
    """

    width: int | None = None
    quality: int = 80


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One encoded picture, and when it was taken by ``time.monotonic()``."""

    data: bytes
    captured_s: float


def encode(frame: av.VideoFrame, options: JpegOptions) -> bytes:
    """Encode a picture: some milliseconds, never on the event loop."""
    width, height = frame.width, frame.height
    if options.width is not None and options.width < width:
        width, height = options.width, max(round(height * options.width / width), 1)
    pixels = convert(frame, "bgr24", width, height).to_ndarray()
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, options.quality])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    return data.tobytes()


class JpegCamera:
    """Encodes while somebody watches.

    Parameters
    ----------
    camera
        Whose pictures.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._shared: dict[JpegOptions, _Shared] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jpeg")
        self._last: Jpeg | None = None

    async def still(self, options: JpegOptions) -> Jpeg | None:
        """The newest picture; of a camera that is stopped, the last that was encoded, if any."""
        capture = self._camera.latest
        if capture is None:
            return self._last
        loop = asyncio.get_running_loop()
        data = await loop.run_in_executor(self._thread, encode, capture.frame, options)
        self._last = Jpeg(data, capture.captured_s)
        return self._last

    def watch(self, options: JpegOptions, fps: float | None = None) -> JpegViewer:
        """Watch; the viewer is to be closed.

        Raises
        ------
        CameraUnavailable
            There is no such camera.
        """
        shared = self._shared.get(options)
        if shared is None:
            shared = _Shared(self._camera, options, self._thread, self._keep)
            self._shared[options] = shared
        return JpegViewer(shared, fps, lambda: self._left(options, shared))

    def _keep(self, jpeg: Jpeg) -> None:
        self._last = jpeg

    def _left(self, options: JpegOptions, shared: _Shared) -> None:
        if not shared.viewers:
            shared.close()
            self._shared.pop(options, None)

    def close(self) -> None:
        """Encode no more; for all who watch, it is over."""
        for shared in list(self._shared.values()):
            for viewer in list(shared.viewers):
                viewer.end()
        self._thread.shutdown(wait=False, cancel_futures=True)


class JpegViewer:
    """Someone who watches: iterate to get each newest JPEG. Whoever is slow skips some."""

    def __init__(self, shared: _Shared, fps: float | None, left: Callable[[], None]) -> None:
        self._shared = shared
        self._left = left
        self._interval_s = 1.0 / fps if fps else 0.0
        self._next_s = 0.0
        self._newest: Jpeg | None = None
        self._came = asyncio.Event()
        self._over = False
        shared.viewers.append(self)

    def show(self, jpeg: Jpeg) -> None:
        """Take a picture in place of one that was not looked at yet."""
        # Half a frame early is on time: pictures never come at an even pace.
        if jpeg.captured_s < self._next_s:
            return
        self._next_s = jpeg.captured_s + self._interval_s - min(self._interval_s / 2, 0.016)
        self._newest = jpeg
        self._came.set()

    def __aiter__(self) -> JpegViewer:
        return self

    async def __anext__(self) -> Jpeg:
        while self._newest is None:
            if self._over:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        newest, self._newest = self._newest, None
        return newest

    def end(self) -> None:
        """There will be no more pictures."""
        self._over = True
        self._came.set()

    def close(self) -> None:
        """Watch no longer."""
        if self in self._shared.viewers:
            self._shared.viewers.remove(self)
            self._left()


class _Shared:
    """Who wants the same JPEGs. One picture is encoded at a time, the newest one next."""

    def __init__(
        self,
        camera: Camera,
        options: JpegOptions,
        thread: ThreadPoolExecutor,
        keep: Callable[[Jpeg], None],
    ) -> None:
        self._keep = keep
        self.viewers: list[JpegViewer] = []
        self._camera = camera
        self._options = options
        self._thread = thread
        self._newest = NewestWork(self._encode, "encode a JPEG")
        camera.subscribe(self._newest.put)

    def close(self) -> None:
        self._camera.unsubscribe(self._newest.put)
        self._newest.close()

    async def _encode(self, capture: Capture) -> None:
        loop = asyncio.get_running_loop()
        began_s = time.monotonic()
        data = await loop.run_in_executor(self._thread, encode, capture.frame, self._options)
        logger.debug("A JPEG took %.1f ms", (time.monotonic() - began_s) * 1000)
        jpeg = Jpeg(data, capture.captured_s)
        self._keep(jpeg)
        for viewer in list(self.viewers):
            viewer.show(jpeg)
