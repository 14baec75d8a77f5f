"""Recording the camera as an older server did: ``POST /record/start`` and ``/record/stop``."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from server.api.context import RECORDINGS, SETTINGS, STREAMS
from server.api.json_body import read_message
from server.camera.source import CameraUnavailable
from server.media.encoder import Codec
from server.recordings import names
from server.recordings.recordings import Recordings
from server.recordings.status import State
from server.security.identity import ANONYMOUS, IDENTITY, Identity
from server.watching.registry import StreamRegistry
from signaling.errors import BadMessage, Busy, Conflict, NotFound, quote

SOURCE = "camera"
# An older server recorded until it was told to stop; here that is the longest there is.
MAX_S = 6 * 3600.0
_RETRY_AFTER_S = 5
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class RecordWish(BaseModel):
    """What is recorded to."""

    path: str | None = Field(
        default=None, max_length=1024, description="Its last part is the recording's name"
    )
    fps: float | None = Field(default=None, description="Each frame keeps its own time instead")
    codec: str | None = Field(default=None, description="It is H264")


class Recorded(BaseModel):
    """Where it is recorded to."""

    ok: bool = True
    path: str
    recording: bool


class CameraRecording:
    """The one recording that this API knows of.

    Parameters
    ----------
    recordings
        All of them.
    directory
        Where they are.
    """

    def __init__(self, recordings: Recordings, directory: PurePath) -> None:
        self._recordings = recordings
        self._directory = directory
        self._name: str | None = None

    def status(self) -> dict[str, Any]:
        """What ``/camera/status`` says of it."""
        name = self._running
        return {"recording": name is not None, "recording_path": name and self._path(name)}

    @property
    def _running(self) -> str | None:
        return self._name if self._name and self._recordings.is_running(self._name) else None

    def _path(self, name: str) -> str:
        return str(self._directory / f"{name}.mp4")

    async def start(self, streams: StreamRegistry, by: Identity, name: str | None) -> str:
        """Begin; returns the file's path.

        Raises
        ------
        SignalingError
            It can not be recorded, or is already.
        """
        if self._running:
            raise Conflict("the camera is being recorded: POST /record/stop ends that first")
        streams.find_here(SOURCE, by)
        try:
            status = await self._recordings.start(
                SOURCE, lambda: streams.find_here(SOURCE, by).watch(Codec.H264), name, MAX_S
            )
        except CameraUnavailable as error:
            raise Busy(f"no camera: {error}", retry_after_s=_RETRY_AFTER_S) from error
        self._name = status.name
        return self._path(status.name)

    async def stop(self) -> str:
        """End it; returns the file's path.

        Raises
        ------
        Conflict
            Nothing is recorded.
        """
        name = self._running
        if name is None:
            raise Conflict("the camera is not being recorded: POST /record/start begins that")
        status = await self._recordings.stop(name)
        if status.state is State.RECORDING:
            raise Busy("the recording is not finished yet", retry_after_s=_RETRY_AFTER_S)
        return self._path(status.name)


CAMERA_RECORDING = web.AppKey("camera recording", CameraRecording)


def set_up(app: web.Application) -> None:
    """Nothing is recorded."""
    directory = app[SETTINGS].recordings_directory()
    app[CAMERA_RECORDING] = CameraRecording(app[RECORDINGS], directory)


async def start(request: web.Request) -> web.Response:
    """Record the camera."""
    wish = RecordWish()
    if request.can_read_body:
        wish = await read_message(request, RecordWish)
    path = await request.app[CAMERA_RECORDING].start(
        request.app[STREAMS], request.get(IDENTITY, ANONYMOUS), _name(wish.path)
    )
    return web.json_response(text=Recorded(path=path, recording=True).model_dump_json())


async def stop(request: web.Request) -> web.Response:
    """Record it no more."""
    try:
        path = await request.app[CAMERA_RECORDING].stop()
    except NotFound as error:
        raise Conflict(error.message) from error
    return web.json_response(text=Recorded(path=path, recording=False).model_dump_json())


def _name(path: str | None) -> str | None:
    """The recording's name that a path of the older server's stands for."""
    if not path:
        return None
    stem = PurePath(path).name.removesuffix(".mp4")
    name = names.parse_name(_NOT_IN_NAMES.sub("-", stem))
    if name is None:
        raise BadMessage(f"{quote(path)} ends in no name of a recording: {names.WHAT_IT_IS}")
    return name
