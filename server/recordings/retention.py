"""How much room recordings may take, and which have to go."""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from server.recordings.dates import Dates, uptime_s
from server.recordings.errors import InsufficientStorage
from server.recordings.folder import Folder
from server.recordings.status import RecordingNote, RecordingStatus, State

logger = logging.getLogger(__name__)

QUOTA_FULL = "the recordings' quota (--recordings-quota) is used up, and nothing is left to delete"

# With less on the disk, nothing is begun.
_LEAST_FREE_BYTES = 2**20
_MS_PER_DAY = 86_400_000
# What is freed at once for those that run, which is what eight of 4 Mb/s write in eight seconds.
_MOST_FREE = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of finished recordings; 0 is no limit.

    Attributes
    ----------
    days
        Since their end.
    quota_bytes
        Of all together, running ones included.
    """

    days: float
    quota_bytes: int

    @property
    def headroom(self) -> int:
        """Bytes that are kept free while something is recorded."""
        return min(self.quota_bytes // 4, _MOST_FREE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from that.

    Attributes
    ----------
    remove
        Names of finished recordings that have to go, oldest first.
    room_bytes
        What is left then; None without a limit. Never less than none.
    """

    remove: tuple[str, ...]
    room_bytes: int | None


def plan(
    retention: Retention,
    over: Sequence[RecordingStatus],
    running: Sequence[int],
    now_ms: float,
    undated: Collection[str] = (),
) -> Plan:
    """Which recordings have to go.

    Parameters
    ----------
    over
        Those that have ended.
    running
        The size of each one that has not, in bytes. With any, room is made for them to grow.
    now_ms
        Since the epoch.
    undated
        Names of those whose age is not known for now: they do not go for it.
    """
    remove = []
    used = sum(running) + sum(status.bytes for status in over)
    wanted = retention.headroom if running else 0
    by_age = sorted(over, key=lambda status: status.ended_at)
    for status in by_age:
        too_old = status.name not in undated and _is_too_old(retention, status, now_ms)
        too_much = retention.quota_bytes and retention.quota_bytes - used < wanted
        # What was recorded last goes for another one only.
        if too_old or (too_much and (running or status is not by_age[-1])):
            remove.append(status.name)
            used -= status.bytes
    if not retention.quota_bytes:
        return Plan(tuple(remove), None)
    return Plan(tuple(remove), max(retention.quota_bytes - used, 0))


def _is_too_old(retention: Retention, status: RecordingStatus, now_ms: float) -> bool:
    if not retention.days:
        return False
    return now_ms - status.ended_at > retention.days * _MS_PER_DAY


def room_for(
    folder: Folder,
    retention: Retention,
    dates: Dates,
    running: Mapping[str, int],
    begins: bool,
) -> int | None:
    """Delete what has to go. Slow: for a thread.

    Parameters
    ----------
    dates
        How old each is.
    running
        The size of each recording of this server's that runs, in bytes.
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
    kept = [status for status in folder.all() if status.name not in running]
    now_s = time.time()
    over, undated = _dated(
        folder, dates, [status for status in kept if status.state is not State.RECORDING], now_s
    )
    # Those that other servers record into the same directory.
    others = [status.bytes for status in kept if status.state is State.RECORDING]
    growing = [*others, *running.values(), *([0] if begins else [])]
    made = plan(retention, over, growing, 1000 * now_s, undated)
    for name in made.remove:
        logger.info("Recording %s is deleted: it is too old, or the quota is full", name)
        try:
            folder.remove(name)
        except OSError as error:
            logger.error("Recording %s can not be deleted: %s", name, error)
    if begins:
        if made.room_bytes is not None and made.room_bytes < retention.headroom:
            raise InsufficientStorage(f"{QUOTA_FULL} while others are running")
        if _free_bytes(folder) < _LEAST_FREE_BYTES:
            raise InsufficientStorage(f"the disk of {folder.path} is full")
    return made.room_bytes


def _dated(
    folder: Folder, dates: Dates, notes: Sequence[RecordingNote], now_s: float
) -> tuple[list[RecordingNote], set[str]]:
    """Recordings with their dates as they are known now, and the names of those without one."""
    up_s, dated, undated = uptime_s(), [], set()
    for note in notes:
        known = dates.dated(note, now_s, up_s)
        if known is None:
            undated.add(note.name)
        elif known is not note:
            logger.info("Recording %s is dated anew: the clock was set", note.name)
            with contextlib.suppress(OSError):
                folder.note(known)
        dated.append(known or note)
    return dated, undated


def _free_bytes(folder: Folder) -> int:
    """What the disk has left."""
    try:
        folder.prepare()
        return shutil.disk_usage(folder.path).free
    except OSError:
        # Whoever creates the file will be told why that can not be done.
        return _LEAST_FREE_BYTES
