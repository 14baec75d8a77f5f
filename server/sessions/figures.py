"""What can be read of a session by whoever looks at it: its state, its counts, its last result."""

from __future__ import annotations

from typing import Any

from server.media.clock import SessionClock
from server.sessions.chosen_analyzers import ChosenAnalyzers, Options
from server.sessions.intake import Intake
from server.sessions.outgoing import Outgoing
from server.sessions.results import Result
from server.sessions.state import SessionState
from server.sessions.subscribers import SessionSubscribers
from server.sessions.worker_link import WorkerLink
from server.workers.mailbox import FrameInfo


class SessionFigures:
    """Read from a session's parts, which it makes."""

    history: list[SessionState]
    subscribers: SessionSubscribers
    intake: Intake
    _chosen: ChosenAnalyzers
    _worker: WorkerLink
    _outgoing: Outgoing

    @property
    def analyzers(self) -> tuple[str, ...]:
        """Names of those it has."""
        return self._chosen.names

    @property
    def options(self) -> Options:
        """For each analyzer, by name, what the client set."""
        return self._chosen.options

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What went wrong in its analyzers, once for each of them and phase."""
        return self.subscribers.problems

    @property
    def last(self) -> Result | None:
        """The last result; the final one, when the session is over."""
        return self.subscribers.last

    @property
    def state(self) -> SessionState:
        """Where the session is in its life."""
        return self.history[-1]

    @property
    def streaming(self) -> bool:
        """Whether frames come in."""
        return self.state is SessionState.STREAMING

    @property
    def ending(self) -> bool:
        """Whether the session is over, or about to be."""
        return self.state in (SessionState.ENDING, SessionState.ENDED)

    @property
    def worker_index(self) -> int | None:
        """Which worker it is pinned to."""
        return self._worker.index

    @property
    def clock(self) -> SessionClock:
        """Its time, from the first frame on."""
        return self.intake.clock

    @property
    def frames_in(self) -> int:
        """Frames that came."""
        return self.intake.count

    @property
    def last_frame(self) -> FrameInfo | None:
        """The last frame that came."""
        return self.intake.newest

    @property
    def dropped(self) -> int:
        """Frames that arrived and were never analyzed, because a newer one took their place."""
        return self._outgoing.dropped

    @property
    def frames_analyzed(self) -> int:
        """Frames that a result went out for."""
        return self._outgoing.analyzed

    @property
    def every_frame(self) -> dict[str, dict[str, float]]:
        """Of analyzers that are to see every frame: how late they are, and what they missed."""
        return self._outgoing.every_frame.told(self.frames_in if self.ending else None)

    @property
    def frames_unreadable(self) -> int:
        """Frames that could not be decoded."""
        return self._outgoing.unreadable
