"""A session's frames on their way in: each gets a number and a time, and goes to the worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import av

from server.media.clock import SessionClock, TrackClock
from server.media.convert import as_i420
from server.media.encoded_frame import EncodedFrame
from server.media.encoder import VIDEO_CLOCK_HZ
from server.media.lateness import Lateness
from server.media.picture import EncodedPicture
from server.rtc import IncomingVideo
from server.security.token_bucket import TokenBucket
from server.sessions.metrics import Metrics
from server.sessions.pace import Pace
from server.sessions.recording import SessionRecorder
from server.sessions.shown_frames import ShownFrames
from server.sessions.worker_link import WorkerLink
from server.workers.mailbox import FrameInfo
from server.workers.messages import MAX_LAG_S, PICTURE, EncodedInput


class Intake:
    """Where frames come in, whatever they come as.

    Parameters
    ----------
    sid
        The session's id.
    incoming
        Its peer's video.
    worker
        Takes the frames.
    pictures
        What the worker decodes for those who watch.
    rate
        How many frames a second are taken; others count as dropped.
    metrics
        Counts what passes.

    Attributes
    ----------
    is_open
        Whether frames are taken.
    clock
        The session's time.
    count
        Frames that came.
    done
        Frames that were dealt with: analyzed, or found to be damaged.
    newest
        What is known of the last one that came.
    recorder
        Records what comes, if anything does.
    on_pace
        Tells whoever sends the video how much of it is wanted.
    wants_all
        Whether analyzers are to see every frame, so that none should be left out by the sender.
    """

    def __init__(
        self,
        sid: str,
        incoming: IncomingVideo,
        worker: WorkerLink,
        pictures: ShownFrames,
        rate: TokenBucket,
        metrics: Metrics,
    ) -> None:
        self.is_open = False
        self.clock = SessionClock()
        self.count = self.done = 0
        self.newest: FrameInfo | None = None
        self.recorder: SessionRecorder | None = None
        self.on_pace: Callable[[Pace], None] | None = None
        self.wants_all = False
        self._sid = sid
        self._incoming = incoming
        self._worker = worker
        self._pictures = pictures
        self._rate = rate
        self._patient_rate = TokenBucket(rate.per_s, MAX_LAG_S)
        self._metrics = metrics
        self._connection = 0
        self._takes_video = True
        self._track_clock = TrackClock(self.clock)
        self._lateness = Lateness()
        self._pace = Pace()
        incoming.listen(self._put_peers)

    def take_over(self, count: int, elapsed_s: float) -> None:
        """Go on with another node's count and time; what came here before is not counted.

        Parameters
        ----------
        count
            Frames that came there.
        elapsed_s
            Since the first of them; 0 where there was none.
        """
        self.count = self.done = count
        self.newest = None
        if elapsed_s:
            self.clock.go_on(elapsed_s, time.monotonic())
        self.begin_video()

    def put_frame(self, frame: av.VideoFrame, clock: TrackClock) -> None:
        """Take a raw frame; it replaces one that still waits."""
        if not self.is_open:
            return
        frame = as_i420(frame)
        now_s = time.monotonic()
        pts_ms = clock.session_ms(frame, now_s)
        info = self._arrived(pts_ms, now_s, frame.width, frame.height)
        if self._takes_picture(now_s):
            if self.recorder is not None:
                self.recorder.video(frame, info.pts_ms)
            self._worker.put(frame, info)

    def put_picture(self, picture: EncodedPicture) -> int:
        """Take a frame that came as a picture, which a worker decodes.

        Returns
        -------
        Its number, which the result will have: from 1, or 0 when it is not taken.
        """
        if not self.is_open:
            return 0
        now_s = time.monotonic()
        self.clock.begin(now_s)
        pts_ms = self.clock.elapsed_s(now_s) * 1000
        info = self._arrived(pts_ms, now_s, picture.width, picture.height)
        if not self._takes_picture(now_s):
            return 0
        if not self._worker.put_picture(EncodedInput(self._sid, info, PICTURE, picture.data)):
            return 0
        if self.recorder is not None:
            self.recorder.video(picture, pts_ms)
        return info.number

    def put_audio(self, frame: av.AudioFrame, clock: TrackClock) -> None:
        """Take a decoded piece of sound: recorded, if anything is."""
        if self.recorder is not None and self.is_open:
            self.recorder.audio(frame, clock.session_ms(frame, time.monotonic()))

    def begin_video(self) -> None:
        """A video begins, or begins anew: its times hold from its next frame on."""
        self._track_clock = TrackClock(self.clock)
        self._lateness = Lateness()

    def put_video(self, frame: EncodedFrame, *, is_wanted: bool = True) -> int:
        """Take a video's next frame, which a worker decodes.

        Parameters
        ----------
        frame
            As whoever sent it encoded it.
        is_wanted
            Whether analyzers are to see it, if there is time.

        Returns
        -------
        Its number: from 1, or 0 when it is not taken. Results have it where frames are shown in
        the order in which they come; elsewhere, that of its place in the order of showing.
        """
        if not (self.is_open and self._takes_video):
            return 0
        now_s = time.monotonic()
        track_ms = frame.timestamp * 1000 / VIDEO_CLOCK_HZ
        info = self._arrived(self._track_clock.place_ms(track_ms, now_s), now_s)
        # After this process stood still, or the network, what lay about comes before what is new.
        is_late = self._lateness.is_late(now_s * 1000 - track_ms, now_s)
        kind = (frame.codec, frame.data, frame.is_key_frame, frame.is_damaged)
        is_wanted_late = is_wanted and self.wants_all and self._patient_rate.allow(now_s)
        is_wanted = is_wanted and self._rate.allow(now_s) and not is_late
        layer = (frame.layer, frame.is_layer_sync)
        self._worker.put_video(
            EncodedInput(self._sid, info, *kind, is_wanted, *layer, is_wanted_late)
        )
        if self.recorder is not None and self.recorder.encoded(frame, info.pts_ms):
            self._incoming.request_key_frame()
        return info.number

    def end_video(self, codec: str) -> None:
        """The video is over: have what its decoder holds back looked at."""
        if self.is_open and self.newest is not None:
            info = replace(self.newest, number=self.count + 1)
            end = EncodedInput(self._sid, info, codec, b"", is_key_frame=False, is_wanted=False)
            self._worker.put_video(end)

    def refuse_video(self) -> None:
        """Take no more of a video."""
        self._takes_video = False
        self._incoming.unlisten(self._put_peers)

    # ---- a peer's video

    def _put_peers(self, frame: EncodedFrame) -> None:
        if not self.is_open:
            return
        if self._connection != self._incoming.connections:
            # What was known of a sender does not hold of the next.
            self._connection = self._incoming.connections
            self._pace = Pace()
            self.begin_video()
        self.put_video(frame)
        self._look_at_pace(time.monotonic())

    def _look_at_pace(self, now_s: float) -> None:
        changes = self._pace.look(now_s, self.count, self.done)
        is_watched = self._incoming.is_watched or self._pictures.is_watched
        if is_watched or self.wants_all or self.recorder is not None:
            # What people watch, or analyzers need all of, is not made worse for the others' sake.
            changes = self._pace.max_fps is not None
            self._pace = Pace()
        if changes and self.on_pace is not None:
            self.on_pace(self._pace)

    def _takes_picture(self, now_s: float) -> bool:
        return (self._patient_rate if self.wants_all else self._rate).allow(now_s)

    def _arrived(self, pts_ms: float, now_s: float, width: int = 0, height: int = 0) -> FrameInfo:
        self.count += 1
        self._metrics.frames_in.inc()
        self.newest = FrameInfo(self.count, pts_ms, time.time() * 1000, now_s, width, height)
        return self.newest
