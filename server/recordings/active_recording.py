"""One recording while it runs: a viewer, whose packets go into a file, or several in turn."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable

from server.broadcast.viewer import Viewer
from server.media.encoder import Packet
from server.recordings.movie_file import MovieFile
from server.recordings.packet_backlog import Arrival, Packets
from server.recordings.retention import QUOTA_FULL
from server.recordings.status import RecordingStatus, State
from server.recordings.writer import NoRoom, Writer

# Players can go to key frames only; each is ten times the size of another frame.
KEY_FRAME_EVERY_S = 4.0
# What can not be written until one comes.
KEY_FRAME_AGAIN_S = 1.0


class Segment:
    """One file of a recording.

    Parameters
    ----------
    begun
        What is known of it at its beginning.
    file
        Where it goes.
    packets
        Where it comes from.
    make_room
        Called on another thread when it has reached its limit; may move that.
    """

    def __init__(
        self,
        begun: RecordingStatus,
        file: MovieFile,
        packets: Packets,
        make_room: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.name = begun.name
        self.closed = asyncio.Event()
        """The writer has ended."""
        self.over: asyncio.Future[RecordingStatus] = loop.create_future()
        """What is known of it at its end."""
        self._begun = begun
        self._packets = packets
        self._skipped_before = packets.skipped
        ended = functools.partial(loop.call_soon_threadsafe, self.closed.set)
        self.writer = Writer(file, packets, make_room=make_room, ended=ended)

    def status(self, state: State = State.RECORDING, error: str | None = None) -> RecordingStatus:
        """What is known of it now."""
        return self._begun.model_copy(
            update={
                "state": state,
                "seconds": round(self.writer.seconds, 3),
                "frames": self.writer.frames,
                "bytes": self.writer.bytes_written,
                "skipped": self._packets.skipped - self._skipped_before,
                "error": error,
            }
        )

    def status_at_end(self, reason: str | None, following: str | None) -> RecordingStatus:
        """What is known of it when it is over.

        Parameters
        ----------
        reason
            Why the recording ended, other than as it was asked to.
        following
            The name under which it goes on.
        """
        writer, error = self.writer, reason
        if following is not None:
            error = f"{writer.refused}: it goes on as {following}"
        elif isinstance(writer.refused, NoRoom):
            error = QUOTA_FULL
        if writer.unfinished is not None:
            return self.status(State.FAILED, writer.unfinished)
        if not writer.frames:
            nothing = "no picture came" + (f": {error}" if error else "")
            return self.status(State.FAILED, nothing).model_copy(update={"bytes": 0})
        return self.status(State.FINISHED, error)


class ActiveRecording:
    """A recording that runs.

    Parameters
    ----------
    source
        What is recorded.
    viewer
        Its place among the viewers of that.
    packets
        Where its packets wait to be written.
    segment
        The first file.
    """

    def __init__(self, source: str, viewer: Viewer, packets: Packets, segment: Segment) -> None:
        self.source = source
        self.name = segment.name
        self.packets = packets
        self.segment = segment
        self.stopped = False
        self.reason: str | None = None
        """Why it ended, other than as it was asked to."""
        self._viewer = viewer
        self._key_s = self._asked_s = time.monotonic()

    def begin(self) -> None:
        """Let what comes be written, until it ends."""
        self._viewer.listen(self._flow)
        self._flow()

    def stop(self, reason: str | None = None) -> None:
        """End it; what has come so far will be written."""
        if not self.stopped:
            self.stopped, self.reason = True, reason
            self._viewer.leave()
            self.packets.end()

    def _flow(self) -> None:
        self._viewer.give(self._put)
        if self._viewer.is_over:
            self.stop(f"{self.source} has ended")

    def _put(self, packet: Packet) -> bool:
        now_s = time.monotonic()
        if packet.is_keyframe:
            self._key_s = now_s
        kept = self.packets.put(Arrival(packet, now_s))
        pause_s = KEY_FRAME_EVERY_S if kept else KEY_FRAME_AGAIN_S
        if now_s - max(self._key_s, self._asked_s) >= pause_s:
            self._asked_s = now_s
            self._viewer.request_key_frame()
        return True
