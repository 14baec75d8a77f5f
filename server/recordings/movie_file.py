"""The file of a running recording."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from server.recordings.counted_file import CountedFile

_PRIVATE = 0o600


class MovieFile(CountedFile):
    """A new file for its owner alone, locked, in which the muxer may go back.

    The lock tells other servers that it is being written; it ends with the process, however that
    ends.

    Raises
    ------
    OSError
        When there is something of that name, or it can not be created.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, opener=_open_private)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes) -> int:
        """Write every byte where the file is, or none and raise."""
        if self._file.tell() == self.bytes_written:
            return super().write(data)
        # The muxer corrects what is there already, which takes no room.
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere else in it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()


def is_being_written(path: Path) -> bool:
    """Whether a recording is running into a file, in this process or another."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, _PRIVATE)
