"""``/lookouts``: people who are looked for in a camera until further notice."""

from __future__ import annotations

import contextlib
from typing import Any

import orjson
from aiohttp import web

from server.api.context import (
    CAMERA,
    CAMERA_ANALYSIS,
    EMBEDDING_CIPHER,
    NO_CAMERA,
    POOL,
    RECORDINGS,
    SESSIONS,
    SETTINGS,
    STREAMS,
    WEBHOOKS,
)
from server.api.json_body import read_message
from server.api.models_lookouts import StartLookout
from server.api.person_search import owner_of, until_reid_runs
from server.camera.camera import CameraState
from server.camera.source import CameraUnavailable
from server.ingest.lookout import Lookout
from server.ingest.lookouts import Limits, Lookouts
from server.media.encoder import Codec
from server.recordings.recordings import Recordings
from server.security.identity import ANONYMOUS, IDENTITY, Identity
from server.sources.allowed import AllowList
from server.sources.errors import SourceError, SourceRefused
from server.sources.named import File, Named, Published, parse_source
from server.watching.names import CAMERA_NAME
from server.watching.registry import StreamRegistry
from signaling.errors import BadMessage, Busy, NotAllowed, NotFound, quote

LOOKOUTS = web.AppKey("lookouts", Lookouts)
# Of one recording; whoever stays longer is recorded for an hour.
LONGEST_S = 3600.0
_RETRY_AFTER_S = 5


def set_up(app: web.Application) -> None:
    """Nobody is looked for."""
    settings = app[SETTINGS]

    def tell(kind: str, data: dict[str, Any]) -> None:
        if WEBHOOKS in app:
            app[WEBHOOKS].tell(kind, data)

    app[LOOKOUTS] = Lookouts(
        app[SESSIONS],
        app[CAMERA_ANALYSIS] if CAMERA_ANALYSIS in app else app[NO_CAMERA],
        Limits(settings.max_pixels, settings.video_pixels()),
        tell,
    )
    app.on_shutdown.append(_close)


async def _close(app: web.Application) -> None:
    await app[LOOKOUTS].close()


async def start(request: web.Request) -> web.Response:
    """Look for somebody from now on."""
    wish = await read_message(request, StartLookout)
    by: Identity = request.get(IDENTITY, ANONYMOUS)
    app = request.app
    # The session would open it itself, but says so later.
    app[EMBEDDING_CIPHER].open(wish.embedding, owner_of(request))
    await until_reid_runs(app[POOL])
    options: dict[str, Any] = {"reference": wish.embedding}
    if wish.threshold is not None:
        options["threshold"] = wish.threshold
    try:
        source, allowed = _source(request, wish.source)
        lookout = app[LOOKOUTS].start(
            *(wish.name, options, source, allowed, wish.padding_s),
            (lambda sid: _recorder(request, source, sid, by)) if wish.record else None,
            by.subject,
        )
    except SourceRefused as error:
        raise NotAllowed(error.message) from error
    except SourceError as error:
        raise BadMessage(f"source: {error.message}") from error
    where = f"/lookouts/{lookout.wanted.lookout_id}"
    return _answer(_told(request, lookout), 201, Location=where)


async def list_lookouts(request: web.Request) -> web.Response:
    """Who is looked for, and when they were seen."""
    listed = [_told(request, each) for each in request.app[LOOKOUTS].all()]
    return _answer({"lookouts": listed})


async def end(request: web.Request) -> web.Response:
    """Look for them no more, and forget when they were seen."""
    lookout = await request.app[LOOKOUTS].remove(request.match_info["id"])
    return _answer(_told(request, lookout))


def _source(request: web.Request, text: str | int) -> tuple[Named | None, AllowList]:
    """What is meant, and what may be read; None is this machine's camera."""
    settings, known = request.app[SETTINGS], request.app[SESSIONS].known
    if text == CAMERA_NAME:
        return None, AllowList(())
    source = parse_source(text, lambda name: known.published(name) is not None)
    if isinstance(source, File):
        raise NotFound(
            f"nothing is published as {quote(source.name)}; recordings are searched by POST /find"
        )
    if isinstance(source, Published):
        # Whoever has control sees all that is published.
        return source, AllowList((source.name,))
    return source, AllowList(settings.allow_source)


class _StreamRecorder:
    """Records what can be watched under a name."""

    def __init__(
        self, recordings: Recordings, streams: StreamRegistry, name: str, by: Identity
    ) -> None:
        self._recordings = recordings
        self._streams = streams
        self._name = name
        self._by = by

    async def begin(self) -> str:
        try:
            status = await self._recordings.start(
                self._name,
                lambda: self._streams.find_here(self._name, self._by).watch(Codec.H264),
                None,
                LONGEST_S,
            )
        except CameraUnavailable as error:
            raise Busy(f"no camera: {error}", retry_after_s=_RETRY_AFTER_S) from error
        return status.name

    async def finish(self, name: str) -> None:
        # It may have ended by itself, and been removed.
        with contextlib.suppress(NotFound):
            await self._recordings.stop(name)


def _recorder(
    request: web.Request, source: Named | None, sid: str, by: Identity
) -> _StreamRecorder:
    # What only the server reads can be watched as the session that looks at it.
    name = source.name if isinstance(source, Published) else CAMERA_NAME if source is None else sid
    return _StreamRecorder(request.app[RECORDINGS], request.app[STREAMS], name, by)


def _answer(told: dict[str, Any], status: int = 200, **headers: str) -> web.Response:
    return web.json_response(body=orjson.dumps(told), status=status, headers=headers)


def _told(request: web.Request, lookout: Lookout) -> dict[str, Any]:
    """What `LookoutStatus` describes.

    A dictionary: five hundred sightings of each lookout as models would hold up the event loop.
    """
    wanted = lookout.wanted
    return {
        "id": wanted.lookout_id,
        "name": wanted.person,
        "camera": wanted.camera,
        "session": lookout.session.sid,
        "record": lookout.records,
        "padding_s": wanted.padding_s,
        "over": lookout.over,
        "problem": lookout.problem or _blind(request, lookout),
        "sightings": [
            {
                "since": each.from_ms,
                "until": each.to_ms,
                "distance": each.distance,
                "recording": each.recording,
                "over": each.over,
            }
            for each in lookout.presence.sightings
        ],
    }


def _blind(request: web.Request, lookout: Lookout) -> str | None:
    """Why this machine's camera shows nothing, if that is what is looked at; it is tried again."""
    if lookout.wanted.camera != CAMERA_NAME or CAMERA not in request.app:
        return None
    camera = request.app[CAMERA]
    is_well = camera.state not in (CameraState.FAILED, CameraState.UNAVAILABLE)
    return None if is_well else f"no camera: {camera.error}"
