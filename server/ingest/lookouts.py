"""All lookouts of one server: begun, listed, ended. They are in memory, and gone when it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from server.ingest.camera_analysis import NAME, RETRY_AFTER_S, CameraAnalysis
from server.ingest.lookout import LOOKS_HZ, Lookout, Recorder, Wanted
from server.ingest.source_stream import SourceStream
from server.sessions.embedding_gate import REID
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from server.sessions.session import Session
from server.sources.allowed import AllowList
from server.sources.named import Named
from server.tasks import Tasks
from signaling.errors import Busy, NotFound, TooMany

# Each is a session that looks five times a second.
MAX_RUNNING = 8
# Those that are over stay to be looked at; the oldest go.
MAX_KEPT = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source's pictures may have: pixels, and those of frames that a worker decodes."""

    max_pixels: int
    max_encoded_pixels: int


class Lookouts:
    """Those that run, and those that are over.

    Parameters
    ----------
    sessions
        Where their sessions are opened, and ended.
    camera
        This machine's, or the reason why there is none.
    limits
        Of other sources.
    tell
        Told of ``person.seen`` and ``person.gone``; neither blocks nor raises.
    """

    def __init__(
        self,
        sessions: SessionManager,
        camera: CameraAnalysis | str,
        limits: Limits,
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._sessions = sessions
        self._camera = camera
        self._limits = limits
        self._tell = tell
        self._all: dict[str, Lookout] = {}
        self._tasks = Tasks("lookouts")

    def start(
        self,
        person: str,
        options: dict[str, Any],
        source: Named | None,
        allowed: AllowList,
        padding_s: float,
        make_recorder: Callable[[str], Recorder] | None,
        owner: str | None,
    ) -> Lookout:
        """Look for somebody from now on.

        Parameters
        ----------
        person
            What they are called.
        options
            Re-identification's: ``reference``, and ``threshold`` if it is not the network's own.
        source
            What is looked at; None for this machine's camera.
        allowed
            Which sources may be read.
        padding_s
            After they were last seen, until they are gone.
        make_recorder
            Makes what records, by what can be watched; None does not record.
        owner
            The subject of whoever asks for it.

        Raises
        ------
        SignalingError
            Enough are looked for (429), there is no camera or no room (503), the reference can not
            be used (400), the source may not be read (403).
        """
        if sum(not lookout.over for lookout in self.all()) >= MAX_RUNNING:
            raise TooMany(
                f"{MAX_RUNNING} lookouts run: end one, by DELETE /lookouts/ID",
                retry_after_s=RETRY_AFTER_S,
            )
        chosen = {REID: options}
        stream: SourceStream | None = None
        if source is None:
            if isinstance(self._camera, str):
                raise Busy(f"no camera: {self._camera}", retry_after_s=RETRY_AFTER_S)
            session = self._camera.start((REID,), chosen, owner, looks_hz=LOOKS_HZ)
        else:
            client = _Client()
            stream = SourceStream(
                *(self._sessions, source, client, allowed, (REID,), chosen),
                fps_limit=LOOKS_HZ,
                max_pixels=self._limits.max_pixels,
                max_encoded_pixels=self._limits.max_encoded_pixels,
                owner=owner,
                internal=True,
            )
            session = stream.session
        wanted = Wanted(uuid4().hex[:12], person, str(source or NAME), padding_s)
        recorder = make_recorder(session.sid) if make_recorder is not None else None

        def on_over() -> None:
            self._tasks.spawn(self._release(session, stream), wanted.lookout_id)

        lookout = Lookout(wanted, session, self._tell, recorder, on_over)
        self._all[wanted.lookout_id] = lookout
        if stream is not None:
            client.lookout = lookout
            stream.start()
        self._forget_old()
        return lookout

    def all(self) -> list[Lookout]:
        """Every one, oldest first."""
        return list(self._all.values())

    async def remove(self, lookout_id: str) -> Lookout:
        """End one, and forget it and its timeline.

        Raises
        ------
        NotFound
            There is none.
        """
        if lookout_id not in self._all:
            raise NotFound("there is no such lookout: GET /lookouts lists them")
        lookout = self._all.pop(lookout_id)
        await lookout.close()
        await self._tasks.join()
        return lookout

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(lookout.close() for lookout in self.all()))
        await self._tasks.join()

    async def _release(self, session: Session, stream: SourceStream | None) -> None:
        """Let go of what a lookout looked at."""
        reason = "its lookout is over"
        if stream is not None:
            await stream.close(reason)
        else:
            # It may have been ended long ago.
            with contextlib.suppress(NotFound):
                await self._sessions.end(session.sid, reason)

    def _forget_old(self) -> None:
        over = [each.wanted.lookout_id for each in self.all() if each.over]
        for lookout_id in over[: max(len(self._all) - MAX_KEPT, 0)]:
            del self._all[lookout_id]


class _Client:
    """Tells a lookout how its source does; what is seen, it learns as the session's reader."""

    lookout: Lookout | None = None

    def opened(self) -> None:
        """It delivers."""
        if self.lookout is not None:
            self.lookout.note(None)

    def answered(self, result: Result, number: int) -> None:
        """The lookout knows."""

    def lost(self, message: str, retry_in_s: float) -> None:
        """It is tried again."""
        if self.lookout is not None:
            self.lookout.note(f"{message}; the next attempt is in {retry_in_s:.0f} s")

    def told(self, message: dict[str, Any]) -> None:
        """The lookout knows."""

    def ended(self, message: str | None) -> None:
        """There are no more pictures."""
        if self.lookout is not None:
            self.lookout.end(message or "the source has ended")
