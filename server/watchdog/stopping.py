"""How this process is asked to end: now, or, as one of several nodes, once its sessions have gone.

SIGTERM has a node drain; another one, or SIGINT, has it end as any server does. Who asks for that a
second time gets it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal

logger = logging.getLogger(__name__)

# `pkill` and some units signal every process, and the supervisor passes its own on: that is once.
ASKED_AGAIN_AFTER_S = 0.5


class Stopping:
    """Listens to signals, on the running event loop.

    Parameters
    ----------
    drains
        Whether SIGTERM asks for draining first.

    Attributes
    ----------
    begun
        Done when it is to end, in whatever way.
    now
        Done when it is not to wait for sessions to go elsewhere.
    """

    def __init__(self, *, drains: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.now: asyncio.Future[None] = self._loop.create_future()
        self._drains = drains
        self._drain_s = self._asked_s = float("inf")
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._take, number)

    def request(self) -> None:
        """End, without waiting for anything."""
        for each in (self.begun, self.now):
            if not each.done():
                each.set_result(None)

    def _take(self, number: int) -> None:
        now_s = self._loop.time()
        if number == signal.SIGTERM and self._drains:
            if not self.begun.done():
                self._drain_s = now_s
                self.begun.set_result(None)
                return
            if now_s - self._drain_s <= ASKED_AGAIN_AFTER_S:
                return
        if now_s - self._asked_s > ASKED_AGAIN_AFTER_S:
            logger.warning("Stopped at once, as asked a second time")
            os._exit(1)
        self._asked_s = min(self._asked_s, now_s)
        self.request()


def ignore_from_now_on(loop: asyncio.AbstractEventLoop) -> None:
    """Let no signal kill a process that has ended in order, and only goes.

    A loop that is closed gives signals their own meaning back. The supervisor passes its own on,
    which may come as late as then.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
