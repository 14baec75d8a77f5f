"""One run of a camera, from its opening to its end, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from server.camera.source import CameraError, Source
from server.media.capture import Capture
from server.media.newest import NewestOnLoop

logger = logging.getLogger(__name__)

Change = Callable[[Capture], Capture]


class Run:
    """Opens a camera and hands its newest picture to the event loop.

    A driver that hangs can not be interrupted: its thread is left behind, and what it still says is
    not listened to.

    Parameters
    ----------
    source
        The camera.
    change
        What is done to each picture, on the camera's thread.
    arrived
        Takes each picture, on the event loop. When the loop is behind, older ones are skipped.
    """

    def __init__(self, source: Source, change: Change, arrived: Callable[[Capture], None]) -> None:
        self.source = source
        self.ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """What it ended with."""
        self.delivered_s = time.monotonic()
        """When the last picture came, or when it was begun."""
        self._change = change
        self._arrived = arrived
        self._loop = asyncio.get_running_loop()
        self._newest = NewestOnLoop(self.on_loop, self._take)
        self._over = False
        name = f"camera {source.backend}"
        self._thread = threading.Thread(target=self._read_all, name=name, daemon=True)
        self._thread.start()

    async def stop(self, within_s: float) -> None:
        """Close the camera, and wait for its thread; not longer than that for one that hangs."""
        self._over = True
        self.source.close()
        await asyncio.to_thread(self._thread.join, within_s)
        if self._thread.is_alive():
            logger.error("The camera's driver hangs: its thread is left behind")

    def on_loop(self, call: Callable[..., None], *arguments: object) -> None:
        """Have something called on the event loop, from any thread, unless the run is over."""
        try:
            self._loop.call_soon_threadsafe(self._unless_over, call, arguments)
        except RuntimeError:
            self._over = True  # The server is gone.

    def _unless_over(self, call: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if not self._over:
            call(*arguments)

    def _read_all(self) -> None:
        error: Exception = CameraError("the camera's thread was ended")
        try:
            self.source.open()
            while True:
                self._newest.put(self._change(self.source.read()))
        except CameraError as known:
            error = known
        except Exception as unknown:
            # Whatever a driver raises, it must not end the camera for good.
            logger.exception("The camera failed")
            error = unknown
        finally:
            # Also when the thread itself is ended: a camera that is not given back can not be
            # opened again.
            self._release()
            self.on_loop(self._end, error)

    def _release(self) -> None:
        try:
            self.source.release()
        except Exception:
            logger.exception("The camera could not be released")

    def _take(self, capture: Capture) -> None:
        self.delivered_s = time.monotonic()
        self._arrived(capture)

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
