"""All recordings: those that run, and those that are kept."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from server.broadcast.viewer import Viewer
from server.recordings import names
from server.recordings.active_recording import ActiveRecording, Segment
from server.recordings.dates import Dates
from server.recordings.errors import InsufficientStorage
from server.recordings.folder import Folder, NameTaken
from server.recordings.movie import PictureSizeChanged
from server.recordings.packet_backlog import Packets
from server.recordings.retention import Retention
from server.recordings.retention_task import RetentionTask
from server.recordings.status import RecordingNote, RecordingStatus, State
from server.tasks import Tasks
from signaling.errors import Busy, Conflict, NotAllowed, NotFound, SignalingError

logger = logging.getLogger(__name__)

# Whoever publishes decides how often the size of the picture changes.
MAX_SEGMENTS = 100
# A disk that no longer answers must not hold up the server's end, or a client, for ever.
CLOSES_WITHIN_S = 10.0
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RETRY_AFTER_S = 30
_SERVER_STOPPED = "the server was stopped"

_T = TypeVar("_T")


class Recordings:
    """Records, and keeps what was recorded for a time.

    Parameters
    ----------
    folder
        Where.
    retention
        For how long, and how much.
    max_running
        At once.
    on_closed
        Told of each that has ended.

    Attributes
    ----------
    elsewhere
        How many run at other nodes, and count as well.
    """

    def __init__(
        self,
        folder: Folder,
        retention: Retention,
        max_running: int,
        on_closed: Callable[[RecordingStatus], None] = lambda _: None,
    ) -> None:
        self._on_closed = on_closed
        self.elsewhere: Callable[[], int] = lambda: 0
        self._folder = folder
        self._max_running = max_running
        self._running: dict[str, ActiveRecording] = {}
        self._starting = 0
        self._closed = False
        self._tasks = Tasks("recordings")
        self._keeping: asyncio.Task[None] | None = None
        # One: what one request finds in the directory is not changed by another meanwhile.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        self._dates = Dates()
        self._retention_task = RetentionTask(
            *(folder, retention, self._dates, self._running, self._thread),
            lambda: self.elsewhere(),
        )

    def open(self) -> None:
        """Begin to delete what is too old or too much."""
        self._keeping = self._tasks.spawn(self._retention_task.keep(), "retention")

    async def close(self) -> None:
        """Finish all that run."""
        self._closed = True
        if self._keeping is not None:
            self._keeping.cancel()
        for active in list(self._running.values()):
            active.stop(_SERVER_STOPPED)
        try:
            await asyncio.wait_for(self._tasks.join(), CLOSES_WITHIN_S)
        except TimeoutError:
            logger.error("Recordings were not finished within %.0f s", CLOSES_WITHIN_S)
        self._thread.shutdown(wait=False)

    @property
    def running(self) -> list[str]:
        """Names of those that are being written."""
        return list(self._running)

    async def start(
        self, source: str, watch: Callable[[], Viewer], name: str | None, seconds: float
    ) -> RecordingStatus:
        """Begin a recording.

        Parameters
        ----------
        source
            What is recorded.
        watch
            Joins its viewers.
        name
            What it is to be called; None for a name of the source and the time.
        seconds
            After so many it ends by itself.

        Raises
        ------
        Busy
            Enough are running, or the directory can not be written into.
        Conflict
            There is one of that name.
        InsufficientStorage
            There is no room.
        """
        running = len(self._running) + self._starting + self.elsewhere()
        if self._closed or running >= self._max_running:
            raise Busy(
                f"{self._max_running} recordings are running (--max-recordings): stop one first",
                retry_after_s=_RETRY_AFTER_S,
            )
        self._starting += 1
        try:
            room = await self._retention_task.make_room(begins=True)
            packets = Packets()
            viewer = watch()
            try:
                segment = await self._begin(source, name, packets)
            except BaseException:
                viewer.leave()
                raise
        finally:
            self._starting -= 1
        if room is not None:
            segment.writer.limit_bytes = room // (len(self._running) + 1 + self.elsewhere())
        active = self._running[segment.name] = ActiveRecording(source, viewer, packets, segment)
        self._tasks.spawn(self._record(active, seconds), segment.name)
        self._retention_task.notice()
        if self._closed:
            active.stop(_SERVER_STOPPED)
        logger.info("Recording %s as %s", source, segment.name)
        return segment.status()

    def is_running(self, name: str) -> bool:
        """Whether there is one of this name that has not ended."""
        return name in self._running

    async def stop(self, name: str) -> RecordingStatus:
        """End a recording and keep it; one that has ended stays as it is.

        Raises
        ------
        NotFound
            There is none of that name.
        """
        if active := self._running.get(name):
            segment = active.segment
            active.stop()
            await asyncio.wait({segment.over}, timeout=CLOSES_WITHIN_S)
            return segment.over.result() if segment.over.done() else segment.status()
        return await self._find(name)

    async def remove(self, name: str) -> RecordingStatus:
        """Delete a recording that has ended.

        Raises
        ------
        NotFound
            There is none of that name.
        Conflict
            It is running.
        """
        status = await self._find(name)
        if name in self._running or status.state is State.RECORDING:
            raise Conflict(f"{name} is being recorded: stop it first, by DELETE without file=1")
        await self._in_thread(self._folder.remove, name)
        return status

    async def all(self) -> list[RecordingStatus]:
        """Every recording, oldest first."""
        kept = await self._in_thread(self._folder.all)
        return [self._now(status) for status in kept]

    async def open_file(self, name: str) -> int:
        """Open a recording's file, to be sent out.

        Returns
        -------
        A descriptor, for reading.

        Raises
        ------
        NotFound
            There is no such recording, or nothing in it.
        NotAllowed
            What lies there under its name is not ours alone.
        """
        status = await self._find(name)
        if not status.bytes:
            raise NotFound(f"there is no picture in {name}" + _because(status.error))
        try:
            return await self._in_thread(self._folder.open_movie, name)
        except PermissionError as error:
            raise NotAllowed(f"it is not sent out: {error}") from error
        except OSError as error:
            raise NotFound(f"there is no file of {name} any more") from error

    # ---- one recording

    async def _begin(self, source: str, name: str | None, packets: Packets) -> Segment:
        """Open a file; what has a name of its own gets a number when that is taken."""
        now = datetime.now(UTC)
        asked_for, number = name, 1
        while True:
            wanted = asked_for or names.numbered(names.default_name(source, now), number)
            try:
                return await self._create(source, wanted, packets, now)
            except NameTaken:
                number += 1
                if asked_for is not None:
                    raise Conflict(
                        f"there is something called {asked_for}: choose another name, or remove"
                        f" it by DELETE /recordings/{asked_for}?file=1"
                    ) from None

    async def _create(self, source: str, name: str, packets: Packets, now: datetime) -> Segment:
        begun = RecordingNote(
            name=name,
            source=source,
            state=State.RECORDING,
            started_at=int(now.timestamp() * 1000),
            seconds=0.0,
            bytes=0,
            frames=0,
            skipped=0,
            error=None,
            began=self._dates.began(),
        )
        try:
            file = await self._in_thread(self._folder.create, begun)
        except OSError as error:
            logger.error("Nothing can be recorded: %s", error)
            why = f"nothing can be recorded to {self._folder.path}: {error.strerror or error}"
            if error.errno in _DISK_FULL:
                raise InsufficientStorage(why) from error
            raise Busy(why, retry_after_s=_RETRY_AFTER_S) from error
        return Segment(begun, file, packets, self._retention_task.make_room_now)

    async def _record(self, active: ActiveRecording, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, active.stop)
        try:
            active.begin()
            while True:
                segment = active.segment
                await segment.closed.wait()
                following = await self._following(active)
                await self._end(active, segment, following)
                if following is None:
                    return
                active.segment = following
                self._running[following.name] = active
                self._retention_task.notice()
        finally:
            timer.cancel()
            active.stop()
            self._running.pop(active.segment.name, None)
            if not active.segment.over.done():
                active.segment.over.set_result(
                    active.segment.status(State.FAILED, "a fault of the server's")
                )

    async def _following(self, active: ActiveRecording) -> Segment | None:
        """The file in which it goes on, when the picture's size has changed."""
        changed = active.segment.writer.refused
        if not isinstance(changed, PictureSizeChanged) or active.stopped:
            return None
        for number in range(2, MAX_SEGMENTS + 1):
            name = names.numbered(active.name, number)
            try:
                return await self._create(active.source, name, active.packets, datetime.now(UTC))
            except NameTaken:
                continue
            except SignalingError as error:
                active.reason = f"{changed}, and {error.message}"
                return None
        active.reason = f"{changed}, and there are {MAX_SEGMENTS} files of it already"
        return None

    async def _end(
        self, active: ActiveRecording, segment: Segment, following: Segment | None
    ) -> None:
        status = segment.status_at_end(active.reason, following.name if following else None)
        if not status.frames:
            await self._in_thread(self._folder.drop_empty, segment.name)
        try:
            await self._in_thread(self._folder.note, status)
        except OSError as unwritten:
            logger.error("What is known of %s can not be kept: %s", segment.name, unwritten)
        del self._running[segment.name]
        segment.over.set_result(status)
        self._on_closed(status)
        logger.info(
            "Recording %s ended (%d frames)%s", segment.name, status.frames, _because(status.error)
        )
        await self._retention_task.make_room()

    async def _find(self, name: str) -> RecordingStatus:
        status = await self._in_thread(self._folder.find, name)
        if status is None:
            raise NotFound(f"there is no recording called {name}: GET /recordings lists them")
        return self._now(status)

    def _now(self, status: RecordingStatus) -> RecordingStatus:
        """What is known of a recording that may be running."""
        active = self._running.get(status.name)
        return active.segment.status() if active else status

    async def _in_thread(self, call: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


def _because(error: str | None) -> str:
    return f": {error}" if error else ""
