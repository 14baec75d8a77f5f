"""A session's results on their way out: counted, sealed, published, and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from analyzers.compact import Form
from server.sessions.embedding_gate import EmbeddingGate
from server.sessions.every_frame import EveryFrame
from server.sessions.intake import Intake
from server.sessions.metrics import Metrics
from server.sessions.notes import Notes
from server.sessions.results import Result, Timing
from server.sessions.subscribers import SessionSubscribers
from server.sessions.values import Values
from server.workers.messages import Final, FrameResult, Unreadable

# From a worker's writing of a result to its being read takes a millisecond.
DELIVERED_WITHIN_S = 0.5
# A key whose every new value is told of.
_REPETITION = "repetition"


class Outgoing:
    """What a worker says of a session's frames, made into results.

    Parameters
    ----------
    subscribers
        Whoever gets them.
    intake
        Where the frames came in; its recorder gets results, too.
    metrics
        Counts what passes.
    notes
        What the client said; whom it named is in each result.
    gate
        Keeps embeddings sealed outside; None leaves them as they are.
    owner
        The session's subject, whose embeddings they are.
    on_repetition
        Is told of each repetition; None where nobody wants to know.

    Attributes
    ----------
    analyzed
        Frames that a result went out for.
    unreadable
        Frames that could not be decoded.
    every_frame
        What analyzers have seen that are to see every frame.
    """

    def __init__(
        self,
        subscribers: SessionSubscribers,
        intake: Intake,
        metrics: Metrics,
        notes: Notes,
        gate: EmbeddingGate | None,
        owner: str | None,
        on_repetition: Callable[[Any], None] | None,
    ) -> None:
        self.analyzed = 0
        self.unreadable = 0
        self.every_frame = EveryFrame()
        self._dropped_elsewhere = 0
        self._subscribers = subscribers
        self._intake = intake
        self._metrics = metrics
        self._notes = notes
        self._gate = gate
        self._owner = owner
        self._on_repetition = on_repetition

    def take_over(self, analyzed: int, unreadable: int) -> None:
        """Go on with what another node counted."""
        self.analyzed, self.unreadable = analyzed, unreadable
        self._dropped_elsewhere = self.dropped

    @property
    def dropped(self) -> int:
        """Frames that arrived and were never analyzed, because a newer one took their place."""
        return self._dropped_up_to(self._intake.count)

    @property
    def wanted_forms(self) -> frozenset[Form]:
        """What somebody reads; JSON where nobody does."""
        wanted = self._subscribers.forms
        is_recorded = self._intake.recorder is not None
        return wanted | {Form.JSON} if is_recorded or not wanted else wanted

    def result(self, message: FrameResult, *, is_live: bool) -> None:
        """Publish what was found in a frame, unless it is of a video and lay about.

        Parameters
        ----------
        message
            What the worker says.
        is_live
            Whether it is of a video that goes on, so that a newer one follows.
        """
        lay_s = time.monotonic() - message.finished_s
        if is_live and lay_s > DELIVERED_WITHIN_S and not message.events:
            return
        self.analyzed += 1
        self._intake.done += 1
        self.every_frame.take(message.seen)
        result = Result(
            frame=message.frame,
            values=self._told(Values(message.fragments, message.compact)),
            timing=Timing(
                (message.taken_s - message.frame.received_monotonic_s) * 1000,
                message.timings_ms,
                message.held,
                self.every_frame.told(),
            ),
            dropped=self._dropped_up_to(message.frame.number),
            events=message.events,
        )
        self._count_dropped(result.dropped)
        self._metrics.observe(message, time.monotonic())
        self._subscribers.publish(result)
        if _REPETITION in message.events and self._on_repetition is not None:
            repetition = orjson.loads(result.values.one(_REPETITION))
            if repetition is not None:
                self._on_repetition(repetition)
        if self._intake.recorder is not None:
            self._intake.recorder.result(result.encode())

    def refuse(self, message: Unreadable) -> None:
        """Tell of a frame that could not be decoded."""
        self.unreadable += 1
        self._intake.done += 1
        self._subscribers.notify(
            {
                "type": "unreadable_frame",
                "frame": message.frame.number,
                "message": message.message,
            }
        )

    def final_result(self, final: Final) -> Result:
        """What there is to say in the end, which `SessionSubscribers.publish_final` takes."""
        self._count_dropped(self.dropped)
        self.every_frame.take(final.seen)
        said = self._told(Values(final.fragments, final.compact))
        last = self._subscribers.last
        return Result(
            frame=last.frame if last else None,
            # After a restart the worker knows less than was sent already.
            values=last.values.updated(said) if last else said,
            timing=Timing(0.0, final.timings_ms, {}, self.every_frame.told(self._intake.count)),
            dropped=self.dropped,
            final=True,
        )

    def _dropped_up_to(self, number: int) -> int:
        return max(number - self.analyzed - self.unreadable, 0)

    def _told(self, values: Values) -> Values:
        """What is told of what analyzers said: embeddings sealed, and who it is of, if known."""
        sealed = values if self._gate is None else self._gate.sealed(values, self._owner)
        if self._notes.participant is None:
            return sealed
        return sealed.replaced("participant_id", self._notes.participant)

    def _count_dropped(self, dropped: int) -> None:
        last = self._subscribers.last
        counted = last.dropped if last else self._dropped_elsewhere
        self._metrics.frames_dropped.inc(max(dropped - counted, 0))
