"""Decodes the videos of a worker's sessions, on a thread that no lane waits for.

Every frame of a video has to be decoded, in order, whether anybody looks at it or not, since those
after it build on it. What waits is bounded in time and bytes: beyond that it is thrown away up to
the next key frame.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from server.workers.black_box import LaneNote
from server.workers.lane_frame import LaneFrame
from server.workers.messages import DECODING, EncodedInput
from server.workers.video_decoder import NotDecoded, VideoDecoder

logger = logging.getLogger(__name__)

# With more waiting, a key frame is nearer than the end of it.
MAX_WAITING_S = 0.5
MAX_WAITING_BYTES = 4 * 2**20
# A lane is not shown a frame that is older when a newer one is there.
STALE_S = 0.150


@dataclass(slots=True, eq=False)
class _Video:
    """What waits of one session's video."""

    decoder: VideoDecoder
    waiting: deque[EncodedInput] = field(default_factory=deque)
    waiting_bytes: int = 0
    needs_key_frame: bool = True

    def drop(self) -> int:
        """Throw away what waits, but for the newest key frame and what builds on it."""
        before = len(self.waiting)
        while self.waiting:
            self.waiting_bytes -= len(self.waiting.popleft().data)
            if self.waiting and self.waiting[0].is_key_frame:
                break
        self.needs_key_frame = not self.waiting
        return before - len(self.waiting)


class Decoding:
    """The decoding thread of a worker.

    `put` and `forget` do not wait for it, and may be called under a lock that `show` takes.

    Parameters
    ----------
    show
        Takes a session's id and its newest frame, on this thread.
    ask
        Asks for a key frame of a session's video, on this thread.
    note
        Where it notes the session it works for.
    max_pixels
        Larger pictures are not decoded.
    """

    def __init__(
        self,
        show: Callable[[str, LaneFrame], None],
        ask: Callable[[str], None],
        note: LaneNote,
        max_pixels: int,
    ) -> None:
        self._show = show
        self._ask = ask
        self._note = note
        self._max_pixels = max_pixels
        # Those that were served longest ago come first.
        self._videos: dict[str, _Video] = {}
        self._changed = threading.Condition()
        self._busy: tuple[str, float] | None = None
        threading.Thread(target=self._run, name=DECODING, daemon=True).start()

    def put(self, frame: EncodedInput) -> None:
        """Have a video's next frame decoded."""
        with self._changed:
            video = self._videos.get(frame.sid)
            if video is None:
                video = self._videos[frame.sid] = _Video(VideoDecoder(self._max_pixels))
            video.waiting.append(frame)
            video.waiting_bytes += len(frame.data)
            self._changed.notify()

    def forget(self, sid: str) -> None:
        """The session has ended."""
        with self._changed:
            self._videos.pop(sid, None)

    def busy(self, now: float) -> tuple[str, str, float] | None:
        """Its name among the lanes, session and seconds of what it is at, None while idle."""
        busy = self._busy
        return (DECODING, busy[0], now - busy[1]) if busy else None

    # ---- on its thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work)
                sid, video = next((s, v) for s, v in self._videos.items() if v.waiting)
                # To the end of the row.
                self._videos[sid] = self._videos.pop(sid)
                frame, asks = self._next(sid, video)
            if asks:
                self._ask(sid)
            if frame is not None:
                self._decode(sid, video, frame)

    def _has_work(self) -> bool:
        return any(video.waiting for video in self._videos.values())

    def _next(self, sid: str, video: _Video) -> tuple[EncodedInput | None, bool]:
        """Take a video's next frame; says whether it can go on from a key frame only."""
        behind_s = time.monotonic() - video.waiting[0].info.received_monotonic_s
        is_late = behind_s > MAX_WAITING_S or video.waiting_bytes > MAX_WAITING_BYTES
        if is_late and len(video.waiting) > 1:
            dropped = video.drop()
            logger.info("Session %s: %d frames came too late to be decoded", sid, dropped)
        if not video.waiting:
            return None, True
        frame = video.waiting.popleft()
        video.waiting_bytes -= len(frame.data)
        if video.needs_key_frame and not frame.is_key_frame:
            return None, True
        video.needs_key_frame = False
        return frame, False

    def _decode(self, sid: str, video: _Video, frame: EncodedInput) -> None:
        self._busy = (sid, time.monotonic())
        self._note.begin(sid)
        try:
            decoded = video.decoder.decode(frame)
        except NotDecoded as error:
            logger.info("Session %s: a frame can not be decoded: %s", sid, error)
            video.needs_key_frame = True
            self._ask(sid)
            return
        except Exception:
            # A fault of ours: it costs this frame, and what builds on it.
            logger.exception("Session %s: a frame could not be decoded", sid)
            video.needs_key_frame = True
            self._ask(sid)
            return
        finally:
            self._note.done()
            self._busy = None
        if decoded is None or not decoded[0].is_wanted:
            return
        shown, picture = decoded
        now_s = time.monotonic()
        if video.waiting and now_s - shown.info.received_monotonic_s > STALE_S:
            return
        self._show(sid, LaneFrame(shown.info, picture, now_s))
