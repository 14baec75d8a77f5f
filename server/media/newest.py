"""Where things come faster than they are taken, the newest replaces the one that waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class NewestWork(Generic[T]):
    """Works on one thing at a time, on the event loop; meanwhile only the newest other one waits.

    Parameters
    ----------
    work
        Done with each. What it raises is logged, and ends the work on that one thing only.
    name
        Of its task; also in the log.
    """

    def __init__(self, work: Callable[[T], Awaitable[None]], name: str) -> None:
        self._work = work
        self._name = name
        self._waiting: deque[T] = deque(maxlen=1)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, item: T) -> None:
        """Have this worked on next."""
        self._waiting.append(item)
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work_all(), name=self._name)

    def close(self) -> None:
        """Work on nothing any more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def _work_all(self) -> None:
        while self._waiting:
            try:
                await self._work(self._waiting.pop())
            except Exception:
                logger.exception("It failed to %s", self._name)


class NewestOnLoop(Generic[T]):
    """Hands things from a thread to the event loop. When that is behind, only the newest one waits.

    On the loop, `take` gets them; `call_on_loop` calls something there, from any thread.
    """

    def __init__(
        self, call_on_loop: Callable[[Callable[[], None]], object], take: Callable[[T], None]
    ) -> None:
        self._call_on_loop = call_on_loop
        self._take = take
        # Its append and pop are atomic: neither thread waits for the other.
        self._waiting: deque[T] = deque(maxlen=1)

    def put(self, item: T) -> None:
        """Hand this over, on the thread."""
        self._waiting.append(item)
        self._call_on_loop(self._hand_over)

    def _hand_over(self) -> None:
        # Each is announced, also one that was replaced.
        if self._waiting:
            self._take(self._waiting.pop())
