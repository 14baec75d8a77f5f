"""Recording one session: its video, ``results.jsonl`` and ``summary.json`` in its directory.

Everything slow (encoding, muxing, writing) happens on one thread per recorder. The asyncio thread
only hands over references, through a bounded backlog that drops rather than grows or waits. What
is written reaches the operating system within a second, so a process that is killed loses no more.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import orjson

from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture
from server.recordings.counted_file import CountedFile
from server.recordings.session_backlog import Backlog, Video
from server.recordings.session_files import RecordingError, create_directory, create_file
from server.recordings.session_movies import SessionMovies

logger = logging.getLogger(__name__)

# Writes what comes after the end; its threads are waited for when the process ends.
_AMENDING = ThreadPoolExecutor(1, thread_name_prefix="amend summary")


class Recorder:
    """One session's recording, written by a thread of its own.

    `video`, `encoded`, `audio` and `result` are called on the asyncio thread and return at once. A
    frame is kept by reference, never changed, and released when it has been written.

    Parameters
    ----------
    root
        Where recordings go. The session's directory is ``root/<session_id>``, or
        ``root/<session_id>-2`` and so on when that exists: a recording is never written over.
    session_id
        1 to 128 of ``A-Za-z0-9_.-``.
    audio
        Whether the video gets an audio track. Where no audio arrives it holds silence.
    on_error
        Called once, **on the recorder's thread**, with the text of `error` when writing fails.

    Raises
    ------
    RecordingError
        When the directory can not be created.
    """

    def __init__(
        self,
        root: Path,
        session_id: str,
        *,
        audio: bool,
        on_error: Callable[[str], object] | None = None,
    ) -> None:
        self.directory = create_directory(root, session_id)
        self._results = create_file(self.directory / "results.jsonl", CountedFile)
        self._movies = SessionMovies(self.directory, with_audio=audio)
        self._on_error = on_error
        self._error: str | None = None
        self._backlog = Backlog()
        self._summary: dict[str, Any] = {}
        self._closing = threading.Event()
        self._finished: Future[None] = Future()
        # From now on it is running: when an awaiting close() is cancelled, the thread is not.
        self._finished.set_running_or_notify_cancel()
        self._thread = threading.Thread(
            target=self._run, name=f"recorder {self.directory.name}", daemon=True
        )
        self._thread.start()

    @property
    def frames_written(self) -> int:
        """Video frames written so far."""
        return self._movies.frames_written

    @property
    def frames_dropped(self) -> int:
        """Video frames that are left out: there was no time for them, or they were damaged."""
        return self._backlog.video_dropped

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system for the video and the results."""
        return self._results.bytes_written + self._movies.bytes_written

    @property
    def error(self) -> str | None:
        """Why recording stopped before the session did, in one line; None while all is well."""
        return self._error

    def video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None:
        """Record one frame, of any size and pixel format, at `time_ms` since the first one.

        An encoded picture is decoded on the recorder's thread; one that can not be is left out.
        """
        self._backlog.put_video(frame, time_ms)

    def encoded(self, frame: EncodedFrame, time_ms: float) -> bool:
        """Record a video's next frame as it came; `time_ms` as for `video`.

        One that is damaged is left out, as is what builds on one that is missing.

        Returns
        -------
        Whether whoever sends it should be asked for a key frame.
        """
        return self._backlog.put_encoded(frame, time_ms)

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Record the samples of `frame`, the first of which was taken at `time_ms`."""
        self._backlog.put_audio(frame, time_ms)

    def result(self, line: bytes | str) -> None:
        """Append one JSON text to ``results.jsonl``."""
        data = line.encode() if isinstance(line, str) else line
        # A raw newline can only be white space in JSON; here it would end the record.
        self._backlog.put_result(data.strip().replace(b"\n", b" ") + b"\n")

    async def close(self, summary: dict[str, Any]) -> None:
        """Write what waits and ``summary.json``, and end the thread; the event loop goes on.

        The summary gains a key ``recording`` with the recorder's own counts. Never raises for a
        failure to write, which `error` tells. Calling it again waits for the same end; when it is
        cancelled, the thread still finishes its work.
        """
        if not self._closing.is_set():
            self._summary = summary
            self._closing.set()
            self._backlog.close()
        await asyncio.wrap_future(self._finished)
        self._thread.join()

    def amend(self, more: dict[str, Any]) -> None:
        """Write ``summary.json`` again, with what came after `close`; returns at once."""
        _AMENDING.submit(self._amend, more)

    def _amend(self, more: dict[str, Any]) -> None:
        self._finished.result()
        self._summary = {**self._summary, **more}
        self._attempt(self._write_summary)

    def _run(self) -> None:
        for step in (self._record, self._movies.close, self._results.close):
            self._attempt(step)
        # A recording that failed lets go of its files and encoders now, and waits for its summary.
        self._closing.wait()
        self._attempt(self._write_summary)
        self._finished.set_result(None)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # Whatever it is, it ends the recording and not the session.
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._backlog.discard()
        if self._error is not None:
            return
        self._error = f"recording stopped: {_reason(error)}"
        # Errors of the system are the user's to mend; anything else is ours, and needs its trace.
        expected = isinstance(error, OSError | RecordingError)
        logger.error("%s: %s", self.directory, self._error, exc_info=None if expected else error)
        if self._on_error is None:
            return
        try:
            self._on_error(self._error)
        except Exception:  # close() waits for this thread, which must come to its end.
            logger.exception("%s: on_error failed", self.directory)

    def _record(self) -> None:
        while (batch := self._backlog.take()) is not None:
            if batch.results:
                self._results.write(b"".join(batch.results))
            for frame, time_ms in batch.audio:
                self._movies.audio(frame, time_ms)
            if batch.video is not None:
                self._record_video(*batch.video)

    def _record_video(self, frame: Video, time_ms: float) -> None:
        is_written = False
        try:
            is_written = self._movies.video(frame, time_ms)
        finally:
            if not is_written:
                self._backlog.count_lost_video()

    def _write_summary(self) -> None:
        recording = {
            "files": self._movies.names,
            "frames_written": self.frames_written,
            "frames_dropped": self.frames_dropped,
            "audio_frames_dropped": self._backlog.audio_dropped,
            "results_dropped": self._backlog.results_dropped,
            "bytes_written": self.bytes_written,
            "error": self._error,
        }
        text = orjson.dumps(
            {**self._summary, "recording": recording},
            default=str,
            option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE,
        )
        partial = self.directory / "summary.json.partial"
        partial.write_bytes(text)
        partial.replace(self.directory / "summary.json")


def record_to(root: Path) -> Callable[..., Recorder | None]:
    """Recorders that write below a directory, and tell of errors on the event loop."""

    def record(session_id: str, *, audio: bool, on_error: Callable[[str], None]) -> Recorder | None:
        loop = asyncio.get_running_loop()
        try:
            return Recorder(
                root,
                session_id,
                audio=audio,
                on_error=lambda message: loop.call_soon_threadsafe(on_error, message),
            )
        except RecordingError as error:
            # The directory was fine at start-up: the disk is full, say. The session goes on.
            on_error(str(error))
            return None

    return record


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, RecordingError) else f"{type(error).__name__}: {error}"
