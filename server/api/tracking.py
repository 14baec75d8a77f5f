"""The person search API: ``WS /video-stream/{session_id}``."""

from __future__ import annotations

import functools
import re
import time
from pathlib import Path

from aiohttp import WSCloseCode, web
from pydantic import BaseModel, ValidationError

from server.api.base64_picture import decode_base64
from server.api.bounded_socket import BoundedSocket
from server.api.context import POOL, SESSIONS, SETTINGS
from server.api.models_tracking import (
    Matches,
    Ping,
    SingleFrame,
    SocketError,
    StartTracking,
    StopTracking,
    TrackingStatus,
    client_message,
)
from server.api.person_search import owner_of, until_reid_runs
from server.api.tracked_frames import TrackedFrame, TrackedFrames
from server.api.tracked_source import TrackedSource
from server.media.picture import EncodedPicture
from server.security.identity import ANONYMOUS, IDENTITY, Scope
from server.sources.allowed import AllowList
from server.sources.errors import SourceError
from server.sources.named import parse_source
from server.tasks import Tasks
from signaling.errors import SignalingError
from signaling.json_text import check_json

_SESSION_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# What a WebSocket's closing frame has room for (RFC 6455, section 5.5).
_MAX_REASON_BYTES = 123
_KINDS = "start_tracking, single_frame, stop_tracking or ping"


async def video_stream(request: web.Request) -> web.WebSocketResponse:
    """Look for people in the frames that a client sends, or in a video that it names."""
    session_id = request.match_info["session_id"]
    idle_notice = functools.partial(_idle, session_id)
    async with BoundedSocket.open(request, idle_notice=idle_notice) as socket:
        if _SESSION_ID.fullmatch(session_id):
            await _Conversation(request, socket).run()
        else:
            why = "a session id has 1 to 128 of A-Z, a-z, 0-9, _, . and -"
            await socket.close(WSCloseCode.POLICY_VIOLATION, why)
    return socket.response


class _Conversation:
    """One client: its frames, and the source that it has the server read."""

    def __init__(self, request: web.Request, socket: BoundedSocket) -> None:
        app = request.app
        self._socket = socket
        self._pool = app[POOL]
        self._sessions = app[SESSIONS]
        self._settings = app[SETTINGS]
        self._session_id = request.match_info["session_id"]
        self._is_older = self._settings.search_messages == "older"
        self._identity = request.get(IDENTITY, ANONYMOUS)
        self._owner = owner_of(request)
        self._allowed = _allow_list(
            self._settings.allow_source,
            *self._settings.recordings_directories(),
            # As `POST /find` has it.
            all_recordings=self._identity.may(Scope.CONTROL),
        )
        self._frames: TrackedFrames | None = None
        self._frames_taken = 0
        self._source: TrackedSource | None = None
        self._tasks = Tasks("video stream")
        # Who has the server read a source needs not say anything meanwhile.
        socket.may_idle = lambda: self._source is not None

    async def run(self) -> None:
        """Take messages until the socket closes."""
        self.older_status("connected", f"Session {self._session_id} established")
        try:
            async for message in self._socket:
                await self._receive(message)
        finally:
            if self._source is not None:
                await self._source.close("the client is gone")
            if self._frames is not None:
                await self._frames.close("the client is gone")
            await self._tasks.join()

    async def _receive(self, raw: str | bytes) -> None:
        try:
            check_json(raw)
            message = client_message.validate_json(raw)
            match message:
                case SingleFrame():
                    await self._take_frame(message)
                case StartTracking():
                    await self._start(message)
                case StopTracking():
                    await self._stop()
                case Ping():
                    self.status("pong", "pong")
        except ValidationError as error:
            self.failed(_what_is_wrong(error))
        except SourceError as error:
            self.failed(error.message)
        except SignalingError as error:
            self.failed(error.message, error.headers().get("Retry-After"))

    # ---- what the client asks for

    async def _take_frame(self, message: SingleFrame) -> None:
        picture = EncodedPicture.read(
            decode_base64(message.frame), max_pixels=self._settings.max_pixels
        )
        await until_reid_runs(self._pool)
        if self._frames is None:
            self._frames = TrackedFrames(self._sessions, self, self._owner, self._session_id)
        number = self._frames_taken + self._settings.first_frame
        self._frames_taken += 1
        self._frames.put(TrackedFrame(picture, message.person_embed, number))

    async def _start(self, message: StartTracking) -> None:
        source = parse_source(message.video_source, self._is_published)
        await until_reid_runs(self._pool)
        # One that is refused leaves the one before alone.
        tracked = TrackedSource(
            self._sessions,
            self._allowed,
            source,
            message.person_embed,
            self,
            fps_limit=message.fps_limit,
            max_pixels=self._settings.max_pixels,
            max_encoded_pixels=self._settings.video_pixels(),
            owner=self._owner,
            first_frame=self._settings.first_frame,
            session_id=self._session_id,
        )
        replaced, self._source = self._source, tracked
        if replaced is not None:
            await replaced.close("another source is tracked instead")
        tracked.start()

    async def _stop(self) -> None:
        stopped, self._source = self._source, None
        if stopped is None:
            self.status("tracking_stopped", "No source was tracked")
            return
        await stopped.close("the client stopped it")
        self.older_status("video_closed", f"Closed source: {stopped.name}")
        self.status("tracking_stopped", f"Stopped tracking on source: {stopped.name}")

    def _is_published(self, name: str) -> bool:
        """Whether this client may watch what is sent to a session."""
        return self._sessions.known.viewable(name, self._identity) is not None

    # ---- what it is told

    def found(self, matches: Matches) -> None:
        """Send what was found in a frame."""
        self._say(matches)

    def status(self, status: str, message: str) -> None:
        """Send how it goes."""
        self._say(_status(self._session_id, status, message))

    def older_status(self, status: str, message: str) -> None:
        """Send how it goes to a client of the older server."""
        if self._is_older:
            self.status(status, message)

    def failed(self, message: str, retry_after: str | None = None) -> None:
        """Send what went wrong."""
        if self._is_older:
            self.status("error", message)
            return
        self._say(
            SocketError(
                session_id=self._session_id,
                message=message,
                timestamp=time.time(),
                retry_after_s=None if retry_after is None else int(retry_after),
            )
        )

    def over(self, frames: TrackedFrames, message: str | None) -> None:
        """Begin anew with the next frame; or say goodbye, if the session was ended by others."""
        if self._frames is frames:
            self._frames = None
        self._tasks.spawn(frames.close("its reference can not be used"), "close frames")
        if message is not None:
            self.failed(message)
            short = message.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
            self._tasks.spawn(self._socket.close(WSCloseCode.GOING_AWAY, short), "goodbye")

    def source_over(self, tracked: TrackedSource) -> None:
        """Close a source that has ended."""
        if self._source is tracked:
            self._source = None
        self._tasks.spawn(tracked.close("its source has ended"), "close source")

    def _say(self, message: BaseModel) -> None:
        self._socket.offer(message.model_dump_json(exclude_none=isinstance(message, SocketError)))


@functools.cache
def _allow_list(patterns: tuple[str, ...], *folders: Path, all_recordings: bool) -> AllowList:
    return AllowList(patterns, *folders, all_recordings=all_recordings)


def _status(session_id: str, status: str, message: str) -> TrackingStatus:
    said = {"status": status, "message": message, "timestamp": time.time()}
    said["session_id"] = session_id
    return TrackingStatus.model_validate(said)


def _idle(session_id: str) -> str:
    message = "Nothing was said for too long: the connection is closed"
    return _status(session_id, "idle", message).model_dump_json()


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"this is not JSON: send {_KINDS}"
    if not first["loc"]:
        return f"a message is an object whose type is {_KINDS}"
    # Leaving out the kind of message and of number.
    where = ".".join(str(part) for part in first["loc"][1:2])
    return f"{where + ': ' if where else ''}{first['msg']}"
