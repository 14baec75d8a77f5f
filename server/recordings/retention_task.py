"""Sees to it that recordings have room, and that those go which are too old or too much."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from server.recordings.active_recording import ActiveRecording
from server.recordings.dates import Dates
from server.recordings.folder import Folder
from server.recordings.retention import Retention, room_for

logger = logging.getLogger(__name__)

_LOOKS_EVERY_S = 60.0
# What a writer waits for more room; meanwhile its packets wait, too.
_ROOM_WITHIN_S = 5.0


class RetentionTask:
    """Retention, as time goes on and recordings grow.

    Parameters
    ----------
    folder
        What is kept.
    retention
        For how long, and how much.
    dates
        How old each is.
    running
        What runs, by name.
    thread
        Where the directory is read and changed.
    elsewhere
        How many recordings of other nodes grow into the same room.
    """

    def __init__(
        self,
        folder: Folder,
        retention: Retention,
        dates: Dates,
        running: Mapping[str, ActiveRecording],
        thread: Executor,
        elsewhere: Callable[[], int] = lambda: 0,
    ) -> None:
        self._folder = folder
        self._retention = retention
        self._dates = dates
        self._running = running
        self._thread = thread
        self._elsewhere = elsewhere
        self._loop = asyncio.get_running_loop()
        self._began = asyncio.Event()

    def notice(self) -> None:
        """A recording has begun."""
        self._began.set()

    async def keep(self) -> None:
        """Go on for ever."""
        while True:
            self._began.clear()
            try:
                await self.make_room()
            except OSError:
                logger.exception("Recordings could not be looked through")
            # Unlike wait_for, this can be cancelled in the moment in which the event is set.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOKS_EVERY_S):
                    await self._began.wait()

    async def make_room(self, *, begins: bool = False) -> int | None:
        """Delete what has to go; what runs may grow into the rest.

        Parameters
        ----------
        begins
            Whether one more is to begin.

        Returns
        -------
        The bytes that are left; None without a limit.

        Raises
        ------
        InsufficientStorage
            There is too little for the one that is to begin.
        """
        running = dict(self._running)
        sizes = {name: active.segment.writer.bytes_written for name, active in running.items()}
        room = await self._loop.run_in_executor(
            self._thread, room_for, self._folder, self._retention, self._dates, sizes, begins
        )
        sharing = len(running) + self._elsewhere()
        for name, active in running.items():
            # A segment may have ended meanwhile, and the next one begun.
            if room is not None and active.segment.name == name:
                active.segment.writer.limit_bytes = sizes[name] + room // sharing
        return room

    def make_room_now(self) -> None:
        """The same, for a writer that has reached its limit: on its thread, which waits."""
        with contextlib.suppress(TimeoutError, RuntimeError, OSError):
            # Without a running loop, the server is gone.
            made = asyncio.run_coroutine_threadsafe(self.make_room(), self._loop)
            made.result(_ROOM_WITHIN_S)
