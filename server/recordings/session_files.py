"""Where a session's recording goes: a directory of its own, and new files in it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TypeVar

from server.recordings.counted_file import CountedFile

_SESSION_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}")

File = TypeVar("File", bound=CountedFile)


class RecordingError(Exception):
    """A recording that can not be made; the text is one line that names the path and the reason."""


def check_directory(root: Path) -> None:
    """Make sure, at start-up, that recordings can be written below `root`; create it if need be.

    Raises
    ------
    RecordingError
        When it can be neither created nor written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(b"\0")
    except FileExistsError as error:
        raise RecordingError(f"cannot record to {root}: Not a directory") from error
    except OSError as error:
        raise _refusal(root, error) from error


def create_directory(root: Path, session_id: str) -> Path:
    """Make the directory of a session: ``root/<session_id>``, or the next that does not exist.

    Raises
    ------
    RecordingError
        When the id is none, or it can not be created.
    """
    if not _SESSION_ID.fullmatch(session_id):
        raise RecordingError(f"cannot record a session under the name {session_id!r}")
    number = 1
    while True:
        directory = root / (session_id if number == 1 else f"{session_id}-{number}")
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise _refusal(directory, error) from error
        else:
            return directory


def create_file(path: Path, kind: type[File]) -> File:
    """Open a new file.

    Raises
    ------
    RecordingError
        When it can not be created.
    """
    try:
        return kind(path)
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"cannot record to {path}: {error.strerror}")
