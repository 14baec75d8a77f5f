"""Decodes the videos of a worker's sessions, on a thread that no lane waits for.

Every frame of a video has to be decoded, in order, whether anybody looks at it or not, since those
after it build on it. What waits is bounded in time and bytes: when there is too much, upper
temporal layers are left out, and beyond the bound everything up to the next key frame. Of the
videos that have frames waiting, the one that took least time so far is served next, so that one
with large or many frames is late by itself.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from server.workers.black_box import LaneNote
from server.workers.lane_frame import LaneFrame
from server.workers.messages import DECODING, EncodedInput
from server.workers.newest_frame import STALE_S
from server.workers.temporal_layers import TemporalLayers
from server.workers.video_decoder import NotDecoded, VideoDecoder

logger = logging.getLogger(__name__)

# From then on only the lowest temporal layer is decoded, where there are several.
BEHIND_S = 0.1
# With more waiting, a key frame is nearer than the end of it.
MAX_WAITING_S = 0.25
MAX_WAITING_BYTES = 4 * 2**20


@dataclass(slots=True, eq=False)
class _Video:
    """What waits of one session's video."""

    decoder: VideoDecoder
    layers: TemporalLayers = field(default_factory=TemporalLayers)
    waiting: deque[EncodedInput] = field(default_factory=deque)
    waiting_bytes: int = 0
    needs_key_frame: bool = True
    took_s: float = 0.0
    """What decoding it took, and what others took before it came."""

    def take(self) -> EncodedInput:
        """The frame that has waited longest."""
        frame = self.waiting.popleft()
        self.waiting_bytes -= len(frame.data)
        return frame

    def drop(self) -> int:
        """Throw away what waits, but for the newest key frame and what builds on it."""
        before = len(self.waiting)
        keys = [at for at, frame in enumerate(self.waiting) if frame.is_key_frame]
        for _ in range(keys[-1] if keys else before):
            self.take()
        self.needs_key_frame |= not keys
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
    turn
        Waits for its turn, where this and the lanes run one at a time.
    """

    def __init__(
        self,
        show: Callable[[str, LaneFrame], None],
        ask: Callable[[str], None],
        note: LaneNote,
        max_pixels: int,
        turn: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._show = show
        self._ask = ask
        self._note = note
        self._max_pixels = max_pixels
        self._turn = turn
        self._took_s = 0.0
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
            if not video.waiting:
                # Nobody saves up time by sending nothing.
                video.took_s = max(video.took_s, self._took_s)
            elif video.waiting_bytes > MAX_WAITING_BYTES:
                video.drop()
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
        try:
            while True:
                self._work()
        except Exception:
            # Without this thread the process is of no use; the pool starts another.
            logger.exception("Videos can not be decoded any more")
            os._exit(1)

    def _work(self) -> None:
        with self._changed:
            self._changed.wait_for(self._has_work)
            waiting = [(video.took_s, sid) for sid, video in self._videos.items() if video.waiting]
            self._took_s, sid = min(waiting)
            video = self._videos[sid]
            frame, asks = self._next(sid, video)
        if asks:
            self._ask(sid)
        if frame is not None:
            began_s = time.thread_time()
            self._decode(sid, video, frame)
            video.took_s += time.thread_time() - began_s

    def _has_work(self) -> bool:
        return any(video.waiting for video in self._videos.values())

    def _next(self, sid: str, video: _Video) -> tuple[EncodedInput | None, bool]:
        """Take a video's next frame; says whether it can go on from a key frame only."""
        behind_s = time.monotonic() - video.waiting[0].info.received_monotonic_s
        is_late = behind_s > MAX_WAITING_S or video.waiting_bytes > MAX_WAITING_BYTES
        if is_late and len(video.waiting) > 1 and (dropped := video.drop()):
            logger.info("Session %s: %d frames came too late to be decoded", sid, dropped)
        if not video.waiting:
            return None, True
        frame = video.take()
        if video.needs_key_frame and not frame.is_key_frame and not frame.is_damaged:
            return None, True
        video.needs_key_frame = False
        return (frame if video.layers.take(frame, is_behind=behind_s > BEHIND_S) else None), False

    def _decode(self, sid: str, video: _Video, frame: EncodedInput) -> None:
        with self._turn():
            self._busy = (sid, time.monotonic())
            self._note.begin(sid)
            try:
                decoded = video.decoder.decode(frame)
            except NotDecoded as error:
                logger.info("Session %s: a frame can not be decoded: %s", sid, error)
                decoded, video.needs_key_frame = None, True
            finally:
                self._note.done()
                self._busy = None
        if video.needs_key_frame:
            self._ask(sid)
        if decoded is None or not decoded[0].is_wanted:
            return
        shown, picture = decoded
        now_s = time.monotonic()
        if video.waiting and now_s - shown.info.received_monotonic_s > STALE_S:
            return
        self._show(sid, LaneFrame(shown.info, picture, now_s))
