"""The directory of recordings: ``NAME.mp4``, and what is known of it in ``.NAME.json``.

Only what has such a note is a recording; other files there are not touched. Slow: for a thread.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import av
from pydantic import ValidationError

from server.recordings import names
from server.recordings.movie_file import MovieFile, is_being_written
from server.recordings.own_file import check_directory, open_own
from server.recordings.status import RecordingNote, State

_PRIVATE_DIRECTORY = 0o700
_PRIVATE_FILE = 0o600
# A note is written over in place and never grows, which works on a full disk, too.
_NOTE_BYTES = 2048
_MAX_ERROR_CHARS = 500
_NOTE_SUFFIX = ".json"


class NameTaken(Exception):
    """There is something of that name."""


class Folder:
    """Recordings in a directory.

    Parameters
    ----------
    path
        Made when the first one is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the directory, for its owner alone, unless it is there.

        Raises
        ------
        OSError
            It can be neither made nor written into, or everybody can replace what is in it.
        """
        self.path.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        check_directory(self.path)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(f"{self.path} can not be written into")

    def create(self, status: RecordingNote) -> MovieFile:
        """Begin a recording.

        Raises
        ------
        NameTaken
            There is something of that name.
        OSError
            The file can not be created.
        """
        self.prepare()
        movie = self.movie(status.name)
        try:
            file = MovieFile(movie)
        except FileExistsError:
            raise NameTaken from None
        try:
            self.note(status)
        except BaseException:
            file.close()
            movie.unlink()
            raise
        return file

    def note(self, status: RecordingNote) -> None:
        """Keep what is known of a recording.

        Raises
        ------
        OSError
            It can not be written.
        """
        clipped = status.error[:_MAX_ERROR_CHARS] if status.error else None
        text = status.model_copy(update={"error": clipped}).model_dump_json()
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self._note(status.name), flags, _PRIVATE_FILE)
        try:
            os.pwrite(descriptor, text.encode().ljust(_NOTE_BYTES), 0)
        finally:
            os.close(descriptor)

    def all(self) -> list[RecordingNote]:
        """All recordings, oldest first. One whose server was killed is given up here."""
        try:
            notes = list(self.path.glob(f".*{_NOTE_SUFFIX}"))
        except OSError:
            return []
        found = [self._read(note) for note in notes]
        return sorted((s for s in found if s), key=lambda s: (s.started_at, s.name))

    def find(self, name: str) -> RecordingNote | None:
        """A recording, if there is one of that name."""
        return self._read(self._note(name))

    def remove(self, name: str) -> None:
        """Delete a recording.

        Raises
        ------
        OSError
            It can not be deleted.
        """
        self.movie(name).unlink(missing_ok=True)
        self._note(name).unlink(missing_ok=True)

    def drop_empty(self, name: str) -> None:
        """Delete a file in which there is nothing; what is known of the recording stays."""
        with contextlib.suppress(OSError):
            self.movie(name).unlink()

    def movie(self, name: str) -> Path:
        """Where a recording's file is."""
        return self.path / f"{name}{names.SUFFIX}"

    def open_movie(self, name: str) -> int:
        """Open a recording's file to be sent out; see `open_own`."""
        return open_own(self.movie(name), may_have_other_names=False)

    def _note(self, name: str) -> Path:
        return self.path / f".{name}{_NOTE_SUFFIX}"

    def _read(self, note: Path) -> RecordingNote | None:
        try:
            with os.fdopen(open_own(note), "rb") as file:
                status = RecordingNote.model_validate_json(file.read(2 * _NOTE_BYTES))
            if names.parse_name(status.name) != status.name or note != self._note(status.name):
                return None
            return self._now(status)
        except (OSError, ValidationError):
            return None

    def _now(self, status: RecordingNote) -> RecordingNote | None:
        movie = self.movie(status.name)
        if not _is_file(movie):
            if not status.bytes and status.state is State.FAILED:
                return status  # Nothing ever came.
            # Somebody has deleted or replaced the file.
            self._note(status.name).unlink(missing_ok=True)
            return None
        if status.state is not State.RECORDING:
            return status
        if is_being_written(movie):
            return status.model_copy(update={"bytes": movie.stat().st_size})
        status = _give_up(status, movie)
        with contextlib.suppress(OSError):
            self.note(status)
        return status


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _give_up(status: RecordingNote, movie: Path) -> RecordingNote:
    """What is known of a recording that nobody writes any more."""
    frames, seconds = _count(movie)
    return status.model_copy(
        update={
            "state": State.FAILED,
            "frames": frames,
            "seconds": seconds,
            "bytes": movie.stat().st_size,
            "error": "the server ended in the middle of it; what it had written is there",
        }
    )


def _count(movie: Path) -> tuple[int, float]:
    """How many frames a file has, and the time of the last one in seconds."""
    frames, last_s = 0, 0.0
    with (
        contextlib.suppress(av.error.FFmpegError, OSError),
        os.fdopen(open_own(movie), "rb") as file,
        av.open(file, "r") as container,
    ):
        for packet in container.demux(video=0):
            if packet.pts is not None and packet.time_base is not None:
                frames += 1
                last_s = max(last_s, float(packet.pts * packet.time_base))
    return frames, round(last_s, 3)
