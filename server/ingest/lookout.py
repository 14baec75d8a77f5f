"""A person who is looked for in a camera until further notice: what is done when they come."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from server.ingest.presence import Presence, Sighting
from server.sessions.embedding_gate import REID, refusal_in
from server.sessions.results import Result
from server.sessions.session import Session
from server.tasks import Tasks
from signaling.errors import SignalingError

logger = logging.getLogger(__name__)

# Looks a second: someone who walks through the picture is there for two seconds and more.
LOOKS_HZ = 5.0
_MATCHES = "matches"
_NOT_RECORDED = "not recorded: "


class Recorder(Protocol):
    """Records a camera."""

    async def begin(self) -> str:
        """Begin; returns the recording's name.

        Raises
        ------
        SignalingError
            It can not be recorded.
        """

    async def finish(self, name: str) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is looked for, and where.

    Attributes
    ----------
    lookout_id
        Of the lookout.
    person
        What they are called, in events.
    camera
        What is looked at.
    padding_s
        After they were last seen, until they are gone and a recording ends.
    """

    lookout_id: str
    person: str
    camera: str
    padding_s: float


class Lookout:
    """Watches a session's matches: tells of comings and goings, and has them recorded.

    Parameters
    ----------
    wanted
        Whom and where.
    session
        Looks for them.
    tell
        Told of ``person.seen`` and ``person.gone``; neither blocks nor raises.
    recorder
        Records while they are there; None does not.
    on_over
        Told, once, that it looks no more.

    Attributes
    ----------
    presence
        Its timeline.
    problem
        What is wrong with it, for a person; None if nothing is.
    """

    def __init__(
        self,
        wanted: Wanted,
        session: Session,
        tell: Callable[[str, dict[str, Any]], None],
        recorder: Recorder | None,
        on_over: Callable[[], None],
    ) -> None:
        self.wanted = wanted
        self.session = session
        self.presence = Presence(wanted.padding_s)
        self.problem: str | None = None
        self._tell = tell
        self._recorder = recorder
        self._on_over = on_over
        self._tasks = Tasks(f"lookout {wanted.lookout_id}")
        self._gone = asyncio.Event()
        self._waits: asyncio.TimerHandle | None = None
        self._over = False
        self._looked_at_ms: float | None = None
        session.subscribers.add_sink(self)

    @property
    def over(self) -> bool:
        """Whether it looks no more."""
        return self._over

    @property
    def records(self) -> bool:
        """Whether the camera is recorded while they are there."""
        return self._recorder is not None

    async def close(self) -> None:
        """Look no more, and finish what is recorded."""
        self._end(None)
        self.session.subscribers.remove_sink(self)
        await self._tasks.join()

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """See who is there."""
        found = result.fragments.get(_MATCHES)
        if found is None or found == b"[]" or REID in result.timing.held or self._over:
            return
        looked_at_ms = orjson.loads(result.fragments[REID])["looked_at_ms"]
        if looked_at_ms == self._looked_at_ms and self.presence.now is None:
            # Frames do not wait for a look: this one is told what the last look saw, once more.
            return
        self._looked_at_ms = looked_at_ms
        nearest = min(each["distance"] for each in orjson.loads(found))
        assert result.frame is not None
        begun = self.presence.match(int(result.frame.received_at_ms), nearest)
        if begun is not None:
            self._come(begun)
        self._wait()

    def notice(self, message: dict[str, Any]) -> None:
        """Note what goes wrong; with a reference that can not be used, it is over."""
        if (refusal := refusal_in(message)) is not None:
            self._end(refusal)
        elif message["type"] == "analyzer_error":
            self.problem = message["message"]

    def final(self, result: Result) -> None:
        """The session was ended, here or elsewhere."""
        self._end("its session was ended")

    # ---- comings and goings

    def note(self, problem: str | None) -> None:
        """Something is wrong with the camera, or nothing any more."""
        self.problem = problem

    def end(self, why: str) -> None:
        """There will be no more pictures."""
        self._end(why)

    def _come(self, sighting: Sighting) -> None:
        logger.info("Lookout %s: seen", self.wanted.lookout_id)
        self._tell("person.seen", self._told(sighting))
        if self._recorder is not None:
            self._gone = asyncio.Event()
            self._tasks.spawn(self._record(self._recorder, sighting, self._gone), "record")

    def _wait(self) -> None:
        """Look again when they have been away for long enough."""
        if self._waits is not None:
            self._waits.cancel()
        loop = asyncio.get_running_loop()
        self._waits = loop.call_later(self.wanted.padding_s, self._look_again)

    def _look_again(self) -> None:
        self._waits = None
        ended = self.presence.passed(time.time_ns() // 1_000_000)
        if ended is not None:
            self._go(ended)
        elif self.presence.now is not None:
            # What was seen last was taken a little later than it was waited from, or clocks differ.
            self._wait()

    def _go(self, sighting: Sighting) -> None:
        logger.info("Lookout %s: gone", self.wanted.lookout_id)
        self._gone.set()
        self._tell("person.gone", self._told(sighting))

    def _told(self, sighting: Sighting) -> dict[str, Any]:
        told = {
            "session": self.session.sid,
            "lookout": self.wanted.lookout_id,
            "name": self.wanted.person,
            "camera": self.wanted.camera,
            "time": sighting.to_ms if sighting.over else sighting.from_ms,
            "distance": sighting.distance,
        }
        if sighting.over:
            told |= {"since": sighting.from_ms, "recording": sighting.recording}
        return told

    async def _record(self, recorder: Recorder, sighting: Sighting, gone: asyncio.Event) -> None:
        try:
            sighting.recording = await recorder.begin()
        except SignalingError as error:
            logger.warning("Lookout %s: not recorded: %s", self.wanted.lookout_id, error.message)
            # What ended it says more.
            if not self._over:
                self.problem = f"{_NOT_RECORDED}{error.message}"
            return
        if self.problem is not None and self.problem.startswith(_NOT_RECORDED):
            self.problem = None
        try:
            await gone.wait()
        finally:
            await recorder.finish(sighting.recording)

    def _end(self, why: str | None) -> None:
        if self._over:
            return
        self._over = True
        self.problem = why
        if self._waits is not None:
            self._waits.cancel()
        ended = self.presence.end()
        if ended is not None:
            self._go(ended)
        self._on_over()
