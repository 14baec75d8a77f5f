"""A source's frames into a session of its own, and the results back."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Sequence
from typing import Any, Protocol

import av
from av.frame import Frame

from server.ingest.last_wanted import LastWanted
from server.ingest.pending import PendingPictures
from server.media.capture import Capture
from server.media.clock import SessionClock, TrackClock
from server.media.encoded_frame import EncodedFrame
from server.media.picture import EncodedPicture
from server.sessions.manager import SessionManager
from server.sessions.results import Result
from server.sessions.session import Session
from server.sources.allowed import AllowList
from server.sources.container import OpenVideo, open_camera, open_file, open_readable
from server.sources.errors import SourceError
from server.sources.http_file import HttpFile
from server.sources.named import File, Named, NumberedCamera, Published
from server.sources.reader import RateLimit, SourceReader
from server.sources.rtsp import open_checked_rtsp
from server.sources.url import SourceUrl
from signaling.errors import NotFound

# After a source's end, its last answer comes within a moment, or it was skipped.
LAST_ANSWER_WITHIN_S = 5.0
_NO_MEMORY = "the server has no memory left for its frames"


class SourceClient(Protocol):
    """Whoever asked for the source. No method may block or raise."""

    def opened(self) -> None:
        """The source delivers, for the first time or again."""

    def answered(self, result: Result, number: int) -> None:
        """What is seen in a frame, and which of the source's it is, from 1."""

    def lost(self, message: str, retry_in_s: float) -> None:
        """The source is gone; it is tried again."""

    def told(self, message: dict[str, Any]) -> None:
        """A notice of the session, with a ``type``."""

    def ended(self, message: str | None) -> None:
        """There is nothing more to come: why, or None at the source's end, after all answers."""


class SourceStream:
    """One source that one client has the server look at.

    Parameters
    ----------
    sessions
        Where the session is opened.
    source
        What is read.
    client
        Gets the results.
    allowed
        What may be read.
    analyzers, options, owner, internal
        As `SessionManager.open_direct` takes them.
    fps_limit
        Frames a second that are looked at.
    max_pixels
        Of a frame.
    max_encoded_pixels
        Of a frame that a worker decodes.
    """

    def __init__(
        self,
        sessions: SessionManager,
        source: Named,
        client: SourceClient,
        allowed: AllowList,
        analyzers: Sequence[str],
        options: dict[str, dict[str, Any]],
        *,
        fps_limit: float,
        max_pixels: int,
        max_encoded_pixels: int,
        owner: str | None = None,
        internal: bool = False,
    ) -> None:
        self._sessions = sessions
        self._client = client
        self._pending: PendingPictures[int] = PendingPictures()
        self._last = LastWanted()
        self._answered = 0
        self._codec: str | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._over = False
        limits = (fps_limit, max_pixels, max_encoded_pixels)
        self._reader = self._make_reader(source, allowed, *limits)
        self.session = sessions.open_direct(analyzers, options, owner, internal=internal)
        self.session.subscribers.add_sink(self)
        self._clock = ArrivalClock(self.session.clock)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    async def close(self, reason: str) -> None:
        """Read no more, and end the session."""
        self._over = True
        self._reader.close()
        self._wait_no_more()
        # It may have been ended long ago.
        with contextlib.suppress(NotFound):
            await self._sessions.end(self.session.sid, reason)

    def _make_reader(
        self,
        source: Named,
        allowed: AllowList,
        fps_limit: float,
        max_pixels: int,
        max_encoded_pixels: int,
    ) -> SourceReader | _Tap:
        if isinstance(source, Published):
            allowed.check_name(source.name)
            session = self._sessions.known.published(source.name) or self._sessions.known.get(
                source.name
            )
            return _Tap(session, self, fps_limit)
        if isinstance(source, NumberedCamera):
            allowed.check_camera(source.index)
        if isinstance(source, SourceUrl):
            allowed.check_url(source)
        return SourceReader(
            functools.partial(_open, source, allowed),
            self,
            comes_back=not isinstance(source, File),
            fps_limit=fps_limit,
            max_pixels=max_pixels,
            max_encoded_pixels=max_encoded_pixels,
        )

    # ---- as the source's viewer

    def opened(self) -> None:
        """Tell the client."""
        self.session.intake.begin_video()
        self._client.opened()

    def frame(self, frame: av.VideoFrame, number: int) -> None:
        """Have a frame looked at."""
        try:
            self.session.intake.put_frame(frame, self._clock)
        except OSError:
            self.ended(_NO_MEMORY)
        else:
            self._pending.add(self.session.frames_in, number)
            self._last.number = self.session.frames_in

    def picture(self, picture: EncodedPicture, number: int) -> None:
        """Have a frame looked at that came as a picture."""
        taken = self.session.intake.put_picture(picture)
        if taken:  # Or so much waits for the worker that this one is left out.
            self._pending.add(taken, number)
            self._last.number = taken

    def encoded(self, frame: EncodedFrame, number: int, is_wanted: bool) -> None:
        """Have a frame decoded, and looked at if it is wanted."""
        taken = self.session.intake.put_video(frame, is_wanted=is_wanted)
        if taken:
            # Results count in the order of showing. So does the source: what is the n-th there was
            # not the n-th to come, but has its number.
            self._pending.add(taken, number)
            self._last.note(taken, frame.timestamp, is_wanted)
            self._codec = frame.codec

    def lost(self, message: str, retry_in_s: float) -> None:
        """Tell the client."""
        self._client.lost(message, retry_in_s)

    def ended(self, message: str | None) -> None:
        """Tell the client, once; at the source's end, after the last answer."""
        if message is None and self._answered < self._last.number and self._ending is None:
            if self._codec is not None:
                self.session.intake.end_video(self._codec)
            loop = asyncio.get_running_loop()
            self._ending = loop.call_later(LAST_ANSWER_WITHIN_S, self._end, None)
        else:
            self._end(message)

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """Hand a result to the client."""
        assert result.frame is not None
        number = self._pending.take(result.frame.number)
        if number is not None and not self._over:
            self._client.answered(result, number)
        self._answered = max(self._answered, result.frame.number)
        if self._ending is not None and self._answered >= self._last.number:
            self._end(None)

    def notice(self, message: dict[str, Any]) -> None:
        """Hand a notice to the client."""
        self._client.told(message)

    def final(self, result: Result) -> None:
        """The session may have been ended over HTTP, or with the server."""
        self._reader.close()
        self._end("the session was ended")

    # ---- the end

    def _end(self, message: str | None) -> None:
        self._wait_no_more()
        if not self._over:
            self._over = True
            self._client.ended(message)

    def _wait_no_more(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None


class ArrivalClock(TrackClock):
    """For frames without times that could be relied on: what counts is when they arrive."""

    def __init__(self, session: SessionClock) -> None:
        super().__init__(session)
        self._clock = session

    def session_ms(self, frame: Frame, now_s: float) -> float:
        """Milliseconds since the session's first frame."""
        self._clock.begin(now_s)
        return self._clock.elapsed_s(now_s) * 1000


class _Tap:
    """Frames of another session, which is followed as one of its readers."""

    def __init__(self, session: Session, stream: SourceStream, fps_limit: float) -> None:
        self._session = session
        self._stream = stream
        self._limit = RateLimit(fps_limit)
        self._number = 0

    def start(self) -> None:
        self._session.pictures.subscribe(self._take)
        self._stream.opened()
        self._session.subscribers.add_sink(self)

    def close(self) -> None:
        self._session.pictures.unsubscribe(self._take)
        self._session.subscribers.remove_sink(self)

    def _take(self, capture: Capture) -> None:
        self._number += 1
        if self._limit.allow(time.monotonic()):
            self._stream.frame(capture.frame, self._number)

    # ---- as the session's sink

    def result(self, result: Result) -> None:
        """What others found in it does not matter here."""

    def notice(self, message: dict[str, Any]) -> None:
        """Nor what went wrong with that."""

    def final(self, result: Result) -> None:
        self._stream.ended(None)


def _open(source: NumberedCamera | File | SourceUrl, allowed: AllowList) -> OpenVideo:
    """Open a source; in a thread."""
    match source:
        case NumberedCamera(index):
            return open_camera(index)
        case File(name):
            return open_file(allowed.check_file(name))
        case SourceUrl(scheme="rtsp"):
            return open_checked_rtsp(source, allowed)
        case SourceUrl():
            file = HttpFile(source, allowed)
            return open_readable(file, file.close, file.abort)
    raise SourceError("this is no source that is read here")
