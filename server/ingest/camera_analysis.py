"""The camera as a session of its own: analyzed like a publisher's video, under the name camera."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av

from server.backoff import Backoff
from server.camera.camera import Camera
from server.camera.source import CameraUnavailable
from server.media.capture import Capture, Listener, analyzed_size
from server.media.clock import TrackClock
from server.media.convert import PICTURE_FORMAT, as_i420
from server.media.encoder import TIME_BASE, VIDEO_CLOCK_HZ
from server.media.newest import NewestWork
from server.sessions.manager import SessionManager
from server.sessions.session import Session
from server.sources.reader import RateLimit
from server.tasks import Tasks
from signaling.errors import Busy, Conflict, SignalingError

logger = logging.getLogger(__name__)

NAME = "camera"
BY_REQUEST = "ended over HTTP"
"""Why a session ends that a client asked to end."""
FIRST_PAUSE_S = 1.0
RETRY_AFTER_S = 5


class CameraAnalysis:
    """One session at a time that is fed by the camera.

    Parameters
    ----------
    camera
        Runs while it is analyzed.
    sessions
        Where the session is opened, and ended.
    first_pause_s
        Before it is tried again, where it is kept; twice as long each time.
    """

    def __init__(
        self, camera: Camera, sessions: SessionManager, first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._first_pause_s = first_pause_s
        self._camera = camera
        self._sessions = sessions
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="analyzed camera")
        self._tasks = Tasks("camera analysis")

    def start(
        self,
        analyzers: Sequence[str] | None = None,
        options: dict[str, dict[str, Any]] | None = None,
        owner: str | None = None,
        *,
        looks_hz: float | None = None,
    ) -> Session:
        """Have the camera analyzed, until the session is ended.

        Parameters
        ----------
        analyzers
            By their names; None has all that there are.
        options
            For each of them, by name.
        owner
            The subject of whoever asks for it.
        looks_hz
            How often, at most, for the server's own purposes: beside the one that is published as
            the camera, and not recorded as a session. None analyzes every picture, and publishes.

        Raises
        ------
        Conflict
            It is analyzed and published already.
        Busy
            There is no camera, or no room for a session.
        BadMessage
            This server has no such analyzer.
        """
        is_public = looks_hz is None
        running = self._sessions.known.published(NAME)
        if is_public and running is not None:
            raise Conflict(
                f"the camera is analyzed already: DELETE /sessions/{running.sid} ends that"
            )
        session = self._sessions.open_direct(
            *(analyzers, options, owner),
            internal=not is_public,
            name=NAME if is_public else None,
        )
        feed = functools.partial(self._feed, session, TrackClock(session.clock))
        newest = NewestWork(feed, "have the camera's picture analyzed")
        take = _thinned(newest.put, looks_hz)
        try:
            self._camera.subscribe(take)
        except CameraUnavailable as error:
            self._tasks.spawn(self._sessions.end(session.sid, "there is no camera"), "end")
            raise Busy(f"no camera: {error}", retry_after_s=RETRY_AFTER_S) from error
        self._tasks.spawn(self._let_go(session, newest, take), f"of {session.sid}")
        return session

    async def _feed(self, session: Session, clock: TrackClock, capture: Capture) -> None:
        loop = asyncio.get_running_loop()
        frame = await loop.run_in_executor(self._thread, _as_analyzed, capture)
        session.intake.put_frame(frame, clock)

    async def _let_go(self, session: Session, newest: NewestWork[Capture], take: Listener) -> None:
        try:
            await session.ended.wait()
        finally:
            self._camera.unsubscribe(take)
            newest.close()

    def keep(self, ready: asyncio.Event) -> None:
        """Have it analyzed from now on, until somebody ends that on purpose.

        Parameters
        ----------
        ready
            Set when the analyzers are loaded.
        """
        self._tasks.spawn(self._keep(ready), "keep")

    async def _keep(self, ready: asyncio.Event) -> None:
        await ready.wait()
        backoff = Backoff(self._first_pause_s)
        while True:
            try:
                session = self.start()
            except SignalingError as error:
                logger.warning("The camera is not analyzed: %s", error.message)
                await asyncio.sleep(backoff.pause_s())
                continue
            backoff.reset()
            await session.ended.wait()
            if session.end_reason == BY_REQUEST:
                return
            await asyncio.sleep(self._first_pause_s)

    async def close(self) -> None:
        """Analyze no more; the session is ended by whoever has them all."""
        await self._tasks.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)


def _thinned(take: Listener, looks_hz: float | None) -> Listener:
    """The same listener, given so many pictures a second at most."""
    if looks_hz is None:
        return take
    limit = RateLimit(looks_hz)

    def thinned(capture: Capture) -> None:
        if limit.allow(time.monotonic()):
            take(capture)

    return thinned


def _as_analyzed(capture: Capture) -> av.VideoFrame:
    """A small frame of its own, with its time: others look at the camera's at the same time."""
    source = capture.small or capture.frame
    frame = as_i420(source, *analyzed_size(source.width, source.height))
    if frame is source:
        frame = av.VideoFrame.from_ndarray(source.to_ndarray(), format=PICTURE_FORMAT)
    frame.pts, frame.time_base = int(capture.captured_s * VIDEO_CLOCK_HZ), TIME_BASE
    return frame
