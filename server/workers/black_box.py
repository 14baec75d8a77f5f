"""What each lane of a worker is at, in memory that outlives the worker.

A process that crashes sends no last message. Its lanes note the session they work for in memory
that the server holds too, which costs them a write of 64 bytes for each job.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile

_MAX_LANES = 64
_SID = struct.Struct("64p")
_NAME = struct.Struct("448p")
_SLOT_BYTES = _SID.size + _NAME.size
_BYTES = _MAX_LANES * _SLOT_BYTES


class LaneNote:
    """Where one lane notes what it is at."""

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self._memory = memory
        self._offset = offset

    def begin(self, sid: str) -> None:
        """It works for this session now."""
        _SID.pack_into(self._memory, self._offset, sid.encode())

    def done(self) -> None:
        """It works for nobody."""
        _SID.pack_into(self._memory, self._offset, b"")


class BlackBox:
    """The notes of one worker's lanes.

    Parameters
    ----------
    fd
        The memory, where another process has made it; None makes new memory, without notes.

    Attributes
    ----------
    fd
        Hand it to the other process.
    """

    def __init__(self, fd: int | None = None) -> None:
        self.fd = _new_memory() if fd is None else fd
        self._memory = mmap.mmap(self.fd, _BYTES)
        self._used = 0

    def note_for(self, lane: str) -> LaneNote:
        """Where a lane of this name notes what it is at; of more than 64, some share a note."""
        offset = min(self._used, _MAX_LANES - 1) * _SLOT_BYTES
        self._used += 1
        _NAME.pack_into(self._memory, offset + _SID.size, lane.encode())
        return LaneNote(self._memory, offset)

    def busy(self) -> list[tuple[str, str]]:
        """Session and lane of each job that is, or was, under way."""
        found = []
        for offset in range(0, _BYTES, _SLOT_BYTES):
            (sid,) = _SID.unpack_from(self._memory, offset)
            (name,) = _NAME.unpack_from(self._memory, offset + _SID.size)
            if sid:
                found.append((sid.decode(), name.decode(errors="ignore")))
        return found

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
        os.close(self.fd)


def _new_memory() -> int:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("kinecast-lanes")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, _BYTES)
    return fd
