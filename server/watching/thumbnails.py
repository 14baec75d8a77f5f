"""Small pictures of sessions, one a second at most, however many look at them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from server.sessions.session import Session
from server.tasks import Tasks

# A little less than a second, for those who ask every second.
GOOD_FOR_S = 0.9
_COMES_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Kept:
    data: bytes
    made_s: float


class Thumbnails:
    """The newest small picture of each session that somebody looks at.

    Its worker makes it of the frame that it has decoded last, for those who analyze it: nothing is
    decoded, shown or copied for it.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._running: dict[str, asyncio.Task[bytes | None]] = {}
        self._tasks = Tasks("thumbnails")

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

    async def _make(self, session: Session) -> bytes | None:
        try:
            data = await self._shot(session)
            now_s = time.monotonic()
            self._forget_old(now_s)
            if data is not None:
                self._kept[session.sid] = _Kept(data, now_s)
            return data
        finally:
            del self._running[session.sid]

    async def _shot(self, session: Session) -> bytes | None:
        if not session.streaming:
            return None
        try:
            return await asyncio.wait_for(session.pictures.shoot(), _COMES_WITHIN_S)
        except TimeoutError:
            # Its worker was replaced meanwhile, or has much to do.
            return None

    def _forget_old(self, now_s: float) -> None:
        for sid in [sid for sid, kept in self._kept.items() if now_s - kept.made_s > GOOD_FOR_S]:
            del self._kept[sid]
