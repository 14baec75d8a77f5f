"""Recordings over HTTP: begun, listed, watched, ended and removed."""

from __future__ import annotations

import functools

from aiohttp import web

from server.api.context import RECORDINGS, STREAMS, WEBHOOKS
from server.api.json_body import read_message
from server.api.models_recordings import Recording, RecordingList, StartRecording
from server.api.relay import link_to
from server.camera.source import CameraUnavailable
from server.config import BadSettings, Settings
from server.http.opened_file import OpenedFile
from server.media.encoder import Codec
from server.recordings import names
from server.recordings.folder import Folder
from server.recordings.recordings import Recordings
from server.recordings.retention import Retention
from server.recordings.status import RecordingStatus
from server.security.identity import ANONYMOUS, IDENTITY
from signaling.errors import BadMessage, Busy, NotFound, quote

_RETRY_AFTER_S = 5


def set_up(app: web.Application, settings: Settings) -> None:
    """Have recordings kept.

    Raises
    ------
    BadSettings
        The directory that was asked for can not be used.
    """
    folder = Folder(settings.recordings_directory())
    if settings.recordings is not None:
        try:
            folder.prepare()
        except OSError as error:
            why = error.strerror or error
            raise BadSettings(f"--recordings: cannot record to {folder.path}: {why}") from error
    app[RECORDINGS] = Recordings(
        *(folder, retention(settings), settings.max_recordings),
        lambda status: _tell_closed(app, status),
    )
    app.on_startup.append(_open)
    app.on_shutdown.append(_close)


def retention(settings: Settings) -> Retention:
    """How long recordings are kept."""
    return Retention(settings.recordings_days, settings.recordings_quota)


def _tell_closed(app: web.Application, status: RecordingStatus) -> None:
    if WEBHOOKS in app:
        told = _shown(status).model_dump(mode="json")
        app[WEBHOOKS].tell("recording.closed", {"recording": status.name, **told})


async def _open(app: web.Application) -> None:
    app[RECORDINGS].open()


async def _close(app: web.Application) -> None:
    await app[RECORDINGS].close()


async def start(request: web.Request) -> web.StreamResponse:
    """Begin a recording."""
    wish = await read_message(request, StartRecording)
    name = None if wish.name is None else _parse_name(wish.name, BadMessage)
    elsewhere = await link_to(request.app, wish.source)
    if elsewhere is not None:
        return await elsewhere.forward(request, request[IDENTITY], wish.model_dump_json().encode())
    find = functools.partial(
        request.app[STREAMS].find_here, wish.source, request.get(IDENTITY, ANONYMOUS)
    )
    # What is not there is refused at once; what is may end until there is a file.
    find()
    try:
        status = await request.app[RECORDINGS].start(
            wish.source, lambda: find().watch(Codec.H264), name, wish.seconds
        )
    except CameraUnavailable as error:
        raise Busy(f"no camera: {error}", retry_after_s=_RETRY_AFTER_S) from error
    headers = {"Location": _url(status.name)}
    return web.json_response(text=_shown(status).model_dump_json(), status=201, headers=headers)


async def list_recordings(request: web.Request) -> web.Response:
    """All recordings."""
    found = await request.app[RECORDINGS].all()
    listed = RecordingList(recordings=[_shown(status) for status in found])
    return web.json_response(text=listed.model_dump_json())


async def get(request: web.Request) -> web.StreamResponse:
    """A recording's MP4, in parts if they are asked for."""
    descriptor = await request.app[RECORDINGS].open_file(_name(request))
    headers = {"Content-Type": "video/mp4", "Cache-Control": "private, no-cache"}
    return OpenedFile(descriptor, headers)


async def delete(request: web.Request) -> web.Response:
    """End a recording, or with ``file=1`` remove one that has ended."""
    name, recordings = _name(request), request.app[RECORDINGS]
    match request.query.get("file", "0"):
        case "0":
            status = await recordings.stop(name)
        case "1":
            status = await recordings.remove(name)
        case other:
            raise BadMessage(f"file={quote(other)}: file=1 removes the recording")
    return web.json_response(text=_shown(status).model_dump_json())


def _name(request: web.Request) -> str:
    return _parse_name(request.match_info["name"], NotFound)


def _parse_name(text: str, refused: type[BadMessage | NotFound]) -> str:
    name = names.parse_name(text)
    if name is None:
        raise refused(f"{quote(text)} is no name of a recording: {names.WHAT_IT_IS}")
    return name


def _shown(status: RecordingStatus) -> Recording:
    return Recording(**status.model_dump(exclude={"began"}), url=_url(status.name))


def _url(name: str) -> str:
    return f"/recordings/{name}"
