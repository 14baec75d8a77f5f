"""Lanes that see every frame: what waits for them, undecoded, and what is left out of it.

Frames wait as they were encoded, and the lane decodes them on its own thread, in order: the same as
pictures would take a hundred times the room. What the other lanes look at is decoded apart from it,
so that they are as they would be without. What waits is bounded in number, bytes and time. When it
is more, a whole run of frames is left out, up to the newest key frame that waits or the next one,
so that what is seen is consecutive again from there.

A person waits for what the other lanes say, and for what these say nobody does: while another one
has a frame, or is about to get one, these wait, for a moment.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import av
import orjson

from analyzers.lane import Fragments, Lane, LaneReport
from analyzers.ordering import read_elsewhere
from server.workers.analyzed import AnalyzedSession, LaneJob, LaneRunner
from server.workers.lane_frame import LaneFrame
from server.workers.messages import (
    MAX_LAG_S,
    PICTURE,
    EncodedInput,
    KeyFrameWanted,
    LaneIsBehind,
    Seen,
)
from server.workers.video_decoder import NotDecoded, VideoDecoder

# Those of `MAX_LAG_S` at 60 frames a second.
MAX_WAITING = 240
# Of video, `MAX_LAG_S` at 64 Mb/s; of raw frames of 720p, as cameras of the server's have them, 24.
MAX_WAITING_BYTES = 32 * 2**20
# Of all sessions of a worker together.
MAX_ALL_WAITING_BYTES = 128 * 2**20
# For so long a frame waits while lanes that somebody waits for are at work: three frames' time, and
# half of what counts as in time.
YIELDS_S = 0.1
# A lane keeps up again when it has lost nothing for so long, and is hardly late.
CALM_S = 5.0
IN_TIME_MS = 200.0
# A key frame takes a moment to come, and is large. Who gives none is asked twice as late each time.
ASK_EVERY_S, LONGEST_PAUSE_S = 0.5, 8.0
# Whoever has given none for so long does not when asked, and their client is to know.
BLIND_AFTER_S = 10.0

Waiting = EncodedInput | LaneFrame


class Backlog:
    """What waits for one lane of one session, in the order of decoding."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self.bytes = 0
        """How much waits."""
        self.needs_key_frame = True
        """Whether what comes builds on what was left out."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Waiting) -> None:
        """Take the next frame, unless it builds on what was left out."""
        if self.needs_key_frame and not _begins(frame):
            return
        self.needs_key_frame = False
        self._waiting.append(frame)
        self.bytes += _bytes_of(frame)

    @property
    def oldest(self) -> Waiting | None:
        """The frame that has waited longest, if any does."""
        return self._waiting[0] if self._waiting else None

    def take(self) -> Waiting:
        """Take the frame that has waited longest."""
        frame = self._waiting.popleft()
        self.bytes -= _bytes_of(frame)
        return frame

    def cut(self, now_s: float) -> int:
        """Leave a run of frames out, if more waits than may; says how many."""
        return self.leave_out() if self._waiting and self._is_too_much(now_s) else 0

    def leave_out(self) -> int:
        """Leave a run of frames out, if more than one waits; says how many."""
        if len(self._waiting) < 2:
            return 0
        newest = max((at for at in self._key_frames() if at), default=None)
        return self._leave_out_before(newest)

    def begin_anew(self) -> None:
        """Leave out what builds on a frame that could not be decoded: up to a key frame."""
        self._leave_out_before(min(self._key_frames(), default=None))

    def _key_frames(self) -> list[int]:
        return [at for at, frame in enumerate(self._waiting) if _is_key_frame(frame)]

    def _leave_out_before(self, begin: int | None) -> int:
        count = len(self._waiting) if begin is None else begin
        for _ in range(count):
            self.take()
        self.needs_key_frame = begin is None
        return count

    def _is_too_much(self, now_s: float) -> bool:
        behind_s = now_s - self._waiting[0].info.received_monotonic_s
        is_long = len(self._waiting) > MAX_WAITING or self.bytes > MAX_WAITING_BYTES
        return is_long or behind_s > MAX_LAG_S


class Feed:
    """One session's frames for one lane that sees all of them.

    Called under the dispatcher's lock, but for what its jobs do on the lane's thread; of these
    there is one at a time.

    Parameters
    ----------
    session
        Whose frames.
    runner
        The lane.
    send
        Takes the messages for the server.
    max_pixels
        Larger pictures are not decoded.
    """

    def __init__(
        self,
        session: AnalyzedSession,
        runner: LaneRunner,
        send: Callable[[object], None],
        max_pixels: int,
    ) -> None:
        self.session = session
        self.lane = runner.lane.name
        members = runner.lane.analyzers
        self.analyzers = tuple(a.name for a in members if a in session.analyzers)
        self._reads = read_elsewhere(members, session.analyzers)
        session.keep_what_was_said(self._reads)
        self._send = send
        self._backlog = Backlog()
        self._decoder = VideoDecoder(max_pixels)
        self._decoded: deque[tuple[EncodedInput, av.VideoFrame]] = deque()
        self._failed = False
        self._has_decoded = False
        self._asked_s = float("-inf")
        self._pause_s = ASK_EVERY_S
        self._blind_since_s: float | None = None
        self._is_told_blind = False
        self._cut_s = float("-inf")
        self._is_behind = False
        self.seen = Seen(0, 0, 0.0)
        """What it has seen so far."""

    def put(self, frame: Waiting, now_s: float) -> None:
        """Take the next frame."""
        self._backlog.put(frame)
        self._cut(now_s)
        self._ask_if_needed(now_s)

    @property
    def waiting_bytes(self) -> int:
        """How much waits."""
        return self._backlog.bytes

    def can_wait(self, now_s: float) -> bool:
        """Whether what waits has not waited for long."""
        oldest = self._decoded[0][0] if self._decoded else self._backlog.oldest
        return oldest is None or now_s - oldest.info.received_monotonic_s < YIELDS_S

    def make_room(self, now_s: float) -> None:
        """Leave a run of frames out: all sessions together have too many."""
        self._note_left_out(self._backlog.leave_out(), now_s)
        self._ask_if_needed(now_s)

    def next_job(self, now_s: float) -> LaneJob | None:
        """What the lane is to do next, if anything waits."""
        self._cut(now_s)
        if not self._backlog and not self._decoded:
            return None
        # What a decoder gave out together is looked at before it is given more.
        frame = None if self._decoded else self._backlog.take()
        number = frame.info.number if frame else self._decoded[0][0].info.number
        known = {name: self.session.said_before(name, number) for name in self._reads}

        def run(lane: Lane) -> LaneReport:
            job.frame = self._picture(frame)
            rgb = job.frame.rgb() if job.frame else None
            if job.frame is None or rgb is None:
                return LaneReport()
            report = lane.frame(job.sid, rgb, job.frame.info.pts_ms, _loaded(known))
            return self.session.writing.prepare(report)

        job = LaneJob(self.session.sid, run, {self.lane}, None, now_s)
        return job

    def finished(self, job: LaneJob, now_s: float) -> None:
        """The lane has done a job."""
        if self._failed:
            self._failed = False
            self._backlog.begin_anew()
            self._ask_if_needed(now_s)
        elif (self._has_decoded or job.frame) and not self._backlog.needs_key_frame:
            self._pause_s, self._blind_since_s = ASK_EVERY_S, None
        self._has_decoded = False
        if job.frame is None or job.frame.fault is not None:
            return
        info = job.frame.info
        lag_ms = (job.frame.taken_s - info.received_monotonic_s) * 1000
        self.seen = Seen(info.number, self.seen.count + 1, max(lag_ms, 0.0))
        is_calm = self._blind_since_s is None and now_s - self._cut_s > CALM_S
        if self._is_behind and is_calm and lag_ms < IN_TIME_MS:
            self._tell(False, 0)

    def _cut(self, now_s: float) -> None:
        self._note_left_out(self._backlog.cut(now_s), now_s)

    def _note_left_out(self, left_out: int, now_s: float) -> None:
        if not left_out:
            return
        self._cut_s = now_s
        has_sight_again = self._is_told_blind and self._blind_since_s is None
        if not self._is_behind or has_sight_again:
            self._tell(True, left_out)

    def _tell(self, is_behind: bool, left_out: int, is_blind: bool = False) -> None:
        self._is_behind, self._is_told_blind = is_behind, is_blind
        sid, seen = self.session.sid, self.seen
        self._send(LaneIsBehind(sid, self.analyzers, is_behind, seen, left_out, is_blind))

    def _ask_if_needed(self, now_s: float) -> None:
        # A damaged frame may begin, and most can not be decoded: only a picture ends a gap.
        if not self._backlog.needs_key_frame:
            return
        if self._blind_since_s is None:
            self._blind_since_s = now_s
        if now_s - self._blind_since_s > BLIND_AFTER_S and not self._is_told_blind:
            self._tell(True, 0, is_blind=True)
        if now_s - self._asked_s > self._pause_s:
            # The first time, whatever was asked for another gap.
            is_first = now_s == self._blind_since_s
            self._pause_s = ASK_EVERY_S if is_first else min(2 * self._pause_s, LONGEST_PAUSE_S)
            self._asked_s = now_s
            self._send(KeyFrameWanted(self.session.sid))

    # ---- on the lane's thread

    def _picture(self, frame: Waiting | None) -> LaneFrame | None:
        taken_s = time.monotonic()
        if isinstance(frame, LaneFrame):
            frame.taken_s = taken_s
            return frame
        if frame is not None and frame.codec == PICTURE:
            return LaneFrame(frame.info, frame.data, taken_s)
        if frame is not None:
            try:
                pictures = self._decoder.pictures(frame)
            except NotDecoded:
                self._failed = True
                return None
            self._has_decoded = bool(pictures)
            self._decoded += [each for each in pictures if each[0].is_wanted_late]
        if not self._decoded:
            return None
        told, picture = self._decoded.popleft()
        shown = LaneFrame(told.info, picture, taken_s)
        # However old it is, it is wanted.
        shown.is_live = False
        return shown


class ConsecutiveLanes:
    """A worker's lanes that see every frame.

    Parameters
    ----------
    runners
        All lanes; the others are passed over.
    send
        Takes the messages for the server.
    max_pixels
        Larger pictures are not decoded.
    is_awaited
        Says whether somebody waits for what another lane is at, or is about to begin.
    """

    def __init__(
        self,
        runners: Sequence[LaneRunner],
        send: Callable[[object], None],
        max_pixels: int,
        is_awaited: Callable[[], bool],
    ) -> None:
        self._is_awaited = is_awaited
        self._runners = [runner for runner in runners if runner.lane.is_consecutive]
        self._send = send
        self._max_pixels = max_pixels
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._turn = 0

    def start(self, session: AnalyzedSession) -> None:
        """Begin a session."""
        for runner in self._runners:
            if runner in session.lanes:
                feed = Feed(session, runner, self._send, self._max_pixels)
                self._feeds[session.sid, feed.lane] = feed

    def wants(self, session: AnalyzedSession) -> bool:
        """Whether a session has such lanes."""
        return any(runner in session.lanes for runner in self._runners)

    def put(self, session: AnalyzedSession, frame: Waiting) -> None:
        """Take a session's next frame; an idle lane begins with it."""
        now_s = time.monotonic()
        for feed in self._of(session):
            feed.put(frame, now_s)
            self._bound(now_s)
        self.serve(now_s)

    def _bound(self, now_s: float) -> None:
        """Leave out of what takes most, if all that waits is too much."""
        if sum(feed.waiting_bytes for feed in self._feeds.values()) > MAX_ALL_WAITING_BYTES:
            max(self._feeds.values(), key=lambda feed: feed.waiting_bytes).make_room(now_s)

    def serve(self, now_s: float) -> None:
        """Give every idle lane the next frame of the session whose turn it is."""
        idle = [runner for runner in self._runners if not runner.outstanding]
        yields = bool(idle) and self._is_awaited()
        for runner in idle:
            name = runner.lane.name
            feeds = [feed for feed in self._feeds.values() if feed.lane == name]
            for feed in sorted(feeds, key=lambda f: f.session.turns.get(name, 0)):
                if yields and feed.can_wait(now_s):
                    continue
                job = feed.next_job(now_s) if feed.session.ending is None else None
                if job is not None:
                    self._turn += 1
                    feed.session.turns[name] = self._turn
                    runner.submit(job)
                    break

    def finished(self, runner: LaneRunner, job: LaneJob) -> None:
        """A lane has done a job."""
        feed = self._feeds.get((job.sid, runner.lane.name))
        if feed is not None:
            feed.finished(job, time.monotonic())

    def seen(self, session: AnalyzedSession) -> dict[str, Seen]:
        """What each analyzer that sees every frame has seen of a session's."""
        return {name: feed.seen for feed in self._of(session) for name in feed.analyzers}

    def forget(self, session: AnalyzedSession) -> None:
        """The session has ended."""
        for feed in self._of(session):
            del self._feeds[session.sid, feed.lane]

    def _of(self, session: AnalyzedSession) -> list[Feed]:
        return [feed for (sid, _), feed in self._feeds.items() if sid == session.sid]


def _begins(frame: Waiting) -> bool:
    is_damaged = isinstance(frame, EncodedInput) and frame.is_damaged
    return is_damaged or _is_key_frame(frame)


def _is_key_frame(frame: Waiting) -> bool:
    return isinstance(frame, LaneFrame) or frame.is_key_frame


def _bytes_of(frame: Waiting) -> int:
    if isinstance(frame, LaneFrame):
        return frame.info.width * frame.info.height * 3 // 2
    return len(frame.data)


def _loaded(known: Mapping[str, Fragments | None]) -> dict[str, dict[str, Any]]:
    """What analyzers said, as the client gets it."""
    return {
        name: {key: orjson.loads(value) for key, value in fragments.items()}
        for name, fragments in known.items()
        if fragments is not None
    }
