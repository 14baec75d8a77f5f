"""One session: frames in, results out, whatever door they came through."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from server.rtc import IncomingVideo
from server.security.identity import ANONYMOUS, Identity
from server.security.token_bucket import TokenBucket
from server.sessions.arrival import Arrival
from server.sessions.chosen_analyzers import ChosenAnalyzers
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.figures import SessionFigures
from server.sessions.intake import Intake
from server.sessions.luggage import Luggage
from server.sessions.metrics import Metrics
from server.sessions.notes import Notes
from server.sessions.observer import Observer
from server.sessions.outgoing import Outgoing
from server.sessions.recording import RecorderFactory
from server.sessions.report import summary
from server.sessions.results import Result
from server.sessions.shown_frames import ShownFrames
from server.sessions.state import SessionState
from server.sessions.subscribers import SessionSubscribers
from server.sessions.worker_link import WorkerLink
from server.workers.blame import Fault
from server.workers.messages import (
    DECODING,
    ChangeOptions,
    Drawn,
    End,
    Final,
    FrameResult,
    KeyFrameNeeded,
    KeyFrameWanted,
    LaneIsBehind,
    Memory,
    Problems,
    Ready,
    Unreadable,
)
from server.workers.pool import WorkerPool

logger = logging.getLogger(__name__)

MOVES_ON = "it goes on at another node"


class Session(SessionFigures):
    """Frames in, results out.

    Parameters
    ----------
    pool
        Where the analyzers run.
    analyzers
        Names of those that this session wants.
    options
        For each analyzer, by name, what the client set.
    metrics
        Counts what passes.
    recorder
        Records the session; None records nothing.
    by
        Who opened it.
    gate
        Keeps embeddings sealed outside; None leaves them as they are.
    rate
        How many frames a second it takes; None takes all.
    sid
        Its id; None makes one up.
    observer
        Is told what becomes of it.
    """

    def __init__(
        self,
        pool: WorkerPool,
        analyzers: Sequence[str],
        options: dict[str, dict[str, Any]],
        metrics: Metrics,
        recorder: RecorderFactory | None = None,
        by: Identity = ANONYMOUS,
        gate: EmbeddingGate | None = None,
        rate: TokenBucket | None = None,
        sid: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._observer = observer
        self.sid = sid or secrets.token_hex(8)
        self.subscribers = SessionSubscribers(self.sid)
        self.owner = by.subject
        """The subject of whoever opened it; None where nobody is asked who they are."""
        self.client = by.client
        """What its place is counted by."""
        self.name: str | None = None
        """What it is published under, so that all who may watch anything may watch it."""
        self.health: dict[str, Any] | None = None
        """What a camera that feeds it has last said of itself."""
        self.notes = Notes()
        """What the client said to keep with it."""
        self.resume_token = secrets.token_urlsafe(24)
        self.pictures = ShownFrames(self.sid, self._tell_worker, annotated=False)
        """Its frames as they came, decoded, for whoever wants them."""
        self.annotated = ShownFrames(self.sid, self._tell_worker, annotated=True)
        """The same with what was found drawn in."""
        self.history = [SessionState.NEW]
        self.created_at_ms = time.time_ns() // 1_000_000
        self.restarts = 0
        self.end_reason: str | None = None
        self.ended = asyncio.Event()
        self._chosen = ChosenAnalyzers(pool, analyzers, options, gate, by.subject)
        self._pool = pool
        self._metrics = metrics
        self._make_recorder = recorder
        self._memory: Memory | None = None
        self.arrival: Arrival | None = None
        """What it waits for that comes from another node."""
        self.incoming = IncomingVideo()
        self._worker = WorkerLink(pool, self, self.incoming.request_key_frame)
        self.intake = Intake(
            *(self.sid, self.incoming, self._worker, self.pictures),
            *(rate or TokenBucket(0.0), metrics),
        )
        """Where frames come in."""
        self._outgoing = Outgoing(
            *(self.subscribers, self.intake, metrics, self.notes, gate, by.subject),
            None if observer is None else lambda said: self.tell("repetition", repetition=said),
        )

    # ---- its life

    def begin(self, *, audio: bool = False) -> None:
        """A video track is there: pin the session to a worker and start the analyzers.

        Parameters
        ----------
        audio
            Whether sound comes too, to be recorded.
        """
        if self.ending:
            return
        if self.arrival is not None:
            self._enter(SessionState.STREAMING)
            self.arrival.expect(audio=audio)
            return
        if SessionState.STREAMING not in self.history:
            self.tell("session.started", analyzers=list(self.analyzers))
        self._enter(SessionState.STREAMING)
        if self._make_recorder is not None and self.intake.recorder is None:
            self.intake.recorder = self._make_recorder(
                self.sid, audio=audio, on_error=self._tell_recording_stopped
            )
        if self._worker.index is None:
            self._leave_out(self._pool.left_out_for(self.client), "crash", "workers failed over it")
            if self._worker.pin():
                self._start_on_worker()

    def arrive(self, luggage: Luggage | None, *, audio: bool) -> None:
        """Go on where another node ended; without what that knew, analyzers begin anew.

        Parameters
        ----------
        luggage
            What it knew.
        audio
            As for `begin`.
        """
        self.arrival = None
        if self.ending:
            return
        is_away = self.state is SessionState.DISCONNECTED
        if luggage is None:
            self._tell_anew(self.analyzers, "The node that had the session is gone.")
        else:
            self.restarts, self.health = luggage.restarts, luggage.health
            self.notes.take_over(luggage.notes)
            self.intake.take_over(luggage.frames, luggage.elapsed_s)
            self._outgoing.take_over(luggage.analyzed, luggage.unreadable)
            self._outgoing.every_frame.take_over(luggage.every_frame)
            self._memory = luggage.memory
            self._tell_anew(luggage.memory.lost, "What was counted could not be taken along.")
        self.begin(audio=audio)
        if is_away:
            # Its peer was lost meanwhile, and may come back, with the token or without.
            self.disconnect()

    async def leave(self) -> Luggage:
        """End here, to go on at another node: no final result, and the recording is still open."""
        self.end_reason = MOVES_ON
        self._enter(SessionState.ENDING)
        try:
            final = await self._let_go(moves=True)
            self._outgoing.every_frame.take(final.seen)
            self.subscribers.leave()
        finally:
            self.ended.set()
        return Luggage(
            *(self.frames_in, self._outgoing.analyzed, self._outgoing.unreadable),
            *(self.clock.elapsed_s(time.monotonic()), self.restarts, self.health),
            *(self.notes.kept, self._memory or final.memory or Memory(lost=self.analyzers)),
            self._outgoing.every_frame.counts,
        )

    def disconnect(self) -> None:
        """The peer is gone and may come back: keep the analyzers' state, give back the memory."""
        if self.state in (SessionState.NEW, SessionState.STREAMING):
            self._enter(SessionState.DISCONNECTED)
            self._worker.give_memory_back()

    # ---- the worker

    def tell(self, kind: str, **more: Any) -> None:
        """Tell of something that has happened to it."""
        if self._observer is not None:
            self._observer.tell(kind, {"session": self.sid, "name": self.name, **more})

    def _tell_worker(self, message: object) -> None:
        self._worker.tell(message)

    def configure(self, options: dict[str, dict[str, Any]]) -> list[str]:
        """Change analyzers' options in mid-session.

        Returns
        -------
        The names that are not of this session's analyzers; their options change nothing.

        Raises
        ------
        BadSealedEmbedding
            An embedding in them is none that was sealed here; nothing is changed.
        TooLarge
            There are too many to keep; nothing is changed.
        """
        changed, unknown = self._chosen.change(options)
        if changed:
            self._worker.tell(ChangeOptions(self.sid, changed))
        return unknown

    def note(self, values: dict[str, Any]) -> None:
        """Keep a note, also when the session is over.

        Raises
        ------
        BadMessage, TooLarge
            It can not be kept.
        """
        self.notes.add(values)
        if self.state is SessionState.ENDED:
            self.tell("session.note", note=self.notes.kept[-1])
        if self.state is SessionState.ENDED and self.intake.recorder is not None:
            self.intake.recorder.amend({"notes": list(self.notes.kept)})

    def on_worker_message(self, message: object) -> None:
        """Take what the worker sends of this session."""
        match message:
            case Ready():
                self._start_on_worker()
            case FrameResult():
                self._take_result(message)
            case Drawn(_, mailbox, annotated, small):
                (self.annotated if annotated else self.pictures).take(mailbox, small)
            case KeyFrameNeeded():
                self._worker.need_key_frame()
            case KeyFrameWanted():
                self.incoming.request_key_frame()
            case LaneIsBehind():
                for notice in self._outgoing.every_frame.notices(message):
                    self.subscribers.notify(notice)
            case Unreadable():
                self._outgoing.refuse(message)
            case Problems(_, problems, anew):
                if not self.ending:
                    self._tell_anew(anew, "What was counted could not be read.")
                for problem in problems:
                    self._metrics.analyzer_errors.labels(problem.analyzer).inc()
                    self.subscribers.notify_problem(
                        problem.analyzer, problem.phase, problem.message
                    )
            case Final():
                self._worker.take_final(message)

    def worker_restarted(self, fault: Fault, left_out: Sequence[str]) -> None:
        """The worker was replaced: tell the client, begin anew when the replacement is ready."""
        self._worker.was_replaced()
        self._outgoing.every_frame.begin_anew()
        self.restarts += 1
        self.tell("worker.replaced", reason=fault.reason)
        if self.ending:
            # What they were asked for last was the end: what is known already has to do.
            self._worker.take_final(Final(self.sid))
            return
        self._leave_out(left_out, fault.phase, f"the worker {fault.reason} again")
        self._tell_anew(self.analyzers, f"The worker {fault.reason}.")

    def _tell_anew(self, analyzers: Sequence[str], why: str) -> None:
        if analyzers:
            self.subscribers.notify_restart(
                {
                    "type": "analyzers_restarted",
                    "analyzers": list(analyzers),
                    "message": f"{why} Analyzers start anew; counts begin again.",
                }
            )

    def _leave_out(self, names: Sequence[str], phase: str, why: str) -> None:
        for name in names:
            what = "its video" if name == DECODING else name
            self.subscribers.notify_problem(
                name, phase, f"{why}: {what} is left out of this session"
            )
        if DECODING in names:
            self.intake.refuse_video()
        self._chosen.leave_out(names)

    def _start_on_worker(self) -> None:
        began_ms = self.last_frame.pts_ms if self.last_frame else 0.0
        start = self._chosen.start(self.sid, began_ms)
        memory, self._memory = self._memory, None
        self._worker.start(replace(start, memory=memory))
        self._worker.write(self._outgoing.wanted_forms)
        self.intake.wants_all = self._worker.wants_all = self._chosen.want_all
        if self.state is SessionState.ENDING:
            self._worker.tell(End(self.sid, began_ms))
        else:
            self.annotated.ask()
            self.pictures.ask()
            self._worker.show_newest()

    # ---- results out

    def _tell_recording_stopped(self, message: str) -> None:
        logger.error("Session %s: recording stopped: %s", self.sid, message)
        self.subscribers.notify(
            {"type": "error", "code": 500, "message": f"recording stopped: {message}"}
        )

    def _take_result(self, message: FrameResult) -> None:
        if self.state is SessionState.ENDED:
            return
        self._outgoing.result(message, is_live=bool(self.incoming.connections))
        # Readers come and go; one that the worker does not know of yet has its form made here.
        self._worker.write(self._outgoing.wanted_forms)

    # ---- the end

    async def end(self, reason: str) -> None:
        """End the analyzers, send the final result, finish the recording. May be called again."""
        if self.ending:
            await self.ended.wait()
            return
        self.end_reason = reason
        self._enter(SessionState.ENDING)
        logger.info("Session %s ends: %s", self.sid, reason)
        try:
            await self._end_once()
        finally:
            self.ended.set()

    async def _end_once(self) -> None:
        result = self._outgoing.final_result(await self._let_go())
        self.subscribers.publish_final(result)
        await self.finish_recording(result)
        # One that never came from another node ends there, if anywhere.
        if SessionState.STREAMING in self.history and self.arrival is None:
            self.tell("session.ended", summary=summary(self))

    async def _let_go(self, *, moves: bool = False) -> Final:
        ended_ms = self.last_frame.pts_ms if self.last_frame else 0.0
        final = await self._worker.end(ended_ms, moves=moves)
        self.intake.refuse_video()
        self.annotated.close()
        self.pictures.close()
        self._worker.release()
        self._enter(SessionState.ENDED)
        return final

    async def finish_recording(self, final: Result | None = None) -> None:
        """Close what was recorded; of one that has left there is no final result."""
        if self.intake.recorder is None:
            return
        if final is not None:
            self.intake.recorder.result(final.encode())
        await self.intake.recorder.close(summary(self))
        self.tell("recording.closed", recording=self.sid)

    def _enter(self, state: SessionState) -> None:
        if state is not self.state:
            self.history.append(state)
            self.intake.is_open = state is SessionState.STREAMING
            logger.info("Session %s: %s", self.sid, state)
