"""``/sessions``: who streams, how it goes, and its results as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

import orjson
from aiohttp import hdrs, web

from server.api import coached
from server.api.context import CAMERA_ANALYSIS, NO_CAMERA, SESSIONS, THUMBNAILS
from server.api.json_body import read_message
from server.api.models import StartSession
from server.ingest.camera_analysis import BY_REQUEST, RETRY_AFTER_S
from server.security.identity import IDENTITY
from server.sessions.manager import check_owner
from server.sessions.report import doing, status
from server.sessions.results import Result
from server.sessions.session import Session
from signaling.errors import Busy

logger = logging.getLogger(__name__)

# A comment line keeps proxies from closing a quiet stream.
KEEP_ALIVE_S = 15.0
# Results that may wait for a slow reader; older ones give way.
MAX_WAITING = 4
# Notices are rare, unless a client sends nothing but damaged pictures.
MAX_NOTICES = 64


async def list_sessions(request: web.Request) -> web.Response:
    """The running sessions of whoever asks, and of who share with them; with control, all."""
    seen = await coached.visible(request, list(request.app[SESSIONS].known))
    by = request[IDENTITY]
    return web.json_response(
        {
            "sessions": [
                {**status(s), "doing": doing(s.last), "yours": by.may_touch(s.owner)} for s in seen
            ]
        }
    )


async def get_session(request: web.Request) -> web.Response:
    """One session with its last result."""
    session = await _visible_session(request)
    last = orjson.loads(session.last.encode()) if session.last else None
    return web.json_response(
        {
            **status(session),
            "states": [str(s) for s in session.history],
            "last_result": last,
            "notes": list(session.notes.kept),
        }
    )


async def get_picture(request: web.Request) -> web.Response:
    """A small picture of what a session shows now."""
    data = await request.app[THUMBNAILS].of(await _visible_session(request))
    if data is None:
        # As ordinary as a picture: browsers would log an error.
        return web.Response(status=204)
    headers = {hdrs.CONTENT_TYPE: "image/jpeg", hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=data, headers=headers)


async def start_session(request: web.Request) -> web.Response:
    """Have the camera analyzed."""
    wish = await read_message(request, StartSession)
    if CAMERA_ANALYSIS not in request.app:
        why = request.app[NO_CAMERA]
        raise Busy(f"no camera: {why}", retry_after_s=RETRY_AFTER_S)
    session = request.app[CAMERA_ANALYSIS].start(
        wish.analyzers, wish.options, request[IDENTITY].subject
    )
    headers = {"Location": f"/sessions/{session.sid}"}
    return web.json_response(status(session), status=201, headers=headers)


async def delete_session(request: web.Request) -> web.Response:
    """End a session; the client gets its final result."""
    session = _own_session(request)
    await request.app[SESSIONS].end(session.sid, BY_REQUEST)
    return web.json_response(status(session))


async def _visible_session(request: web.Request) -> Session:
    session = request.app[SESSIONS].known.get(request.match_info["id"])
    await coached.check_visible(request, session)
    return session


def _own_session(request: web.Request) -> Session:
    session = request.app[SESSIONS].known.get(request.match_info["id"])
    check_owner(session, request[IDENTITY])
    return session


async def stream_results(request: web.Request) -> web.StreamResponse:
    """A session's results as server-sent events, to the final one."""
    session = _own_session(request)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    sink = EventSink()
    session.subscribers.add_sink(sink)
    try:
        async for event in sink:
            await response.write(event)
    except ConnectionResetError:
        logger.debug("A reader of session %s is gone", session.sid)
    finally:
        session.subscribers.remove_sink(sink)
    return response


class EventSink:
    """Server-sent events of one reader; iterate to get them as bytes."""

    def __init__(self) -> None:
        self._results: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._notices: deque[bytes] = deque(maxlen=MAX_NOTICES)
        self._wake = asyncio.Event()
        self._over = False

    def result(self, result: Result) -> None:
        """One frame's result; the oldest that waits gives way to it."""
        self._add(self._results, "result", result.encode())

    def notice(self, message: dict[str, Any]) -> None:
        """A notice, as an event of its own type."""
        self._add(self._notices, message["type"], orjson.dumps(message))

    def final(self, result: Result) -> None:
        """The last result ends the stream."""
        self._over = True
        self._add(self._results, "final", result.encode())

    def leave(self) -> None:
        """The stream ends without a result; it goes on where the session does."""
        self._over = True
        self._wake.set()

    def _add(self, waiting: deque[bytes], event: str, data: bytes) -> None:
        waiting.append(b"event: " + event.encode() + b"\ndata: " + data + b"\n\n")
        self._wake.set()

    def __aiter__(self) -> EventSink:
        return self

    async def __anext__(self) -> bytes:
        if not self._results and not self._notices:
            if self._over:
                raise StopAsyncIteration
            self._wake.clear()
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._wake.wait()
            except TimeoutError:
                return b": \n\n"
        return (self._notices or self._results).popleft()
