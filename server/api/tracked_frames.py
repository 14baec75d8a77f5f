"""Single frames on one socket: each looked at for the person that it came with."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from server.api.models_tracking import (
    CoordinateInfo,
    CropInfo,
    FrameFacts,
    Matches,
    TrackingMatch,
)
from server.ingest.picture_stream import PictureStream
from server.media.picture import EncodedPicture
from server.sessions.embedding_gate import REID, refusal_in
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from signaling.errors import SignalingError

# People that one client looks for in turns: of each, the newest frame waits.
_MAX_HELD = 4


@dataclass(frozen=True, slots=True)
class TrackedFrame:
    """A frame on its way.

    Attributes
    ----------
    picture
        Its header was looked at.
    reference
        Who is looked for: a sealed embedding.
    number
        Counts the frames of this socket, from 1.
    arrived_s
        When it came, by ``time.monotonic()``.
    """

    picture: EncodedPicture
    reference: str
    number: int
    arrived_s: float = field(default_factory=time.monotonic)


class FramesClient(Protocol):
    """Whoever sends the frames. No method may block or raise."""

    def found(self, matches: Matches) -> None:
        """What was found in a frame."""

    def failed(self, message: str) -> None:
        """A frame, or what was to be looked for in it, can not be used."""

    def over(self, frames: TrackedFrames, message: str | None) -> None:
        """There will be no more answers here: why, or None to begin anew with the next frame."""


class TrackedFrames:
    """The session of one socket's single frames.

    A session looks for one person at a time. For a frame that comes with another one, it is told so
    when the frames before are answered: no answer is of another person than it was asked for.

    Parameters
    ----------
    sessions
        Where the session is opened, at the first frame.
    client
        Gets the answers.
    owner
        To whom the session belongs.
    session_id
        What the client calls its socket.
    """

    def __init__(
        self, sessions: SessionManager, client: FramesClient, owner: str | None, session_id: str
    ) -> None:
        self._client = client
        self._session_id = session_id
        self._stream = PictureStream(
            sessions, self, (REID,), {REID: {"every_frame": True}}, owner=owner
        )
        self._reference: str | None = None
        self._newest: TrackedFrame | None = None
        self._held: dict[str, TrackedFrame] = {}
        self._skipped = 0
        self._refusal: str | None = None
        self._over = False

    def put(self, frame: TrackedFrame) -> None:
        """Have a frame looked at, in place of one that still waits for the same person.

        Raises
        ------
        SignalingError
            The reference can not be used, or there is no room for a session.
        """
        if self._held or (self._newest is not None and frame.reference != self._reference):
            self._hold(frame)
        else:
            self._put(frame)

    async def close(self, reason: str) -> None:
        """End the session."""
        self._over = True
        await self._stream.close(reason)

    def _hold(self, frame: TrackedFrame) -> None:
        if frame.reference in self._held:
            self._skipped += 1
        self._held[frame.reference] = frame
        if len(self._held) > _MAX_HELD:
            del self._held[next(iter(self._held))]
            self._skipped += 1

    def _put(self, frame: TrackedFrame) -> None:
        if frame.reference != self._reference:
            self._stream.configure({REID: {"reference": frame.reference}})
            self._reference = frame.reference
        # One over the session's limit a second gets no number; the session counts it as dropped.
        if self._stream.put(frame.picture, frame):
            self._newest = frame

    def _answered(self, frame: TrackedFrame) -> None:
        """Go on with a frame that waits for that, if this was the last before it."""
        if frame is not self._newest or self._over:
            return
        self._newest = None
        while self._held and self._newest is None:
            following = self._held.pop(next(iter(self._held)))
            try:
                self._put(following)
            except SignalingError as error:
                self._client.failed(error.message)

    # ---- as the stream's client

    def answered(self, result: Result, context: TrackedFrame) -> None:
        """Tell what was found."""
        if self._over:
            return
        if self._refusal is not None:
            self._end(self._refusal, None)
            return
        matches = as_matches(
            *(result, context.number, context.arrived_s, self._skipped), None, self._session_id
        )
        if matches is None:
            self._client.failed("this frame could not be analyzed")
        else:
            self._client.found(matches)
        self._answered(context)

    def unreadable(self, message: str, context: TrackedFrame) -> None:
        """Tell of a frame that is damaged."""
        if not self._over:
            self._client.failed(message)
            self._answered(context)

    def told(self, message: dict[str, Any]) -> None:
        """Note what is wrong with a reference, tell the rest."""
        if self._over:
            return
        if (refusal := refusal_in(message)) is not None:
            self._refusal = refusal
            return
        self._client.failed(message["message"])
        if message["type"] == "analyzer_error" and message["phase"] == "hang":
            # It gets no more frames in this session.
            self._end(None, None)

    def ended(self, result: Result) -> None:
        """The session was ended by somebody else, or with the server."""
        if not self._over:
            session = self._stream.session
            why = session.end_reason if session is not None else "it was ended"
            self._end(None, f"the session is over: {why}")

    def _end(self, failure: str | None, message: str | None) -> None:
        self._over = True
        if failure is not None:
            self._client.failed(failure)
        self._client.over(self, message)


def as_matches(
    result: Result, number: int, arrived_s: float, skipped: int, source: str | None, session_id: str
) -> Matches | None:
    """The message that a result makes.

    Parameters
    ----------
    result
        Of the frame.
    number
        That the frame has for the client.
    arrived_s
        When it came, by ``time.monotonic()``.
    skipped
        Frames that did not even get into the session.
    source
        Where the frame is from, if not from the client.
    session_id
        What the client calls its socket.

    Returns
    -------
    None if the analyzer failed on this frame.
    """
    assert result.frame is not None
    if "matches" not in result.fragments or REID in result.timing.held:
        return None
    now_s, frame = time.time(), result.frame
    return Matches(
        session_id=session_id,
        matches=[
            _match(match, frame.width, frame.height)
            for match in orjson.loads(result.fragments["matches"])
        ],
        timestamp=now_s,
        frame_info=FrameFacts(
            frame_number=number,
            width=result.frame.width,
            height=result.frame.height,
            processed_at=now_s,
            processing_time=max(time.monotonic() - arrived_s, 0.0),
            dropped=result.dropped + skipped,
            source=source,
        ),
    )


def _match(match: dict[str, Any], width: int, height: int) -> TrackingMatch:
    x1, y1, x2, y2 = match["bbox"]
    return TrackingMatch(
        bbox=(x1, y1, x2, y2),
        coordinate_info=CoordinateInfo(width=width, height=height),
        crop_info=CropInfo(x=x1, y=y1, width=x2 - x1, height=y2 - y1),
        distance=match["distance"],
        confidence=match["confidence"],
    )
