"""The newest frame of a session in its worker, whatever way frames come."""

from __future__ import annotations

import time
from collections.abc import Callable

from server.workers.lane_frame import LaneFrame
from server.workers.mailbox import MailboxReader

# A lane is not given a frame that is older when a newer one has arrived.
STALE_S = 0.150


class NewestFrame:
    """A slot for one frame, one object however many lanes look at it.

    Parameters
    ----------
    shown
        Is given each one.

    Attributes
    ----------
    frame
        The newest, however old it is.
    arrived
        Number of the last frame of a video that arrived and is wanted, decoded or not.
    """

    def __init__(self, shown: Callable[[LaneFrame], None]) -> None:
        self.frame: LaneFrame | None = None
        self.arrived = 0
        self._shown = shown
        self._mailbox: MailboxReader | None = None
        self._rung = False

    def ring(self, mailbox: str) -> bool:
        """There is a new one in the mailbox of this name; says whether that is there."""
        if self._mailbox is None or self._mailbox.name != mailbox:
            self.close()
            try:
                self._mailbox = MailboxReader(mailbox)
            except FileNotFoundError:
                # Already replaced by a larger one, whose own message follows.
                return False
        self._rung = True
        return True

    def put(self, frame: LaneFrame) -> None:
        """Take a newer one."""
        if self.frame is not None:
            self.frame.let_go()
        self.frame = frame
        self._shown(frame)

    def look(self, old_before_s: float) -> LaneFrame | None:
        """What a lane may be given: None while there is nothing, or nothing that is new enough.

        Parameters
        ----------
        old_before_s
            What came of a video before is not, by the clock of `FrameInfo.received_monotonic_s`.
        """
        if self._rung and self._mailbox is not None:
            self._rung = False
            if self.frame is not None:
                # What it shows of the mailbox is written over.
                self.frame.let_go()
            taken_s = time.monotonic()
            info, planes = self._mailbox.take()
            # Whoever is late to the first ring takes what the second one is for.
            if self.frame is None or info.number > self.frame.info.number:
                self.put(LaneFrame(info, planes, taken_s))
        if self.frame is None or self.frame.is_before(old_before_s) or self._is_overtaken():
            return None
        return self.frame

    def close(self) -> None:
        """Let go of the mailbox, if there is one."""
        if self._mailbox is not None:
            if self.frame is not None:
                self.frame.let_go()
            self._mailbox.close()
            self._mailbox = None

    def _is_overtaken(self) -> bool:
        """Whether it is old already, and another one is on its way to be decoded."""
        assert self.frame is not None
        if self.arrived <= self.frame.info.number:
            return False
        return time.monotonic() - self.frame.info.received_monotonic_s > STALE_S
