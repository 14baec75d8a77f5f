"""The camera over HTTP: its status, one picture, and MJPEG for anything that shows pictures."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.api.camera_recording import CAMERA_RECORDING
from server.api.context import (
    CAMERA,
    CAMERA_ANALYSIS,
    JPEGS,
    NO_CAMERA,
    POOL,
    SESSIONS,
    SETTINGS,
)
from server.camera.camera import Camera
from server.camera.choose import choose
from server.camera.hooks import Hook
from server.camera.jpeg import Jpeg, JpegCamera, JpegOptions
from server.camera.source import CameraUnavailable
from server.camera.turning import Turning
from server.config import Settings
from server.ingest.camera_analysis import CameraAnalysis
from signaling.errors import BadMessage, Busy

logger = logging.getLogger(__name__)

BOUNDARY = "frame"
# A viewer who has taken nothing for so long is gone.
TAKES_WITHIN_S = 10.0
# How long the first picture of a camera that has to be started may take.
FIRST_WITHIN_S = 15.0
# Whoever starts it is answered when there is one or it has failed, but waits no longer.
STARTS_WITHIN_S = 10.0
RETRY_AFTER_S = 5


class CameraStatus(BaseModel):
    """How the camera is."""

    enabled: bool
    state: str
    running: bool
    backend: str = Field(description="picamera2, v4l2, clip or pattern; NAME-unavailable")
    error: str | None = Field(description="Why it does not run")
    viewers: int
    held: bool = Field(description="Whether it runs even when nobody watches")
    width: int | None
    height: int | None
    fps: float = Field(description="Pictures a second, over the last two")
    starts: int = Field(description="How often it was started")
    own_encoder: bool = Field(description="Whether its own encoder makes what is watched as H264")
    hook: dict[str, int | str | None] | None
    recording: bool = Field(description="Whether what POST /record/start began goes on")
    recording_path: str | None


class CameraAnswer(CameraStatus):
    """How the camera is, now that it was started or stopped."""

    ok: bool


class Wish(BaseModel):
    """What a viewer may ask for."""

    model_config = ConfigDict(extra="ignore")

    fps: float | None = Field(None, ge=1, le=60, description="At most so many pictures a second")
    width: int | None = Field(None, ge=64, le=3840, description="At most so many pixels wide")
    quality: int | None = Field(None, ge=10, le=95, description="Of the JPEGs")


def set_up(app: web.Application, settings: Settings) -> None:
    """Make the camera that the settings name, or note why there is none."""
    if not settings.camera_enabled:
        _note_absence(app, settings, "it is switched off (--no-camera-enabled, CAMERA_ENABLED=0)")
        return
    try:
        make_source = choose(settings.camera, settings.camera_mode())
    except CameraUnavailable as error:
        _note_absence(app, settings, str(error))
        # "auto" is nobody's wish.
        if settings.camera != "auto" and not settings.analyze_camera:
            logger.error("--camera: %s; the server goes on without a camera", error)
        return
    hook = None
    if settings.camera_hook is not None:
        hook = Hook(settings.camera_hook, settings.camera_hook_colors)
    turning = Turning(int(settings.camera_turn)) if settings.camera_turn != "0" else None
    app[CAMERA] = camera = Camera(make_source, hook, turning=turning)
    app[JPEGS] = JpegCamera(camera)
    app[CAMERA_ANALYSIS] = CameraAnalysis(camera, app[SESSIONS])
    if settings.analyze_camera:
        app.on_startup.append(_keep_analyzed)
    app.on_shutdown.append(_close)


def _note_absence(app: web.Application, settings: Settings, why: str) -> None:
    app[NO_CAMERA] = why
    if settings.analyze_camera:
        logger.error("--analyze-camera: there is no camera: %s", why)


async def _keep_analyzed(app: web.Application) -> None:
    app[CAMERA_ANALYSIS].keep(app[POOL].became_ready)


async def _close(app: web.Application) -> None:
    await app[CAMERA_ANALYSIS].close()
    app[JPEGS].close()
    await app[CAMERA].stop()


async def status(request: web.Request) -> web.Response:
    """How the camera is; also where there is none."""
    return web.json_response(_status(request))


async def start(request: web.Request) -> web.Response:
    """Start the camera, and keep it running."""
    camera = _camera(request)
    try:
        camera.start()
        # Who is told that it runs asks for a picture at once.
        await camera.wait_until_started(STARTS_WITHIN_S)
    except CameraUnavailable as error:
        raise _unavailable(str(error)) from error
    return web.json_response({"ok": True, **_status(request)})


async def stop(request: web.Request) -> web.Response:
    """Stop the camera, whoever watches."""
    await _camera(request).stop()
    return web.json_response({"ok": True, **_status(request)})


async def frame(request: web.Request) -> web.Response:
    """The newest picture."""
    camera, wish = _camera(request), _wish(request)
    still = await request.app[JPEGS].still(_options(request, wish))
    if still is None:
        raise Busy(
            f"no picture: the camera is {camera.state}: start it with POST /camera/start"
            + (f" ({camera.error})" if camera.error else ""),
            retry_after_s=RETRY_AFTER_S,
        )
    taken_s = time.time() - (time.monotonic() - still.captured_s)
    headers = {"Cache-Control": "no-store", "X-Timestamp": f"{taken_s:.6f}"}
    return web.Response(body=still.data, content_type="image/jpeg", headers=headers)


async def stream(request: web.Request) -> web.StreamResponse:
    """The pictures as they come, as MJPEG."""
    camera = _camera(request)
    jpegs, wish = request.app[JPEGS], _wish(request)
    if request.method == hdrs.METH_HEAD:
        return await _begin(request)
    try:
        fps = wish.fps or request.app[SETTINGS].stream_fps or None
        viewer = jpegs.watch(_options(request, wish), fps)
    except CameraUnavailable as error:
        raise _unavailable(str(error)) from error
    try:
        try:
            first = await asyncio.wait_for(anext(viewer), FIRST_WITHIN_S)
        except (TimeoutError, StopAsyncIteration):
            why = f" ({camera.error})" if camera.error else ""
            raise _unavailable(f"it gives no picture{why}") from None
        response = await _begin(request)
        await response.write(f"--{BOUNDARY}\r\n".encode())
        await _send(response, first)
        async for jpeg in viewer:
            await _send(response, jpeg)
    except (ConnectionResetError, TimeoutError):
        # The viewer has left, or reads no more.
        if request.transport is not None:
            request.transport.abort()
    finally:
        viewer.close()
    return response


async def _begin(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": f"multipart/x-mixed-replace; boundary={BOUNDARY}",
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    return response


async def _send(response: web.StreamResponse, jpeg: Jpeg) -> None:
    age_s = time.monotonic() - jpeg.captured_s
    head = (
        f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg.data)}\r\n"
        f"X-Timestamp: {time.time() - age_s:.6f}\r\n\r\n"
    )
    # The next boundary comes along at once: a browser shows a picture when it has seen its end.
    async with asyncio.timeout(TAKES_WITHIN_S):
        await response.write(head.encode() + jpeg.data + f"\r\n--{BOUNDARY}\r\n".encode())


def _options(request: web.Request, wish: Wish) -> JpegOptions:
    return JpegOptions(wish.width, wish.quality or request.app[SETTINGS].jpeg_quality)


def _status(request: web.Request) -> dict[str, Any]:
    recording = request.app[CAMERA_RECORDING].status()
    if CAMERA in request.app:
        status = request.app[CAMERA].status()
        backend = status["backend"] or _no_backend(request)
        return {"enabled": True, **status, "backend": backend, **recording}
    return {
        "enabled": False,
        "state": "unavailable",
        "running": False,
        "backend": _no_backend(request),
        "error": request.app[NO_CAMERA],
        "viewers": 0,
        "held": False,
        "fps": 0.0,
        "starts": 0,
        "own_encoder": False,
        **dict.fromkeys(("width", "height", "hook")),
        **recording,
    }


def _no_backend(request: web.Request) -> str:
    kind = request.app[SETTINGS].camera
    return f"{'picamera2' if kind == 'auto' else kind}-unavailable"


def _camera(request: web.Request) -> Camera:
    if CAMERA not in request.app:
        raise _unavailable(request.app[NO_CAMERA])
    return request.app[CAMERA]


def _unavailable(why: str) -> Busy:
    return Busy(f"no camera: {why}", retry_after_s=RETRY_AFTER_S)


def _wish(request: web.Request) -> Wish:
    try:
        return Wish.model_validate(dict(request.query))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadMessage(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
