"""What ties a session to the worker that it is pinned to: frames on their way, and messages."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

import av

from analyzers.compact import Form
from server.workers.mailbox import FrameInfo, MailboxWriter
from server.workers.messages import (
    MAX_LAG_S,
    EncodedInput,
    End,
    Final,
    FrameAvailable,
    Memory,
    Start,
    Write,
)
from server.workers.pool import (
    ANSWER_WITHIN_S,
    LAGS_AFTER_S,
    PinnedSession,
    WorkerHandle,
    WorkerPool,
)

logger = logging.getLogger(__name__)

# A sender that does not give the key frame that it is asked for within this time will not.
DAMAGED_AFTER_S = 3.0
# A lane may be in the middle of a frame when the end is asked for, or the worker may still load.
# One that is stuck is found out before this, and the last known values go out instead.
FINAL_WITHIN_S = ANSWER_WITHIN_S + 3.0
# What a worker writes before it is told.
_AT_FIRST = frozenset({Form.JSON})


class WorkerLink:
    """One session's side of it.

    Parameters
    ----------
    pool
        Chooses the worker, and replaces it.
    session
        Is told what the worker says.
    request_key_frame
        Asks whoever sends the session's video for a key frame; called until one comes. Returns
        whether there is anybody to ask.
    """

    def __init__(
        self, pool: WorkerPool, session: PinnedSession, request_key_frame: Callable[[], bool]
    ) -> None:
        self._pool = pool
        self._session = session
        self._request_key_frame = request_key_frame
        self._worker: WorkerHandle | None = None
        self._is_started = False
        self._forms = _AT_FIRST
        self._mailbox = MailboxWriter()
        self.wants_all = False
        """Whether analyzers are to see every frame: those may wait, and none is left out."""
        self._final: Final | None = None
        self._has_final = asyncio.Event()
        self._needs_key_frame = True
        self._asks_since_s: float | None = None
        self._picture: EncodedInput | None = None
        """The newest one, for a worker that starts later."""

    @property
    def index(self) -> int | None:
        """Which worker it is; None before there is one."""
        return self._worker.index if self._worker else None

    def pin(self) -> bool:
        """Choose a worker; returns whether it is ready for the session's start."""
        self._worker = self._pool.assign(self._session)
        return self._worker.ready

    def start(self, message: Start) -> None:
        """Tell the worker of the session: from now on it hears the rest."""
        self._is_started = True
        self._forms = _AT_FIRST
        self.tell(message)

    def was_replaced(self) -> None:
        """The worker knows nothing of the session any more."""
        self._is_started = False
        self._needs_key_frame = True

    def tell(self, message: object) -> None:
        """Send a message, once the worker knows of the session."""
        if self._is_started and self._worker is not None:
            self._worker.send(message)

    def write(self, forms: frozenset[Form]) -> None:
        """Say in which forms results are wanted, if the worker does not know."""
        if self._is_started and forms != self._forms:
            self._forms = forms
            self.tell(Write(self._session.sid, forms))

    # ---- frames

    def put(self, frame: av.VideoFrame, info: FrameInfo) -> None:
        """Give it a raw frame, yuv420p, in place of one that still waits."""
        self._mailbox.put(frame, info)
        self._ring()

    def put_picture(self, picture: EncodedInput) -> bool:
        """Give it a frame that came as a picture, in place of one that still waits.

        Returns
        -------
        False where so much waits for the worker that this one is left out.
        """
        if self._worker is not None and self._worker.is_full:
            return False
        self._picture = picture
        self.tell(picture)
        return True

    def put_video(self, frame: EncodedInput) -> None:
        """Give it a video's next frame.

        Where the worker does not take what it is sent, frames are left out up to the next key
        frame: what waits for a worker that stands still is old when it goes on. Some senders give
        no key frame when they are asked; their video goes on as it is, damaged. That of a file has
        its key frames where it has them.
        """
        now_s = time.monotonic()
        if self._worker is None or not self._is_started:
            self._needs_key_frame = True
        elif self._worker.lags(now_s, MAX_LAG_S if self.wants_all else LAGS_AFTER_S):
            if not self._needs_key_frame:
                logger.info("Session %s: its worker lags, frames are left out", self._session.sid)
            # None is asked for: it would be left out, too.
            self._needs_key_frame = True
        elif frame.is_key_frame or not self._needs_key_frame:
            self._needs_key_frame = False
            if frame.is_key_frame:
                self._asks_since_s = None
            self.tell(frame)
        elif self._asks_since_s is None or now_s - self._asks_since_s < DAMAGED_AFTER_S:
            if self._request_key_frame():
                self._asks_since_s = self._asks_since_s or now_s
        else:
            self.tell(replace(frame, is_damaged=True))

    def need_key_frame(self) -> None:
        """The worker can not decode what builds on the frames that it had."""
        now_s = time.monotonic()
        asks_since_s = self._asks_since_s or now_s
        # Those that see every frame decode for themselves, and lack nothing.
        if not self.wants_all or now_s - asks_since_s >= DAMAGED_AFTER_S:
            self._needs_key_frame = True
        if self._request_key_frame():
            self._asks_since_s = asks_since_s

    def show_newest(self) -> None:
        """Have a worker that has just started see what there is."""
        if self._picture is not None:
            self.tell(self._picture)
        self._ring()

    def _ring(self) -> None:
        """Say that a frame waits in the mailbox, if one does."""
        if self._mailbox.name is not None:
            self.tell(FrameAvailable(self._session.sid, self._mailbox.name))

    # ---- the end

    async def end(self, at_ms: float, *, moves: bool = False) -> Final:
        """End the analyzers; returns what they say last, nothing if they do not in time.

        Parameters
        ----------
        at_ms
            Since the session's first frame.
        moves
            Whether another worker is to go on with what they know.
        """
        if self._worker is None or (moves and not self._is_started):
            # There is nothing that it would know.
            return Final(self._session.sid, memory=Memory())
        self.tell(End(self._session.sid, at_ms, moves))
        try:
            await asyncio.wait_for(self._has_final.wait(), FINAL_WITHIN_S)
        except TimeoutError:
            logger.warning("Session %s: no final result from its worker in time", self._session.sid)
        return self._final or Final(self._session.sid)

    def take_final(self, final: Final) -> None:
        """Take what the analyzers say last; of two the first."""
        self._final = self._final or final
        self._has_final.set()

    def give_memory_back(self) -> None:
        """No frame comes for now."""
        self._mailbox.close()
        self._picture = None

    def release(self) -> None:
        """The session has ended."""
        self.give_memory_back()
        if self._worker is not None:
            self._pool.release(self._worker, self._session.sid)
