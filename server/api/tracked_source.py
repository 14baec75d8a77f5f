"""One video that the server reads for a client of the person search API."""

from __future__ import annotations

from typing import Any, Protocol

from server.api.models_tracking import Matches
from server.api.tracked_frames import as_matches
from server.ingest.source_stream import SourceStream
from server.sessions.embedding_gate import REID, refusal_in
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from server.sources.allowed import AllowList
from server.sources.named import Named


class SourceListener(Protocol):
    """Whoever is told how it goes. No method may block or raise."""

    def found(self, matches: Matches) -> None:
        """What was found in a frame."""

    def status(self, status: str, message: str) -> None:
        """How the source does."""

    def older_status(self, status: str, message: str) -> None:
        """The same, for clients of the older server only."""

    def failed(self, message: str) -> None:
        """Something went wrong."""

    def source_over(self, tracked: TrackedSource) -> None:
        """There is nothing more to come: it can be closed."""


class TrackedSource:
    """A source in which someone is looked for.

    Parameters
    ----------
    sessions, allowed, owner
        As `SourceStream` takes them.
    source
        What is read.
    reference
        Who is looked for: a sealed embedding.
    listener
        Is told how it goes.
    fps_limit
        Frames a second that are looked at.
    max_pixels
        Of a frame.
    max_encoded_pixels
        Of a frame that a worker decodes.
    first_frame
        The number of the first one.
    session_id
        What the client calls its socket.

    Raises
    ------
    SourceRefused
        The source may not be read.
    SignalingError
        The reference can not be used, or there is no room for a session.
    """

    def __init__(
        self,
        sessions: SessionManager,
        allowed: AllowList,
        source: Named,
        reference: str,
        listener: SourceListener,
        *,
        fps_limit: float,
        max_pixels: int,
        max_encoded_pixels: int,
        owner: str | None,
        first_frame: int,
        session_id: str,
    ) -> None:
        self._first_frame = first_frame
        self._session_id = session_id
        self.name = str(source)
        self._listener = listener
        self._started = False
        self._over = False
        self._stream = SourceStream(
            sessions,
            source,
            self,
            allowed,
            (REID,),
            {REID: {"every_frame": True, "reference": reference}},
            fps_limit=fps_limit,
            max_pixels=max_pixels,
            max_encoded_pixels=max_encoded_pixels,
            owner=owner,
        )

    def start(self) -> None:
        """Begin to read."""
        self._stream.start()

    async def close(self, reason: str) -> None:
        """Read no more."""
        self._over = True
        await self._stream.close(reason)

    # ---- as the stream's client

    def opened(self) -> None:
        """Tell the client."""
        if self._over:
            return
        if self._started:
            self._listener.status("reconnected", f"Source {self.name} is back")
        else:
            self._started = True
            self._listener.status("tracking_started", f"Started tracking on source: {self.name}")
            self._listener.older_status("video_opened", f"Opened source: {self.name}")

    def answered(self, result: Result, number: int) -> None:
        """Tell what was found."""
        assert result.frame is not None
        if self._over:
            return
        arrived_s = result.frame.received_monotonic_s
        counted = number - 1 + self._first_frame
        matches = as_matches(result, counted, arrived_s, 0, self.name, self._session_id)
        if matches is not None:
            self._listener.found(matches)

    def lost(self, message: str, retry_in_s: float) -> None:
        """Tell the client."""
        self._listener.status(
            "reconnecting",
            f"Source {self.name}: {message}; the next attempt is in {retry_in_s:.0f} s",
        )

    def told(self, message: dict[str, Any]) -> None:
        """Tell the client; with a reference that can not be used, it is over."""
        if self._over:
            return
        if (refusal := refusal_in(message)) is not None:
            self.ended(refusal)
            return
        self._listener.failed(message["message"])
        if message["type"] == "analyzer_error" and message["phase"] == "hang":
            self.ended(None)

    def ended(self, message: str | None) -> None:
        """Tell the client."""
        if self._over:
            return
        self._over = True
        if message is not None:
            self._listener.failed(f"Source {self.name}: {message}")
        if self._started:
            self._listener.older_status("video_closed", f"Closed source: {self.name}")
            self._listener.status("tracking_stopped", f"Source {self.name} has ended")
        self._listener.source_over(self)
