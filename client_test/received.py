"""What the server sends back, into a file."""

import logging
from pathlib import Path

from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRecorder

logger = logging.getLogger(__name__)


class ReceivedMedia:
    """Records the tracks that a server sends; without any there is no file.

    Parameters
    ----------
    path
        The file; what its name ends with says of which kind, as .mp4.

    Raises
    ------
    OSError
        There is no such folder.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise FileNotFoundError(2, "No such file or directory", str(path))
        self._path = path
        self._recorder: MediaRecorder | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come."""
        return self._recorder is None

    def take(self, track: MediaStreamTrack) -> None:
        """Record a track."""
        if self._recorder is None:
            self._recorder = MediaRecorder(str(self._path))
        self._recorder.addTrack(track)

    async def start(self) -> None:
        """Begin, when all tracks are known."""
        if self._recorder is not None:
            await self._recorder.start()

    async def stop(self) -> None:
        """Finish the file."""
        if self._recorder is not None:
            await self._recorder.stop()
