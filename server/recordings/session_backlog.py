"""What waits to be recorded: bounded, so that a slow encoder or disk costs frames, not memory."""

import threading
from collections import deque
from dataclasses import dataclass

import av

from server.media.picture import EncodedPicture

# The backlog holds about a second of video: 30 frames at a camera's usual rate, and less of large
# ones (five frames of 3840x2160 in I420 are 62 MB).
MAX_VIDEO_FRAMES = 30
MAX_VIDEO_BYTES = 64 * 2**20
# Opus frames are 20 ms. Audio is cheap and is taken first: only a stalled disk leaves this many.
MAX_AUDIO_FRAMES = 100
MAX_RESULT_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Batch:
    """What to record next: all results, all audio, one video frame at most.

    Attributes
    ----------
    results
        Lines of ``results.jsonl``, in the order they came.
    audio
        Frames, each with the time of its first sample in ms.
    video
        A frame and its time in ms.
    """

    results: list[bytes]
    audio: list[tuple[av.AudioFrame, float]]
    video: tuple[av.VideoFrame | EncodedPicture, float] | None


class Backlog:
    """Hands frames and results from the asyncio thread to the recorder's thread.

    Putting never waits: what has no room is counted and dropped. New frames are dropped, not
    waiting ones, so what is recorded stays spread over time.

    Attributes
    ----------
    video_dropped, audio_dropped, results_dropped
        How many frames and results were dropped so far, those that came after the end included.
    """

    def __init__(self) -> None:
        self.video_dropped = 0
        self.audio_dropped = 0
        self.results_dropped = 0
        self._open = True
        self._changed = threading.Condition()
        self._video: deque[tuple[av.VideoFrame | EncodedPicture, float, int]] = deque()
        self._video_bytes = 0
        self._audio: list[tuple[av.AudioFrame, float]] = []
        self._results: list[bytes] = []
        self._result_bytes = 0

    def put_video(self, frame: av.VideoFrame | EncodedPicture, time_ms: float) -> None:
        """Let `frame` wait, if it is among `MAX_VIDEO_FRAMES` and `MAX_VIDEO_BYTES`."""
        if isinstance(frame, EncodedPicture):
            size = len(frame.data)
        else:
            size = sum(plane.buffer_size for plane in frame.planes)
        with self._changed:
            if not self._open or not self._has_room(size):
                self.video_dropped += 1
                return
            self._video.append((frame, time_ms, size))
            self._video_bytes += size
            self._changed.notify()

    def put_audio(self, frame: av.AudioFrame, time_ms: float) -> None:
        """Let `frame` wait, if it is among `MAX_AUDIO_FRAMES`."""
        with self._changed:
            if not self._open or len(self._audio) >= MAX_AUDIO_FRAMES:
                self.audio_dropped += 1
                return
            self._audio.append((frame, time_ms))
            self._changed.notify()

    def put_result(self, line: bytes) -> None:
        """Let `line` wait, if it is among `MAX_RESULT_BYTES`."""
        with self._changed:
            if not self._open or self._result_bytes + len(line) > MAX_RESULT_BYTES:
                self.results_dropped += 1
                return
            self._results.append(line)
            self._result_bytes += len(line)
            self._changed.notify()

    def take(self) -> Batch | None:
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
            batch = Batch(self._results, self._audio, video)
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
