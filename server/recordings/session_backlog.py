"""What waits to be recorded: bounded, so that a slow encoder or disk costs frames, not memory."""

import threading
from collections import deque
from dataclasses import dataclass

import av

from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture

# The backlog holds about a second of video: 30 frames at a camera's usual rate, and less of large
# ones (five frames of 3840x2160 in I420 are 62 MB).
MAX_VIDEO_FRAMES = 30
MAX_VIDEO_BYTES = 64 * 2**20
# Of a video that was encoded already: ten seconds of a camera at most.
MAX_PACKETS = 300
MAX_PACKET_BYTES = 16 * 2**20
# Players can go to key frames only; each is ten times the size of another frame.
KEY_FRAME_EVERY_MS = 4000.0
# Opus frames are 20 ms. Audio is cheap and is taken first: only a stalled disk leaves this many.
MAX_AUDIO_FRAMES = 100
MAX_RESULT_BYTES = 16 * 2**20

Video = av.VideoFrame | EncodedPicture | EncodedFrame
"""A frame as it comes: raw, or encoded by whoever sent it."""


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
    video: tuple[Video, float] | None


class Backlog:
    """Hands frames and results from the asyncio thread to the recorder's thread.

    Putting never waits: what has no room is counted and dropped. New frames are dropped, not
    waiting ones, so what is recorded stays spread over time. Of an encoded video, what builds on a
    dropped frame is dropped with it.

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
        self._video: deque[tuple[Video, float, int]] = deque()
        self._video_bytes = 0
        self._needs_key_frame = True
        self._key_frame_ms = 0.0
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
            if not self._open or not self._has_room(size, MAX_VIDEO_FRAMES, MAX_VIDEO_BYTES):
                self.video_dropped += 1
                return
            self._append(frame, time_ms, size)

    def put_encoded(self, frame: EncodedFrame, time_ms: float) -> bool:
        """Let a video's next frame wait, if it is among `MAX_PACKETS` and `MAX_PACKET_BYTES`.

        Returns
        -------
        Whether a key frame is wanted: to go on at all, or since the last is `KEY_FRAME_EVERY_MS`
        ago.
        """
        size = len(frame.data)
        with self._changed:
            if not self._open:
                self.video_dropped += 1
                return False
            is_lost = frame.is_damaged or not self._has_room(size, MAX_PACKETS, MAX_PACKET_BYTES)
            self._needs_key_frame = is_lost or (self._needs_key_frame and not frame.is_key_frame)
            if self._needs_key_frame:
                self.video_dropped += 1
                return True
            if frame.is_key_frame:
                self._key_frame_ms = time_ms
            self._append(frame, time_ms, size)
            return time_ms - self._key_frame_ms >= KEY_FRAME_EVERY_MS

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

    def _append(self, frame: Video, time_ms: float, size: int) -> None:
        self._video.append((frame, time_ms, size))
        self._video_bytes += size
        self._changed.notify()

    def _has_room(self, size: int, max_frames: int, max_bytes: int) -> bool:
        if not self._video:
            return True  # Even a frame that is larger than the bound can be recorded by itself.
        return len(self._video) < max_frames and self._video_bytes + size <= max_bytes
