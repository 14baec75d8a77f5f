"""Whoever reads a session's results."""

from __future__ import annotations

import logging
from typing import Any, Protocol, runtime_checkable

from analyzers.compact import Form
from server.sessions.results import Result, Sink

logger = logging.getLogger(__name__)


class PeerSink(Sink, Protocol):
    """The session's own peer, who chose in which forms to read."""

    @property
    def forms(self) -> frozenset[Form]: ...


@runtime_checkable
class Leaving(Protocol):
    """A reader that has to be told that nothing more comes."""

    def leave(self) -> None: ...


class SessionSubscribers:
    """The readers of one session.

    Parameters
    ----------
    sid
        The session's id, for the log.

    Attributes
    ----------
    last
        The last result; the final one, when the session is over.
    """

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.last: Result | None = None
        self._sinks: list[Sink] = []
        self._problems: dict[tuple[str, str], dict[str, Any]] = {}
        self._over = False
        self._channel: PeerSink | None = None
        self._missed: dict[str, Any] | None = None

    def add_channel(self, sink: PeerSink) -> None:
        """Send results to the peer, as to any sink, and first what it missed while it was away."""
        self._channel = sink
        missed, self._missed = self._missed, None
        if missed is not None:
            sink.notice(missed)
        self.add_sink(sink)

    def add_sink(self, sink: Sink) -> None:
        """Send results there from now on, and what went wrong before.

        A session that has ended sends its final result again.
        """
        for notice in self._problems.values():
            sink.notice(notice)
        if self._over and self.last is not None:
            sink.final(self.last)
        else:
            self._sinks.append(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Send nothing there any more."""
        if sink is self._channel:
            self._channel = None
        if sink in self._sinks:
            self._sinks.remove(sink)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What went wrong in analyzers so far: ``analyzer``, ``phase``, ``message`` of each."""
        return [
            {key: value for key, value in notice.items() if key != "type"}
            for notice in self._problems.values()
        ]

    @property
    def forms(self) -> frozenset[Form]:
        """Those in which results are read: JSON, but by a peer that chose otherwise."""
        others = any(sink is not self._channel for sink in self._sinks)
        chosen = self._channel.forms if self._channel is not None else frozenset()
        return chosen | {Form.JSON} if others else chosen

    def notify(self, message: dict[str, Any]) -> None:
        """Send a notice to everyone who reads this session."""
        for sink in list(self._sinks):
            sink.notice(message)

    def notify_restart(self, message: dict[str, Any]) -> None:
        """Say that the analyzers begin anew; a peer that is away is told when it comes back."""
        self._missed = message if self._channel is None else None
        self.notify(message)

    def notify_problem(self, analyzer: str, phase: str, message: str) -> None:
        """Report an analyzer's fault, once for each analyzer and phase."""
        if (analyzer, phase) in self._problems:
            return
        logger.warning("Session %s: %s in %s: %s", self.sid, analyzer, phase, message)
        notice = {
            "type": "analyzer_error",
            "analyzer": analyzer,
            "phase": phase,
            "message": message,
        }
        self._problems[analyzer, phase] = notice
        self.notify(notice)

    @property
    def peer(self) -> PeerSink | None:
        """The session's own peer, if it reads."""
        return self._channel

    def tell_peer(self, message: dict[str, Any]) -> bool:
        """Send a notice to the session's own peer alone; returns whether there is one."""
        if self._channel is None:
            return False
        self._channel.notice(message)
        return True

    def leave(self) -> None:
        """End for readers here: the session goes on elsewhere, where they can read on."""
        for sink in list(self._sinks):
            if isinstance(sink, Leaving):
                sink.leave()
        self._sinks.clear()

    # ---- for the session

    def publish(self, result: Result) -> None:
        """Send a frame's result to every reader."""
        self.last = result
        for sink in list(self._sinks):
            sink.result(result)

    def publish_final(self, result: Result) -> None:
        """Send the last result to every reader."""
        self.last, self._over = result, True
        for sink in list(self._sinks):
            sink.final(result)
