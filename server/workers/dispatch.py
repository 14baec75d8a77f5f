"""Which frame goes to which lane when, and when a result goes out.

Called under one lock, and so computes nothing: pictures are decoded, and their colours converted,
by the first lane that looks at them. Lanes that usually take less than PATIENCE_S go *in step*: all
of a session's see the same frame, and their values go out in one result. A slower lane goes at its
own pace and nobody waits for it; a result then carries the last values it gave, and says of which
frame they are. When all of a session's lanes are slow, a result goes out whenever one of them has
finished a newer frame. Lanes that see every frame are never in step (`consecutive.py`).

Sessions take turns, the one served longest ago first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from analyzers.chain import Merged
from analyzers.lane import Fragments, Lane, LaneReport
from analyzers.ordering import closure
from server.workers.analyzed import AnalyzedSession, LaneJob, LaneRunner
from server.workers.consecutive import ConsecutiveLanes
from server.workers.drawing import Drawing
from server.workers.lane_frame import LaneFrame
from server.workers.messages import (
    ChangeOptions,
    Draw,
    EncodedInput,
    End,
    Final,
    FrameAvailable,
    FrameResult,
    Problems,
    Shoot,
    Start,
    Unreadable,
    Write,
    is_of_video,
)
from server.workers.newest_frame import NewestFrame

# A result that waits longer than this feels late to the person who moves.
PATIENCE_S = 0.150


class Decoder(Protocol):
    """Decodes videos, elsewhere, and hands what it has decoded to `Dispatcher.show`."""

    def put(self, frame: EncodedInput) -> None: ...

    def forget(self, sid: str) -> None: ...


class Dispatcher:
    """A worker's sessions.

    Parameters
    ----------
    lanes
        What runs the analyzers.
    order
        The analyzers' names in the order of the configuration: on the same key the later wins.
    send
        Takes the messages for the server.
    drawing
        Draws and shows the frames of sessions that somebody watches.
    decoder
        Decodes what comes of videos.
    max_pixels
        Larger pictures are not decoded for lanes that see every frame.
    """

    def __init__(
        self,
        lanes: Sequence[LaneRunner],
        order: Sequence[str],
        send: Callable[[object], None],
        drawing: Drawing,
        decoder: Decoder,
        max_pixels: int,
    ) -> None:
        self._lanes = lanes
        self._drawing = drawing
        self._decoder = decoder
        self._order = order
        self._send = send
        self._sessions: dict[str, AnalyzedSession] = {}
        self._undrawn: list[tuple[str, LaneFrame, dict[str, Fragments] | None]] = []
        self._consecutive = ConsecutiveLanes(lanes, send, max_pixels, self._is_awaited)
        self._typical_s = dict.fromkeys((lane.lane.name for lane in lanes), 0.0)
        self._turn = 0
        self._old_before_s = float("-inf")

    def receive(self, message: object) -> None:
        """Carry out what the server says."""
        match message:
            case Start():
                self._start(message)
            case FrameAvailable(sid, mailbox):
                self._ring(sid, mailbox)
            case EncodedInput():
                self._take(message)
            case Draw(sid, wanted, annotated):
                (self._want_drawn if annotated else self._want_shown)(sid, wanted)
            case ChangeOptions(sid, options):
                self._to_lanes(sid, lambda lane: lane.configure(sid, options))
            case Write(sid, forms):
                if (session := self._sessions.get(sid)) is not None:
                    session.writing.forms = forms
            case Shoot(sid):
                if (session := self._sessions.get(sid)) is not None:
                    self._drawing.shoot(sid, session.newest.frame)
            case End(sid, timestamp_ms, moves):
                self._end(sid, timestamp_ms, moves)
            case _:
                raise TypeError(f"a worker does not know {message!r}")

    # ---- messages

    def _start(self, message: Start) -> None:
        sid = message.sid
        wanted = closure(message.analyzers, [a for r in self._lanes for a in r.lane.analyzers])
        lanes = [r for r in self._lanes if any(a.name in wanted for a in r.lane.analyzers)]
        analyzers = [a for r in lanes for a in r.lane.analyzers if a.name in wanted]
        session = self._sessions[sid] = AnalyzedSession(
            sid,
            lanes,
            analyzers,
            Merged(self._order),
            NewestFrame(lambda frame: self._arrived(session, frame)),
        )
        states = session.remember(message.memory)
        self._consecutive.start(session)
        self._to_lanes(
            sid, lambda lane: lane.start(sid, message.timestamp_ms, wanted, message.options, states)
        )

    def _ring(self, sid: str, mailbox: str) -> None:
        session = self._sessions.get(sid)
        if session is None or session.ending is not None:
            return
        before, takes_all = session.newest.frame, self._consecutive.wants(session)
        if session.newest.ring(mailbox) and (session.is_shown or takes_all):
            session.newest.look(self._old_before_s)
            if (newest := session.newest.frame) is not None and newest is not before:
                self._consecutive.put(session, newest)

    def _take(self, frame: EncodedInput) -> None:
        session = self._sessions.get(frame.sid)
        if session is None or session.ending is not None:
            return
        if is_of_video(frame):
            if frame.is_wanted:
                session.newest.arrived = frame.info.number
            self._decoder.put(frame)
        else:
            session.newest.put(LaneFrame(frame.info, frame.data, time.monotonic()))
        self._consecutive.put(session, frame)

    def show(self, sid: str, frame: LaneFrame) -> None:
        """Take a session's newest frame, decoded."""
        session = self._sessions.get(sid)
        if session is not None and session.ending is None:
            session.newest.put(frame)

    def _arrived(self, session: AnalyzedSession, frame: LaneFrame) -> None:
        if session.is_shown:
            self._undrawn.append((session.sid, frame, None))

    def was_stopped(self, until_s: float) -> None:
        """This process has stood still: what came of videos before is too old to be told of.

        Parameters
        ----------
        until_s
            By the clock of ``FrameInfo.received_monotonic_s``.
        """
        self._old_before_s = until_s

    def _want_shown(self, sid: str, wanted: bool) -> None:
        session = self._sessions.get(sid)
        if session is None or wanted is session.is_shown:
            return
        if wanted and session.ending is None:
            session.is_shown = True
            self._drawing.begin(sid, None)
        elif session.is_shown:
            session.is_shown = False
            self._drawing.end(sid, False)

    def _want_drawn(self, sid: str, wanted: bool) -> None:
        session = self._sessions.get(sid)
        if session is None or wanted is (session.drawn is not None):
            return
        if wanted and session.ending is None:
            session.drawn = session.sent
            self._drawing.begin(sid, session.analyzers)
        elif session.drawn is not None:
            session.drawn = None
            self._drawing.end(sid, True)

    def _to_lanes(self, sid: str, run: Callable[[Lane], LaneReport]) -> LaneJob:
        session = self._sessions.get(sid)
        lanes = session.lanes if session else ()
        return _submit(lanes, LaneJob(sid, run, {runner.lane.name for runner in lanes}))

    def _end(self, sid: str, timestamp_ms: float, moves: bool) -> None:
        session = self._sessions.get(sid)
        if session is None:
            self._send(Final(sid))
            return
        self._want_drawn(sid, False)
        self._want_shown(sid, False)
        self._decoder.forget(sid)
        writing = session.writing
        session.ending = self._to_lanes(
            sid, lambda lane: writing.prepare(lane.end(sid, timestamp_ms, moves=moves))
        )
        self._finish_if_ended(session, session.ending)

    # ---- frames to lanes

    def dispatch(self, now: float) -> None:
        """Give every idle lane the newest frame of the session whose turn it is."""
        waiting = [s for s in self._sessions.values() if s.ending is None]
        for session in waiting:
            if session.step and now - session.step.began_s >= PATIENCE_S:
                self._give_up_waiting(session)
        waiting.sort(key=lambda s: s.served)
        for session in waiting:
            self._begin_step(session, now)
            self._show_unanswered(session)
        self._consecutive.serve(time.monotonic())
        for runner in self._lanes:
            if not (self._in_step(runner) or runner.lane.is_consecutive):
                self._feed_slow_lane(runner, now)

    def _in_step(self, runner: LaneRunner) -> bool:
        return not runner.lane.is_consecutive and self._typical_s[runner.lane.name] <= PATIENCE_S

    def _is_awaited(self) -> bool:
        """Whether quick lanes have a session's newest frame, or are about to get it."""
        return any(
            session.step is not None or session.is_ahead_of(runner.lane.name)
            for session in self._sessions.values()
            for runner in filter(self._in_step, session.lanes)
            if session.ending is None
        )

    def _begin_step(self, session: AnalyzedSession, now: float) -> None:
        if session.step is not None:
            return
        runners = [r for r in session.lanes if self._in_step(r)]
        if not runners or any(r.outstanding for r in runners):
            return
        newest = session.newest.look(self._old_before_s)
        if newest is None or any(
            session.taken.get(r.lane.name, 0) >= newest.info.number for r in runners
        ):
            return
        self._turn += 1
        session.served = self._turn
        session.step = self._analyze(runners, session, newest, now)

    def _show_unanswered(self, session: AnalyzedSession) -> None:
        """Draw each frame of a session that has no analyzers, and so no results to go with."""
        if session.drawn is None or session.lanes:
            return
        newest = session.newest.look(self._old_before_s)
        if newest is not None:
            self._draw(session, newest)

    def _feed_slow_lane(self, runner: LaneRunner, now: float) -> None:
        if runner.outstanding:
            return
        name = runner.lane.name
        sessions = [s for s in self._sessions.values() if runner in s.lanes and s.ending is None]
        for session in sorted(sessions, key=lambda s: s.turns.get(name, 0)):
            newest = session.newest.look(self._old_before_s)
            if newest is not None and session.taken.get(name, 0) < newest.info.number:
                self._turn += 1
                session.turns[name] = self._turn
                self._analyze([runner], session, newest, now)
                return

    def _analyze(
        self, runners: Sequence[LaneRunner], session: AnalyzedSession, newest: LaneFrame, now: float
    ) -> LaneJob:
        sid = session.sid

        def run(lane: Lane) -> LaneReport:
            rgb = newest.rgb()
            if rgb is None:
                return LaneReport()
            return session.writing.prepare(lane.frame(sid, rgb, newest.info.pts_ms))

        names = {runner.lane.name for runner in runners}
        session.taken.update(dict.fromkeys(names, newest.info.number))
        return _submit(runners, LaneJob(sid, run, names, newest, now))

    # ---- what lanes report

    def finished(
        self, runner: LaneRunner, job: LaneJob, report: LaneReport, duration_s: float
    ) -> None:
        """Take in what a lane has done."""
        name = runner.lane.name
        session = self._sessions.get(job.sid)
        # Before this frame changes it: it was given to the lane by what was known then.
        on_its_own = session is not None and not any(self._in_step(r) for r in session.lanes)
        job.waiting.discard(name)
        if job.frame is not None:
            self._typical_s[name] += 0.5 * (duration_s - self._typical_s[name])
        if session is None:
            return
        self._consecutive.finished(runner, job)
        if report.problems or report.anew:
            self._send(Problems(session.sid, report.problems, report.anew))
        session.take(report, job.frame.info.number if job.frame else None)
        if job is session.ending:
            self._finish_if_ended(session, job)
        elif job.frame is not None:
            self._after_frame(session, job.frame, on_its_own)

    def _after_frame(self, session: AnalyzedSession, frame: LaneFrame, on_its_own: bool) -> None:
        step = session.step
        if step is not None and step.frame is frame:
            step.answered = True
            if not step.waiting:
                session.step = None
                self._send_result(session, frame)
        elif on_its_own and frame.info.number > session.sent:
            self._send_result(session, frame)

    def _give_up_waiting(self, session: AnalyzedSession) -> None:
        """A lane has become slow in the middle of a frame: the others' result goes out."""
        step = session.step
        assert step is not None
        assert step.frame is not None
        session.step = None
        for name in step.waiting:
            self._typical_s[name] = max(self._typical_s[name], 2 * PATIENCE_S)
        if step.answered:
            self._send_result(session, step.frame)

    def _send_result(self, session: AnalyzedSession, frame: LaneFrame) -> None:
        if session.ending is not None or frame.is_before(self._old_before_s):
            return
        info = frame.info
        session.sent = info.number
        if frame.fault is not None:
            self._send(Unreadable(session.sid, info, frame.fault))
            return
        held = {name: number for name, number in session.seen.items() if number != info.number}
        fragments = session.merged.fragments()
        self._send(
            FrameResult(
                session.sid,
                info,
                session.writing.json(fragments),
                session.timings_ms,
                held,
                frame.taken_s,
                time.monotonic(),
                session.writing.compact(fragments),
                session.new_events(fragments),
                self._consecutive.seen(session),
            )
        )
        session.timings_ms = {}
        self._draw(session, frame)

    def _draw(self, session: AnalyzedSession, frame: LaneFrame) -> None:
        """Have a frame drawn with what is known, if somebody watches and has not seen it."""
        if session.drawn is not None and frame.info.number > session.drawn:
            session.drawn = frame.info.number
            self._undrawn.append((session.sid, frame, dict(session.said)))

    def draw(self) -> None:
        """Hand over what is to be drawn; called once the results are on their way."""
        for sid, frame, said in self._undrawn:
            self._drawing.put(sid, frame, said)
        self._undrawn.clear()

    def _finish_if_ended(self, session: AnalyzedSession, last: LaneJob) -> None:
        if last.waiting:
            return
        fragments, writing = session.merged.fragments(), session.writing
        said = writing.json(fragments), session.timings_ms, writing.compact(fragments)
        self._send(Final(session.sid, *said, self._consecutive.seen(session), session.memory))
        self._consecutive.forget(session)
        session.newest.close()
        del self._sessions[session.sid]


def _submit(runners: Sequence[LaneRunner], job: LaneJob) -> LaneJob:
    for runner in runners:
        runner.submit(job)
    return job
