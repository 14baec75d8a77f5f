"""The camera as everyone shares it: runs while it is wanted, and is started again when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from server.backoff import Backoff
from server.camera.hardware_encoder import HardwareEncoder
from server.camera.hooks import Hook
from server.camera.run import Run
from server.camera.source import CameraUnavailable, Source
from server.camera.timeouts import CameraTimeouts
from server.camera.turning import Turning
from server.media.capture import Capture, Listener, Listeners
from server.media.encoder import Codec

logger = logging.getLogger(__name__)

_RATE_OVER_S = 2.0


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
    turning
        Turns them before, if they are to be turned.
    timeouts
        How long it is waited for.
    """

    def __init__(
        self,
        make_source: Callable[[], Source],
        hook: Hook | None = None,
        timeouts: CameraTimeouts | None = None,
        turning: Turning | None = None,
    ) -> None:
        self._turning = turning
        self._make_source = make_source
        self._hook = hook
        self._timeouts = timeouts or CameraTimeouts()
        self._own_packets: HardwareEncoder | None = None
        self._run_now: Run | None = None
        self._listeners = Listeners()
        self._held = False
        self._keeper: asyncio.Task[None] | None = None
        # Held by each run until its camera is closed.
        self._device = asyncio.Lock()
        self._unwanted: asyncio.TimerHandle | None = None
        self._asked_again = asyncio.Event()
        self._running_since_s = 0.0
        self._arrivals_s: deque[float] = deque(maxlen=256)
        self.state = CameraState.STOPPED
        self._entered = asyncio.Event()
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

        When it has failed, it is tried again at once.

        Raises
        ------
        CameraUnavailable
            There is no such camera.
        """
        self._begin()
        self._asked_again.set()
        self._held = True

    async def stop(self) -> None:
        """Stop it, even if someone watches: their picture stands still until it is started."""
        self._held = False
        self._keep_running()
        self._end_keeper()
        async with self._device:
            pass
        if self._keeper is None:
            self._enter(CameraState.STOPPED)

    def packets(self, codec: Codec) -> HardwareEncoder | None:
        """What the camera's own encoder makes; None if it has none for this codec.

        With a hook, or turned, it has none, since it shows other pictures then.

        Raises
        ------
        CameraUnavailable
            There is no such camera.
        """
        if self._hook is not None or self._turning is not None:
            return None
        if self._own_packets is None:
            encoder = self._source().encoder
            if encoder is None:
                return None
            self._own_packets = HardwareEncoder(self, encoder.codec)
            if self._run_now is not None:
                self._own_packets.attach(self._run_now)
        return self._own_packets if self._own_packets.are_for(codec) else None

    def status(self) -> dict[str, Any]:
        """What ``/camera/status`` says."""
        frame = self.latest.frame if self.latest else None
        return {
            "state": str(self.state),
            "running": self.state is CameraState.RUNNING,
            "backend": self.backend or self._named(),
            "error": self.error,
            "viewers": len(self._listeners),
            "held": self._held,
            "width": frame.width if frame else None,
            "height": frame.height if frame else None,
            "fps": round(self._rate(), 1),
            "starts": self.starts,
            "own_encoder": self._own_packets is not None and self._own_packets.taken,
            "hook": self._hook.status() if self._hook else None,
        }

    def _named(self) -> str | None:
        """What it is, before it was started for the first time."""
        try:
            self.backend = self._make_source().backend
        except CameraUnavailable as error:
            self.error = str(error)
        return self.backend

    async def wait_until_started(self, within_s: float) -> None:
        """Return when it gives pictures or has failed to, or after that time.

        How it is then stands in its status.
        """
        # One that has failed before is tried again first.
        run = self.starts + (self.state is not CameraState.STARTING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.latest is None and not self._gave_up(run):
                    self._entered.clear()
                    await self._entered.wait()

    def _gave_up(self, run: int) -> bool:
        """Whether this run has failed, counted by `starts`, or there will be none."""
        if self._keeper is None or self._keeper.done():
            return True
        return self.starts >= run and self.state not in (CameraState.STARTING, CameraState.RUNNING)

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
        self._unwanted = loop.call_later(self._timeouts.lingers_s, self._end_keeper)

    def _end_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()

    # ---- its life

    async def _keep(self, source: Source) -> None:
        """Run it until nobody wants it; start it again when it fails."""
        longest_s = self._timeouts.longest_pause_s
        backoff = Backoff(self._timeouts.first_pause_s, longest_s)
        try:
            while True:
                # Whoever kept it before may still be closing it.
                async with self._device:
                    error = await self._run(source)
                self.error = str(error)
                if isinstance(error, CameraUnavailable):
                    logger.error("No camera: %s", error)
                    self._enter(CameraState.UNAVAILABLE)
                    return
                if self._has_run_s() > longest_s:
                    backoff.reset()
                pause_s = backoff.pause_s()
                self._enter(CameraState.FAILED)
                logger.warning("The camera failed (%s): again in %g s", error, pause_s)
                await self._pause(pause_s)
                source = self._source()
        except CameraUnavailable as error:
            logger.error("No camera: %s", error)
        except asyncio.CancelledError:
            self._enter(CameraState.STOPPED)
            raise

    def _has_run_s(self) -> float:
        """For how long it delivers pictures."""
        running = self.state is CameraState.RUNNING
        return time.monotonic() - self._running_since_s if running else 0.0

    async def _pause(self, pause_s: float) -> None:
        """Wait, unless someone asks for it to be started."""
        self._asked_again.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._asked_again.wait()

    async def _run(self, source: Source) -> Exception:
        """One run of it; returns what it ended with."""
        self._enter(CameraState.STARTING)
        self.starts += 1
        timeouts = self._timeouts
        steps = [step.apply for step in (self._turning, self._hook) if step is not None]
        change = partial(_changed, steps)
        run = self._run_now = Run(source, change, self._arrived)
        if self._own_packets is not None:
            self._own_packets.attach(run)
        try:
            while not run.ended.done():
                delivers = self.state is CameraState.RUNNING
                limit_s = timeouts.silent_s if delivers else timeouts.opens_s
                left_s = run.delivered_s + limit_s - time.monotonic()
                if left_s <= 0:
                    return TimeoutError(f"it gave no picture for {limit_s:g} s")
                # Not for longer: with the first picture the limit becomes a shorter one.
                await asyncio.wait([run.ended], timeout=min(left_s, timeouts.silent_s / 3))
            return run.ended.result()
        finally:
            self.latest = self._run_now = None
            if self._own_packets is not None:
                self._own_packets.detach()
            await asyncio.shield(run.stop(timeouts.stops_s))

    def _arrived(self, capture: Capture) -> None:
        if self.state is not CameraState.RUNNING:
            self.error = None
            self._running_since_s = time.monotonic()
            self._enter(CameraState.RUNNING)
        self.latest = capture
        self._arrivals_s.append(time.monotonic())
        self._listeners.give(capture)

    def _enter(self, state: CameraState) -> None:
        if state is not self.state:
            self.state = state
            self._entered.set()
            logger.info("Camera: %s", state)


def _changed(steps: Sequence[Callable[[Capture], Capture]], capture: Capture) -> Capture:
    for step in steps:
        capture = step(capture)
    return capture
