"""A session's frames as pictures, from its worker: as they are, or with what was found drawn in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import av

from server.media.capture import Capture, Listener, Listeners
from server.workers.mailbox import MailboxReader
from server.workers.messages import Draw, Shoot


class ShownFrames:
    """What a session's worker decodes or draws, while somebody watches.

    Parameters
    ----------
    sid
        The session's id.
    send
        Takes messages for its worker; before that knows of the session, it drops them.
    annotated
        Whether what was found is drawn in.
    """

    def __init__(self, sid: str, send: Callable[[object], None], *, annotated: bool) -> None:
        self._sid = sid
        self._annotated = annotated
        self._send = send
        self._listeners = Listeners()
        self._mailbox: MailboxReader | None = None
        self._shown = 0
        self._shot: asyncio.Future[bytes | None] | None = None

    def subscribe(self, listener: Listener) -> None:
        """Give every frame to someone, on the event loop."""
        self._listeners.append(listener)
        if len(self._listeners) == 1:
            self.ask()

    def unsubscribe(self, listener: Listener) -> None:
        """Give them no more; with the last one, showing ends."""
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        if not self._listeners:
            self._send(Draw(self._sid, False, self._annotated))
            self._let_go()

    @property
    def is_watched(self) -> bool:
        """Whether somebody wants them."""
        return bool(self._listeners)

    # ---- for the session

    def ask(self) -> None:
        """Have the worker show them, if anybody watches; a new one has to be asked again."""
        if self._listeners:
            self._send(Draw(self._sid, True, self._annotated))
        if self._shot is not None and not self._shot.done():
            self._send(Shoot(self._sid))

    async def shoot(self) -> bytes | None:
        """A small JPEG of the newest frame; None if none came lately. A worker may start first."""
        if self._shot is None or self._shot.done():
            self._shot = asyncio.get_running_loop().create_future()
            self._send(Shoot(self._sid))
        return await asyncio.shield(self._shot)

    def take(self, mailbox: str, small: bytes | None = None) -> None:
        """Show the newest frame of a mailbox of the worker's, or take what `shoot` waits for.

        A frame that was skipped in favour of a newer one is announced all the same.
        """
        if small is not None:
            if self._shot is not None and not self._shot.done():
                self._shot.set_result(small or None)
            return
        capture = self._newest() if self._listeners and self._open(mailbox) else None
        if capture is not None:
            self._listeners.give(capture)

    def close(self) -> None:
        """The session is over."""
        self._listeners.clear()
        self._let_go()
        if self._shot is not None and not self._shot.done():
            self._shot.set_result(None)

    def _open(self, mailbox: str) -> bool:
        if self._mailbox is None or self._mailbox.name != mailbox:
            self._let_go()
            try:
                self._mailbox = MailboxReader(mailbox)
            except FileNotFoundError:
                # Already replaced by a larger one, or its worker is dead.
                return False
        return True

    def _newest(self) -> Capture | None:
        """The frame in the mailbox, unless it was shown already."""
        assert self._mailbox is not None
        info, planes = self._mailbox.take()
        if info.number <= self._shown:
            return None
        self._shown = info.number
        # A copy: encoders are still at it when the mailbox is read again.
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        return Capture(frame, info.received_monotonic_s)

    def _let_go(self) -> None:
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None
