"""Recording one session: ``video.mp4``, ``results.jsonl`` and ``summary.json`` in its directory.

Everything slow (encoding, muxing, writing) happens on one thread per recorder. The asyncio thread
only hands over references, through a bounded backlog that drops rather than grows or waits.

The MP4 is fragmented: a piece that plays by itself is handed to the operating system every
`FRAGMENT_MS`, so a process that is killed loses less than a second, and nothing has to be
finished or repaired afterwards.
"""

import asyncio
import contextlib
import logging
import re
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import orjson
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import PictureType
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

VIDEO_NAME = "video.mp4"

# The backlog holds about a second of video: 30 frames at a camera's usual rate, and less of large
# ones (five frames of 3840x2160 in I420 are 62 MB).
MAX_VIDEO_FRAMES = 30
MAX_VIDEO_BYTES = 64 * 2**20
# Opus frames are 20 ms. Audio is cheap and is taken first: only a stalled disk leaves this many.
MAX_AUDIO_FRAMES = 100
MAX_RESULT_BYTES = 16 * 2**20

# Times are kept in RTP's clock for video (RFC 6184, section 5.1), so nothing is rounded twice.
VIDEO_TIME_BASE = Fraction(1, 90_000)
TICKS_PER_MS = 90
# An MP4 track's times must rise. A millisecond is what a repeated or earlier time is moved on by.
MIN_STEP_TICKS = 1 * TICKS_PER_MS
FRAGMENT_MS = 400
KEYFRAME_INTERVAL_TICKS = 2000 * TICKS_PER_MS

# On a filmed exercise at 640x480, ultrafast takes 0.9 ms of CPU a frame flat out and 1.8 ms at
# a camera's pace, superfast half as much again or twice that, for less than half the size. The CPU
# is what the analyzers are short of. CRF 25 gave 39 dB and 2.7 Mb/s; WebRTC itself delivers 1 to 2,
# so a finer one would spend its bits on the artefacts of the first encoding.
X264_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "25",
    # Key frames come when we ask for them, by time: the frame rate varies.
    "g": "100000",
}
# What noise can push the rate to, averaged over a second: 2.3 Mb/s at 640x480, 15.5 at 1920x1080.
MAX_BITS_PER_PIXEL = 0.25
NOMINAL_FPS = 30

AUDIO_RATE_HZ = 48_000
SAMPLES_PER_MS = AUDIO_RATE_HZ // 1000
AUDIO_BIT_RATE = 128_000
# Half the CPU of the default: 0.12 ms a block.
AAC_OPTIONS = {"aac_coder": "fast"}
# What FFmpeg's AAC encoder takes: 32-bit float, a plane for each channel.
PCM_FORMAT = "fltp"
PCM_LAYOUT = "stereo"
# AAC-LC codes 1024 samples at a time, and FFmpeg's encoder starts with one block of priming, which
# it dates before the first sample (ISO/IEC 14496-3; libavcodec/aacenc.c, initial_padding).
AAC_BLOCK = 1024
# Arrival jitter below this is absorbed; beyond it, silence is put in or samples are cut.
AUDIO_TOLERANCE = 40 * SAMPLES_PER_MS
# How far audio may trail video before silence takes its place.
AUDIO_LATENESS_MS = 500
# A longer gap than this stays a gap in the track: a leap of the sender's clock must not cost hours
# of encoded silence. A session's connection may be gone for 30 s and come back.
MAX_SILENCE = 60 * AUDIO_RATE_HZ

Samples = NDArray[np.float32]  # (2, samples), -1 to 1

_SESSION_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}")


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
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        self.directory = _create_session_directory(root, session_id)
        self._results = _open(self.directory / "results.jsonl")
        self._with_audio = audio
        self._on_error = on_error
        self._error: str | None = None
        self._backlog = _Backlog()
        self._movie: _Movie | None = None
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

    def video(self, frame: av.VideoFrame, time_ms: float) -> None:
        """Record one frame, of any size and pixel format, at `time_ms` since the first one."""
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

    def _record_video(self, frame: av.VideoFrame, time_ms: float) -> None:
        if self._movie is None:
            self._movie = _Movie(
                self.directory / VIDEO_NAME,
                # 4:2:0 chroma needs even sizes.
                width=frame.width + frame.width % 2,
                height=frame.height + frame.height % 2,
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


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the recorder's thread works on next: all results, all audio, one video frame at most."""

    results: list[bytes]
    audio: list[tuple[av.AudioFrame, float]]
    video: tuple[av.VideoFrame, float] | None


class _Backlog:
    """What waits for the recorder's thread. Putting never waits: what has no room is counted.

    New frames are dropped, not waiting ones, so what is recorded stays spread over time.
    """

    def __init__(self) -> None:
        self.video_dropped = 0
        self.audio_dropped = 0
        self.results_dropped = 0
        self._open = True
        self._changed = threading.Condition()
        self._video: deque[tuple[av.VideoFrame, float, int]] = deque()
        self._video_bytes = 0
        self._audio: list[tuple[av.AudioFrame, float]] = []
        self._results: list[bytes] = []
        self._result_bytes = 0

    def put_video(self, frame: av.VideoFrame, time_ms: float) -> None:
        size = sum(plane.buffer_size for plane in frame.planes)
        with self._changed:
            if not self._open or not self._has_room(size):
                self.video_dropped += 1
                return
            self._video.append((frame, time_ms, size))
            self._video_bytes += size
            self._changed.notify()

    def put_audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        with self._changed:
            if not self._open or len(self._audio) >= MAX_AUDIO_FRAMES:
                self.audio_dropped += 1
                return
            self._audio.append((frame, time_ms))
            self._changed.notify()

    def put_result(self, line: bytes) -> None:
        with self._changed:
            if not self._open or self._result_bytes + len(line) > MAX_RESULT_BYTES:
                self.results_dropped += 1
                return
            self._results.append(line)
            self._result_bytes += len(line)
            self._changed.notify()

    def take(self) -> _Batch | None:
        """Wait for something to do; None when the backlog is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting() or not self._open)
            if not self._waiting():
                return None
            video = None
            if self._video:
                frame, time_ms, size = self._video.popleft()
                self._video_bytes -= size
                video = (frame, time_ms)
            batch = _Batch(self._results, self._audio, video)
            self._results, self._audio, self._result_bytes = [], [], 0
            return batch

    def close(self) -> None:
        """Take nothing in any more; what waits is still handed out."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def discard(self) -> None:
        """Close, and drop what waits."""
        with self._changed:
            self._open = False
            self.video_dropped += len(self._video)
            self.audio_dropped += len(self._audio)
            self.results_dropped += len(self._results)
            self._video.clear()
            self._audio, self._results = [], []

    def count_lost_video(self) -> None:
        """Count a frame as dropped that was taken but could not be written."""
        with self._changed:
            self.video_dropped += 1

    def _waiting(self) -> bool:
        return bool(self._video or self._audio or self._results)

    def _has_room(self, size: int) -> bool:
        if not self._video:
            return True  # Even a frame that is larger than the bound can be recorded by itself.
        return len(self._video) < MAX_VIDEO_FRAMES and self._video_bytes + size <= MAX_VIDEO_BYTES


class _Movie:
    """A fragmented MP4 file, H.264 and AAC, in which every frame keeps its own time.

    `width` and `height` are even; frames of other sizes are fitted in. `audio_from_ms` is the time
    at which the audio track begins, None for a file without one.
    """

    def __init__(self, path: Path, *, width: int, height: int, audio_from_ms: float | None) -> None:
        self.frames_written = 0
        self._last_ticks = -MIN_STEP_TICKS
        self._next_key_ticks = 0
        self._held: av.Packet[av.VideoStream] | None = None
        self._fitter = _Fitter(width, height)
        self._file = _open(path)
        self._container = av.open(
            self._file,
            mode="w",
            format="mp4",
            # A fragment that fits is handed over in one piece: 0.4 s up to 20 Mb/s.
            buffer_size=2**20,
            container_options={
                # frag_discont keeps times absolute, and no shift moves them: without both, a track
                # that does not begin at zero is moved there, away from the other one.
                "movflags": "frag_keyframe+empty_moov+default_base_moof+frag_discont",
                "avoid_negative_ts": "disabled",
                "frag_duration": str(FRAGMENT_MS * 1000),
                # In microseconds. A track with nothing to say must not hold back the other one,
                # which FFmpeg does for ten seconds by default.
                "max_interleave_delta": "1000",
            },
        )
        rate_limit = str(round(width * height * NOMINAL_FPS * MAX_BITS_PER_PIXEL))
        self._stream = self._container.add_stream(
            "libx264",
            rate=NOMINAL_FPS,
            options={**X264_OPTIONS, "maxrate": rate_limit, "bufsize": rate_limit},
            width=width,
            height=height,
            time_base=VIDEO_TIME_BASE,
        )
        # The cores are for the analyzers; one thread has time for many streams' frames.
        self._stream.codec_context.thread_count = 1
        self._sound: _Sound | None = None
        if audio_from_ms is not None:
            self._sound = _Sound(self._container, audio_from_ms)

    @property
    def bytes_written(self) -> int:
        return self._file.bytes_written

    def video(self, frame: av.VideoFrame, time_ms: float) -> None:
        image = self._fitter.fit(frame)
        if not self._stream.codec_context.is_open:
            _copy_colour(image, self._stream.codec_context)
        ticks = max(round(time_ms * TICKS_PER_MS), self._last_ticks + MIN_STEP_TICKS)
        self._last_ticks = ticks
        image.pts, image.time_base = ticks, VIDEO_TIME_BASE
        # The decoder's own type would tell the encoder which type to use.
        image.pict_type = PictureType.NONE
        if ticks >= self._next_key_ticks:
            image.pict_type = PictureType.I
            self._next_key_ticks = ticks + KEYFRAME_INTERVAL_TICKS
        for packet in self._stream.encode(image):
            self._mux(packet)
        if self._sound:
            self._sound.fill_until(ticks / TICKS_PER_MS - AUDIO_LATENESS_MS)
        self.frames_written += 1

    def audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        if self._sound:
            self._sound.put(frame, time_ms)

    def close(self) -> None:
        """Write what the encoders hold, and the end of the file."""
        try:
            if self.frames_written:
                for packet in self._stream.encode(None):
                    self._mux(packet)
                if self._held is not None:
                    self._container.mux(self._held)
                if self._sound:
                    self._sound.fill_until(self._last_ticks / TICKS_PER_MS)
                    self._sound.flush()
            self._container.close()
        finally:
            self._file.close()

    def _mux(self, packet: "av.Packet[av.VideoStream]") -> None:
        """Write `packet`; in a file with audio, once its duration is known.

        The muxer dates a fragment by the durations before it. When audio ends a fragment, it does
        not know the last frame's yet, and takes the nominal one.
        """
        if self._sound is None:
            self._container.mux(packet)
            return
        if self._held is not None and packet.pts is not None and self._held.pts is not None:
            self._held.duration = packet.pts - self._held.pts
            self._container.mux(self._held)
        self._held = packet


class _Fitter:
    """Brings frames to one size in I420: scaled without distortion, centred, the rest black."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._geometry: tuple[int, int, str] | None = None
        self._graph = Graph()

    def fit(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame whose attributes may be changed.

        It shares the pixels of `frame` when they fit as they are: a filter graph passes on a new
        reference to the same buffers, in 5 microseconds, where a copy takes 50 at 640x480.
        """
        geometry = (frame.width, frame.height, frame.format.name)
        if geometry != self._geometry:
            self._build(*geometry)
            self._geometry = geometry
        self._graph.push(frame)
        return self._graph.vpull()

    def _build(self, width: int, height: int, pixel_format: str) -> None:
        graph = Graph()
        graph.threads = 1
        chain = [
            graph.add_buffer(
                width=width,
                height=height,
                format=VideoFormat(pixel_format),
                time_base=VIDEO_TIME_BASE,
            )
        ]
        fitted_width, fitted_height = self._fitted_size(width, height)
        if (fitted_width, fitted_height) != (width, height):
            size = f"{fitted_width}:{fitted_height}"
            chain.append(graph.add("scale", f"{size}:flags=bilinear"))
        chain.append(graph.add("format", "yuv420p"))
        if (fitted_width, fitted_height) != (self._width, self._height):
            chain.append(graph.add("pad", f"{self._width}:{self._height}:-1:-1"))
        chain.append(graph.add("buffersink"))
        graph.link_nodes(*chain)
        graph.configure()
        self._graph = graph

    def _fitted_size(self, width: int, height: int) -> tuple[int, int]:
        if width in (self._width, self._width - 1) and height in (self._height, self._height - 1):
            return width, height  # An odd size is made even by a black line, which blurs nothing.
        scale = min(self._width / width, self._height / height)
        return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class _Sound:
    """An AAC track without holes, whose samples are placed by time.

    Gaps are filled with silence and overlaps cut, since many players take an audio track for
    continuous and would run ahead of the video after a hole.
    """

    def __init__(self, container: OutputContainer, start_ms: float) -> None:
        self._container = container
        self._stream = container.add_stream(
            "aac", rate=AUDIO_RATE_HZ, bit_rate=AUDIO_BIT_RATE, options=AAC_OPTIONS
        )
        # The index of the first waiting sample, counted from the file's time zero. With the first
        # at AAC_BLOCK, the priming is dated zero and the muxer has nothing below it to shift.
        self._start = max(round(start_ms * SAMPLES_PER_MS), AAC_BLOCK)
        # Whether the last thing encoded was sound, which what comes next should join on to.
        self._flowing = False
        self._waiting: Samples = np.empty((2, 0), np.float32)
        self._resampler = AudioResampler(PCM_FORMAT, PCM_LAYOUT, AUDIO_RATE_HZ)
        self._source: tuple[str, str, int] | None = None

    def put(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Encode the samples of `frame`, the first of which belongs at `time_ms`."""
        position = round(time_ms * SAMPLES_PER_MS)
        samples = self._resample(frame)
        tolerance = AUDIO_TOLERANCE if self._flowing else 0
        if position > self._end + tolerance:
            self._fill(position)
        elif position < self._end - tolerance:
            samples = samples[:, self._end - position :]
        if samples.size:
            self._append(samples)
            self._flowing = True

    def fill_until(self, time_ms: float) -> None:
        """Encode silence up to `time_ms` if there is nothing yet."""
        self._fill(round(time_ms * SAMPLES_PER_MS))

    def flush(self) -> None:
        """Encode the last, partial block, and what the encoder holds."""
        self._complete_block()
        self._container.mux(self._stream.encode(None))

    @property
    def _end(self) -> int:
        return self._start + self._waiting.shape[1]

    def _fill(self, position: int) -> None:
        missing = position - self._end
        if missing <= 0:
            return
        self._flowing = False
        if missing > MAX_SILENCE:
            self._complete_block()
            self._start = position
        else:
            self._append(np.zeros((2, missing), np.float32))

    def _complete_block(self) -> None:
        self._append(np.zeros((2, -self._waiting.shape[1] % AAC_BLOCK), np.float32))

    def _append(self, samples: Samples) -> None:
        waiting = np.concatenate([self._waiting, samples], axis=1)
        while waiting.shape[1] >= AAC_BLOCK:
            self._encode(waiting[:, :AAC_BLOCK])
            waiting = waiting[:, AAC_BLOCK:]
            self._start += AAC_BLOCK
        self._waiting = waiting

    def _encode(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block), format=PCM_FORMAT, layout=PCM_LAYOUT
        )
        frame.sample_rate = AUDIO_RATE_HZ
        frame.time_base = Fraction(1, AUDIO_RATE_HZ)
        frame.pts = self._start
        self._container.mux(self._stream.encode(frame))

    def _resample(self, frame: av.AudioFrame) -> Samples:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:
            self._resampler = AudioResampler(PCM_FORMAT, PCM_LAYOUT, AUDIO_RATE_HZ)
            self._source = source
        pieces = [piece.to_ndarray() for piece in self._resampler.resample(frame)]
        return np.concatenate([np.empty((2, 0), np.float32), *pieces], axis=1)


class _CountedFile:
    """An unbuffered new file, which counts what is written to it."""

    def __init__(self, path: Path) -> None:
        self.bytes_written = 0
        self._path = path
        self._file = path.open("xb", buffering=0)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        """Write every byte, or none and raise: FFmpeg does not notice a short write."""
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
        self._file.close()


def _open(path: Path) -> _CountedFile:
    try:
        return _CountedFile(path)
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


def _copy_colour(image: av.VideoFrame, encoder: av.VideoCodecContext) -> None:
    """Tell the encoder how the frames code colour, or players guess it from the size."""
    encoder.color_range = image.color_range
    encoder.colorspace = image.colorspace
    encoder.color_primaries = image.color_primaries
    encoder.color_trc = image.color_trc


def _refusal(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"cannot record to {path}: {error.strerror}")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) if isinstance(error, RecordingError) else f"{type(error).__name__}: {error}"
