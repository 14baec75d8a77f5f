"""The exercise in a video file: its frames through a session, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from server.media.clock import TrackClock
from server.search.isolated import IsolatedVideo
from server.search.look_ahead import look_at_each
from server.search.video import SampledFrame
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from server.sources.errors import SourceError
from signaling.errors import Busy, NotFound

ANALYZERS = ("pose", "exercise")
# Exercises are recognised by their pace, for which so many are enough.
LOOKS_HZ = 15.0
MAX_S = 180.0
# A worker that is replaced meanwhile, and loads its networks, takes some seconds.
_ANSWER_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class VideoAnalysis:
    """What is done in a video.

    Attributes
    ----------
    final
        The session's final result, with `exercise`, `score` and `exercise_summary`.
    frames, with_pose
        Frames that were looked at, and those with somebody in them.
    duration_s
        Of the video.
    """

    final: dict[str, Any]
    frames: int
    with_pose: int
    duration_s: float


async def analyze(
    sessions: SessionManager, path: Path, *, max_pixels: int, owner: str | None
) -> VideoAnalysis:
    """Have a video analyzed, as fast as the machine allows. May be cancelled.

    Raises
    ------
    SourceError
        It is no video that can be read, or is longer than `MAX_S`.
    SignalingError
        As `SessionManager.open_direct`; or no worker had an answer in time (503).
    """
    threads = ThreadPoolExecutor(1, thread_name_prefix="exercise video")
    stop = threading.Event()
    loop = asyncio.get_running_loop()
    try:
        video = await loop.run_in_executor(threads, IsolatedVideo.read, path, max_pixels, stop)
        if video.duration_s > MAX_S:
            raise SourceError(f"it lasts {video.duration_s:.0f} s: at most {MAX_S:.0f} s are taken")
        scan = _Scan(sessions, owner)
        try:
            frames = video.decode(video.split(1)[0], video.sample(LOOKS_HZ))
            await look_at_each(threads, frames, scan.look, stop)
        finally:
            final = await scan.close()
        return VideoAnalysis(final, scan.frames, scan.with_pose, video.duration_s)
    finally:
        stop.set()
        threads.shutdown(wait=False)


class _Scan:
    """A session that is shown one frame after the other; its sink."""

    def __init__(self, sessions: SessionManager, owner: str | None) -> None:
        self.frames = self.with_pose = 0
        self._sessions = sessions
        self._session = sessions.open_direct(ANALYZERS, {}, owner, internal=True)
        self._clock = TrackClock(self._session.clock)
        self._number = 0
        self._answered = asyncio.Event()
        self._over = False
        self._session.subscribers.add_sink(self)

    async def look(self, frame: SampledFrame) -> None:
        """Wait until a frame was looked at.

        Raises
        ------
        Busy
            It was not.
        """
        self._answered.clear()
        try:
            self._session.intake.put_frame(frame.picture, self._clock)
            self._number = self._session.frames_in
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                await self._answered.wait()
        except TimeoutError:
            raise Busy("no worker had an answer in time", retry_after_s=5) from None
        except OSError:
            raise Busy("there is no memory left for a frame", retry_after_s=5) from None
        if self._over:
            raise Busy("the session was ended before its video was over", retry_after_s=1)

    async def close(self) -> dict[str, Any]:
        """End the session; returns its final result."""
        with contextlib.suppress(NotFound):
            await self._sessions.end(self._session.sid, "its video is over")
        last = self._session.last
        return orjson.loads(last.encode()) if last is not None else {}

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """Count an answer."""
        if result.frame is None or result.frame.number != self._number:
            return
        self.frames += 1
        self.with_pose += result.fragments.get("has_pose") == b"true"
        self._answered.set()

    def notice(self, message: dict[str, Any]) -> None:
        """An analyzer that fails on a frame says nothing of it; the others go on."""

    def final(self, result: Result) -> None:
        """Somebody else, or the server's end, has ended it."""
        self._over = True
        self._answered.set()
