"""Opens what is our own in a directory that others may write into."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def open_own(path: Path, *, may_have_other_names: bool = True) -> int:
    """Open a file for reading, and judge what was opened rather than what is there now.

    Parameters
    ----------
    may_have_other_names
        Whether hard links to it are none of our business. What is sent out may have none: under
        another name it is a file that nobody wanted to publish.

    Returns
    -------
    A descriptor.

    Raises
    ------
    OSError
        It is not there.
    PermissionError
        It is a link, no regular file, of another user, or has another name.
    """
    # Without waiting: whoever opens a pipe for reading waits until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        why = "is no regular file"
    elif found.st_uid != os.geteuid():
        why = "belongs to another user"
    elif found.st_nlink != 1 and not may_have_other_names:
        why = "has another name (a hard link)"
    else:
        return descriptor
    os.close(descriptor)
    raise PermissionError(f"{path.name} {why}")


def check_directory(path: Path) -> None:
    """Refuse a directory in which everybody can replace our files.

    Raises
    ------
    PermissionError
        Everybody may write into it, and it is not sticky.
    """
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise PermissionError(f"everybody may change what is in {path}: chmod o-w {path}")
