"""The camera as everyone shares it: runs while it is wanted, and is started again when it fails."""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from server.camera.hooks import Hook
from server.camera.run import Run
from server.camera.source import CameraUnavailable, Capture, Source

logger = logging.getLogger(__name__)

# A camera that delivers nothing for so long is started again.
SILENT_S = 3.0
# Opening a sensor takes a second or two.
OPENS_WITHIN_S = 10.0
# How long it goes on after the last one has left: a page that is loaded again finds it running.
LINGERS_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
_STOPS_WITHIN_S = 2.0
_RATE_OVER_S = 2.0

Listener = Callable[[Capture], None]


class CameraState(enum.StrEnum):
    """What the camera does."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    """It will be started again after a pause."""
    UNAVAILABLE = "unavailable"
    """There is no such camera; it is tried again when someone asks for it anew."""


class Camera:
    """One camera for all.

    Parameters
    ----------
    make_source
        Makes the camera anew for each run.
    hook
        Changes its pictures, if any does.
    """

    def __init__(self, make_source: Callable[[], Source], hook: Hook | None = None) -> None:
        self._make_source = make_source
        self._hook = hook
        self._listeners: list[Listener] = []
        self._held = False
        self._keeper: asyncio.Task[None] | None = None
        self._unwanted: asyncio.TimerHandle | None = None
        self._arrivals_s: deque[float] = deque(maxlen=256)
        self.state = CameraState.STOPPED
        self.error: str | None = None
        self.backend: str | None = None
        self.latest: Capture | None = None
        """The newest picture, None unless it runs."""
        self.starts = 0

    # ---- who wants it

    def subscribe(self, listener: Listener) -> None:
        """Give every picture to someone, on the event loop; starts the camera if need be.

        Raises
        ------
        CameraUnavailable
            There is no such camera.
        """
        self._begin()
        self._listeners.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Give them no more; the camera stops soon after the last one has left."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        self._stop_when_unwanted()

    def start(self) -> None:
        """Start it and keep it running, whether anyone watches or not.

        Raises
        ------
        CameraUnavailable
            There is no such camera.
        """
        self._begin()
        self._held = True

    async def stop(self) -> None:
        """Stop it, even if someone watches: their picture stands still until it is started."""
        self._held = False
        self._keep_running()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        self._enter(CameraState.STOPPED)

    def status(self) -> dict[str, Any]:
        """What ``/camera/status`` says."""
        frame = self.latest.frame if self.latest else None
        return {
            "state": str(self.state),
            "running": self.state is CameraState.RUNNING,
            "backend": self.backend,
            "error": self.error,
            "viewers": len(self._listeners),
            "held": self._held,
            "width": frame.width if frame else None,
            "height": frame.height if frame else None,
            "fps": round(self._rate(), 1),
            "starts": self.starts,
            "hook": self._hook.status() if self._hook else None,
        }

    def _rate(self) -> float:
        now_s = time.monotonic()
        return sum(now_s - at_s <= _RATE_OVER_S for at_s in self._arrivals_s) / _RATE_OVER_S

    def _begin(self) -> None:
        self._keep_running()
        if self._keeper is None or self._keeper.done():
            # Made here, so that whoever asks for a camera that is not there is told.
            source = self._source()
            self._keeper = asyncio.create_task(self._keep(source), name="camera")

    def _source(self) -> Source:
        try:
            source = self._make_source()
        except CameraUnavailable as error:
            self.error = str(error)
            self._enter(CameraState.UNAVAILABLE)
            raise
        self.backend = source.backend
        return source

    def _keep_running(self) -> None:
        if self._unwanted is not None:
            self._unwanted.cancel()
            self._unwanted = None

    def _stop_when_unwanted(self) -> None:
        if self._listeners or self._held or self._keeper is None:
            return
        self._keep_running()
        loop = asyncio.get_running_loop()
        self._unwanted = loop.call_later(LINGERS_S, self._keeper.cancel)

    # ---- its life

    async def _keep(self, source: Source) -> None:
        """Run it until nobody wants it; start it again when it fails."""
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                began_s = time.monotonic()
                error = await self._run(source)
                self.error = str(error)
                if isinstance(error, CameraUnavailable):
                    logger.error("No camera: %s", error)
                    self._enter(CameraState.UNAVAILABLE)
                    return
                if time.monotonic() - began_s > LONGEST_PAUSE_S:
                    pause_s = FIRST_PAUSE_S
                self._enter(CameraState.FAILED)
                logger.warning("The camera failed (%s): again in %.1f s", error, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                source = self._source()
        except CameraUnavailable as error:
            logger.error("No camera: %s", error)
        except asyncio.CancelledError:
            self._enter(CameraState.STOPPED)
            raise

    async def _run(self, source: Source) -> Exception:
        """One run of it; returns what it ended with."""
        self._enter(CameraState.STARTING)
        self.starts += 1
        run = Run(source, self._hook.apply if self._hook else _unchanged, self._arrived)
        try:
            while not run.ended.done():
                limit_s = SILENT_S if self.state is CameraState.RUNNING else OPENS_WITHIN_S
                left_s = run.delivered_s + limit_s - time.monotonic()
                if left_s <= 0:
                    return TimeoutError(f"no picture for {limit_s:.0f} s")
                # Not for longer: with the first picture the limit becomes a shorter one.
                await asyncio.wait([run.ended], timeout=min(left_s, SILENT_S / 3))
            return run.ended.result()
        finally:
            self.latest = None
            await asyncio.shield(run.stop(_STOPS_WITHIN_S))

    def _arrived(self, capture: Capture) -> None:
        if self.state is not CameraState.RUNNING:
            self.error = None
            self._enter(CameraState.RUNNING)
        self.latest = capture
        self._arrivals_s.append(time.monotonic())
        for listener in list(self._listeners):
            try:
                listener(capture)
            except Exception:
                logger.exception("A picture could not be taken")

    def _enter(self, state: CameraState) -> None:
        if state is not self.state:
            self.state = state
            logger.info("Camera: %s", state)


def _unchanged(capture: Capture) -> Capture:
    return capture
