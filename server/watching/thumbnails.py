"""Small pictures of sessions, one a second at most, however many look at them."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from server.camera.jpeg import JpegOptions, encode
from server.media.capture import Capture
from server.sessions.session import Session
from server.tasks import Tasks

OPTIONS = JpegOptions(width=320, quality=60)
# A little less than a second, for those who ask every second.
GOOD_FOR_S = 0.9
_COMES_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    made_s: float


class Thumbnails:
    """The newest small picture of each session that somebody looks at.

    Its worker shows one frame for it and stops again: to have it show all of them, thirty a second,
    would cost thirty times as much.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._running: dict[str, asyncio.Task[bytes | None]] = {}
        self._tasks = Tasks("thumbnails")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")

    async def of(self, session: Session) -> bytes | None:
        """A JPEG of what a session shows now; None if no frame comes."""
        kept = self._kept.get(session.sid)
        is_new = kept is not None and time.monotonic() - kept.made_s < GOOD_FOR_S
        if kept is not None and is_new and session.streaming:
            return kept.data
        if session.sid not in self._running:
            self._running[session.sid] = self._tasks.spawn(self._make(session), session.sid)
        # Others wait for it, too, when who asked first is gone.
        return await asyncio.shield(self._running[session.sid])

    async def close(self) -> None:
        """Make no more."""
        await self._tasks.cancel()
        self._thread.shutdown(wait=False)

    async def _make(self, session: Session) -> bytes | None:
        try:
            capture = await self._next(session)
            if capture is None:
                return None
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(self._thread, encode, capture.frame, OPTIONS)
            now_s = time.monotonic()
            self._forget_old(now_s)
            self._kept[session.sid] = _Kept(data, now_s)
            return data
        finally:
            del self._running[session.sid]

    async def _next(self, session: Session) -> Capture | None:
        if not session.streaming:
            return None
        shown: asyncio.Future[Capture] = asyncio.get_running_loop().create_future()

        def take(capture: Capture) -> None:
            if not shown.done():
                shown.set_result(capture)

        session.pictures.subscribe(take)
        try:
            return await asyncio.wait_for(shown, _COMES_WITHIN_S)
        except TimeoutError:
            return None
        finally:
            session.pictures.unsubscribe(take)

    def _forget_old(self, now_s: float) -> None:
        for sid in [sid for sid, kept in self._kept.items() if now_s - kept.made_s > GOOD_FOR_S]:
            del self._kept[sid]
