"""Writes one file of a recording, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from server.recordings.movie import Movie, NoParameterSets, PictureSizeChanged
from server.recordings.movie_file import MovieFile
from server.recordings.packet_backlog import Arrival, Packets

logger = logging.getLogger(__name__)


class NoRoom(Exception):
    """The recordings have all the room that they may have."""


class Writer:
    """Takes packets and writes them, until there are no more or one can not be written.

    Parameters
    ----------
    file
        Where they go.
    packets
        Where they come from.
    make_room
        Called **on the writer's thread** when the file has reached its limit; may move that.
    ended
        Called once, **on the writer's thread**, when the file is closed.

    Attributes
    ----------
    limit_bytes
        How large the file may become; may be changed at any time.
    refused
        What kept the next packet from being written, if that was it that ended the file.
    unfinished
        Why the file could not be completed; what is in it plays all the same.
    """

    def __init__(
        self,
        file: MovieFile,
        packets: Packets,
        *,
        make_room: Callable[[], None],
        ended: Callable[[], object],
    ) -> None:
        self.limit_bytes: int | None = None
        self.refused: PictureSizeChanged | NoRoom | None = None
        self.unfinished: str | None = None
        self._file = file
        self._packets = packets
        self._make_room = make_room
        self._ended = ended
        self._movie: Movie | None = None
        threading.Thread(target=self._run, name="recording", daemon=True).start()

    @property
    def frames(self) -> int:
        """Written so far."""
        return self._movie.frames if self._movie else 0

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self._movie.seconds if self._movie else 0.0

    @property
    def bytes_written(self) -> int:
        """The size of the file."""
        return self._file.bytes_written

    def _run(self) -> None:
        for step in (self._write_all, self._close):
            try:
                step()
            except OSError as error:
                self._fail(error.strerror or str(error))
            except Exception as error:
                # Whatever FFmpeg says of a publisher's packets, it ends this recording only.
                logger.exception("A recording could not be written")
                self._fail(f"{type(error).__name__}: {error}")
        self._ended()

    def _fail(self, why: str) -> None:
        if self.unfinished is None:
            self.unfinished = f"the file could not be written: {why}"

    def _write_all(self) -> None:
        while (arrival := self._packets.take()) is not None:
            try:
                self._write(arrival)
            except NoParameterSets:
                continue
            except (PictureSizeChanged, NoRoom) as refused:
                self._packets.put_back(arrival)
                self.refused = refused
                return

    def _write(self, arrival: Arrival) -> None:
        packet, at_s = arrival.packet, arrival.at_s
        if self._movie is None:
            # What follows a key frame that can not be decoded can not be decoded either.
            if not packet.is_keyframe:
                return
            self._movie = Movie(self._file, packet, at_s)
        if not self._fits(self._movie.bytes_with_index + packet.size):
            self._make_room()
            if not self._fits(self._movie.bytes_with_index + packet.size):
                raise NoRoom
        self._movie.write(packet, at_s)

    def _fits(self, size: int) -> bool:
        return self.limit_bytes is None or size <= self.limit_bytes

    def _close(self) -> None:
        if self._movie is not None:
            self._movie.close()
        else:
            self._file.close()
