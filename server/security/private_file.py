"""Small files that only the server's user may read: keys."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import platformdirs

_OWNER_ONLY = 0o600
_OTHERS = 0o077


def data_directory() -> Path:
    """Where the server keeps what it has made once: ~/.local/share/kinecast on Linux."""
    return platformdirs.user_data_path("kinecast")


def write_once(path: Path, content: bytes) -> bool:
    """Write a file, unless it is there; several processes may try at the same time.

    Returns
    -------
    Whether it was written.

    Raises
    ------
    OSError
        It can not be written, or is there and others may read it.
    """
    if not path.exists():
        with _written_beside(path, content) as new, contextlib.suppress(FileExistsError):
            # Unlike a rename, this leaves alone a file that somebody else was quicker with.
            os.link(new, path)
            return True
    if path.stat().st_mode & _OTHERS:
        raise PermissionError(f"others may read {path}: chmod 600 it, or delete it for a new one")
    return False


def replace(path: Path, content: bytes) -> None:
    """Write a file in place of what may be there.

    Raises
    ------
    OSError
        It can not be written.
    """
    with _written_beside(path, content) as new:
        new.replace(path)


@contextlib.contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield new
    finally:
        new.unlink(missing_ok=True)
