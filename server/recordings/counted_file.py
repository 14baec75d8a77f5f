"""A file that holds complete writes only, so that a full disk leaves nothing half-written."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


class CountedFile:
    """An unbuffered new file, which counts what is written to it.

    Parameters
    ----------
    path
        Where nothing may be yet.
    opener
        Opens it, as `open` has it.

    Attributes
    ----------
    bytes_written
        Bytes handed to the operating system so far.

    Raises
    ------
    OSError
        When the file exists already or can not be created.
    """

    def __init__(self, path: Path, opener: Callable[[str, int], int] | None = None) -> None:
        self.bytes_written = 0
        self._path = path
        self._file = open(path, "xb", buffering=0, opener=opener)  # noqa: SIM115 - see `close`.

    @property
    def closed(self) -> bool:
        """Whether `close` or a write that failed has closed it: PyAV asks before the MP4's end."""
        return self._file.closed

    def write(self, data: bytes) -> int:
        """Write every byte, or none and raise: FFmpeg does not notice a short write.

        Raises
        ------
        OSError
            With the file's path. The file is closed and ends with the last complete write.
        """
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            # Half a fragment, or half a line, would be an error to whoever reads the file; and so
            # would be anything written after the gap.
            with contextlib.suppress(OSError):
                self._file.truncate(self.bytes_written)
            self._file.close()
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        self.bytes_written += len(data)
        return len(data)

    def close(self) -> None:
        """Close it; again does nothing."""
        self._file.close()


class SeekableFile(CountedFile):
    """A new file in which the muxer may go back, to say at the end what it could not know before.

    Raises
    ------
    OSError
        When the file exists already or can not be created.
    """

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
