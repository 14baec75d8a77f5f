"""Recording one session: ``video.mp4``, ``results.jsonl`` and ``summary.json`` in its directory.

Everything slow (encoding, muxing, writing) happens on one thread per recorder. The asyncio thread
only hands over references, through a bounded backlog that drops rather than grows or waits. What
is written reaches the operating system within a second, so a process that is killed loses no more.
"""

import asyncio
import logging
import re
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import orjson

from server.media.decoding import NotDecodable, decode
from server.media.picture import EncodedPicture
from server.recordings.counted_file import CountedFile
from server.recordings.mp4 import MovieWriter
from server.recordings.session_backlog import MAX_AUDIO_FRAMES, Backlog

logger = logging.getLogger(__name__)

VIDEO_NAME = "video.mp4"

_SESSION_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}")


# Writes what comes after the end; its threads are waited for when the process ends.
_AMENDING = ThreadPoolExecutor(1, thread_name_prefix="amend summary")


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


class Recorder:
    """One session's recording, written by a thread of its own.

    `video`, `audio` and `result` are called on the asyncio thread and return at once. A frame is
    kept by reference, never changed, and released when it has been encoded.

    Parameters
    ----------
    root
        Where recordings go. The session's directory is ``root/<session_id>``, or
        ``root/<session_id>-2`` and so on when that exists: a recording is never written over.
    session_id
        1 to 128 of ``A-Za-z0-9_.-``.
    audio
        Whether the file gets an audio track. Where no audio arrives it holds silence.
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
        self.directory = _create_session_directory(root, session_id)
        self._results = _open(self.directory / "results.jsonl")
        self._with_audio = audio
        self._on_error = on_error
        self._error: str | None = None
        self._backlog = Backlog()
        self._movie: MovieWriter | None = None
        # Audio that comes before the first video frame, which decides the size of the file's video.
        self._early_audio: deque[tuple[av.AudioFrame, float]] = deque(maxlen=MAX_AUDIO_FRAMES)
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
        """Video frames encoded so far."""
        return self._movie.frames_written if self._movie else 0

    @property
    def frames_dropped(self) -> int:
        """Video frames left out because the encoder was behind or the recording had stopped."""
        return self._backlog.video_dropped

    @property
    def bytes_written(self) -> int:
        """Bytes handed to the operating system for the video and the results."""
        return self._results.bytes_written + (self._movie.bytes_written if self._movie else 0)

    @property
    def error(self) -> str | None:
        """Why recording stopped before the session did, in one line; None while all is well."""
        return self._error

    def video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None:
        """Record one frame, of any size and pixel format, at `time_ms` since the first one.

        An encoded picture is decoded on the recorder's thread; one that can not be is left out.
        """
        self._backlog.put_video(frame, time_ms)

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
        for step in (self._record, self._finish_movie, self._results.close):
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
            if batch.audio and self._with_audio:
                self._record_audio(batch.audio)
            if batch.video is not None:
                try:
                    self._record_video(*batch.video)
                except Exception:
                    self._backlog.count_lost_video()
                    raise

    def _record_audio(self, frames: list[tuple[av.AudioFrame, float]]) -> None:
        if self._movie is None:
            self._early_audio.extend(frames)
            return
        for frame, time_ms in frames:
            self._movie.audio(frame, time_ms)

    def _record_video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None:
        if isinstance(frame, EncodedPicture):
            try:
                frame = av.VideoFrame.from_ndarray(decode(frame.data), format="rgb24")
            except NotDecodable:
                self._backlog.count_lost_video()
                return
        if self._movie is None:
            self._movie = MovieWriter(
                _open(self.directory / VIDEO_NAME),
                width=frame.width,
                height=frame.height,
                audio_from_ms=time_ms if self._with_audio else None,
            )
        self._movie.video(frame, time_ms)
        # After the frame: the first thing that is written fixes the encoders' settings.
        self._record_audio(list(self._early_audio))
        self._early_audio.clear()

    def _finish_movie(self) -> None:
        try:
            if self._movie is not None:
                self._movie.close()
        finally:
            if not self.frames_written:
                (self.directory / VIDEO_NAME).unlink(missing_ok=True)

    def _write_summary(self) -> None:
        recording = {
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


def _open(path: Path) -> CountedFile:
    try:
        return CountedFile(path)
    except OSError as error:
        raise _refusal(path, error) from error


def _create_session_directory(root: Path, session_id: str) -> Path:
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


def _refusal(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"cannot record to {path}: {error.strerror}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, RecordingError) else f"{type(error).__name__}: {error}"
