"""What ties a session to the worker that it is pinned to: a mailbox for frames, and messages."""

from __future__ import annotations

import av

from analyzers.compact import Form
from server.workers.mailbox import FrameInfo, MailboxWriter
from server.workers.messages import FrameAvailable, Start, Write
from server.workers.pool import PinnedSession, WorkerHandle, WorkerPool

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
    """

    def __init__(self, pool: WorkerPool, session: PinnedSession) -> None:
        self._pool = pool
        self._session = session
        self._worker: WorkerHandle | None = None
        self._is_started = False
        self._forms = _AT_FIRST
        self._mailbox = MailboxWriter()

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

    def tell(self, message: object) -> None:
        """Send a message, once the worker knows of the session."""
        if self._is_started and self._worker is not None:
            self._worker.send(message)

    def write(self, forms: frozenset[Form]) -> None:
        """Say in which forms results are wanted, if the worker does not know."""
        if self._is_started and forms != self._forms:
            self._forms = forms
            self.tell(Write(self._session.sid, forms))

    def put(self, frame: av.VideoFrame, info: FrameInfo) -> None:
        """Give it a decoded frame, yuv420p, in place of one that still waits."""
        self._mailbox.put(frame, info)
        self.ring()

    def put_encoded(self, data: bytes, info: FrameInfo) -> None:
        """Give it a frame that came as a picture, in place of one that still waits."""
        self._mailbox.put_encoded(data, info)
        self.ring()

    def ring(self) -> None:
        """Say that a frame waits, if one does."""
        if self._mailbox.name is not None:
            self.tell(FrameAvailable(self._session.sid, self._mailbox.name))

    def give_memory_back(self) -> None:
        """No frame comes for now."""
        self._mailbox.close()

    def release(self) -> None:
        """The session has ended."""
        self.give_memory_back()
        if self._worker is not None:
            self._pool.release(self._worker, self._session.sid)
