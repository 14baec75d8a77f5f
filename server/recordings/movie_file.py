"""The file of a running recording."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from server.recordings.counted_file import SeekableFile

_PRIVATE = 0o600


class MovieFile(SeekableFile):
    """A new file for its owner alone, locked.

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
