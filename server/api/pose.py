"""The pose API: ``WS /ws`` and ``POST /pose``, pictures in and one person's landmarks back."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import orjson
from aiohttp import web

from server.api import forms, picture_socket
from server.api.context import POOL, SESSIONS, SETTINGS
from server.api.models_pose import PoseError
from server.api.picture_socket import Trouble
from server.api.pose_style import PoseStyle
from server.ingest.picture_stream import LOOK_WITHIN_S, look_once
from server.media.picture import BadPicture, EncodedPicture, PictureTooLarge
from server.security.identity import IDENTITY
from server.sessions.results import Result
from signaling.errors import BadMessage, Busy, InternalError, SignalingError

_POSE = "pose"
_FIELD = "image"
_RETRY_AFTER_S = 5


class NoPose(SignalingError):
    """This server does not find poses."""

    code = 503


# ---- WS /ws


async def websocket(request: web.Request) -> web.WebSocketResponse:
    """Answer each picture on a socket with its landmarks."""
    return await picture_socket.serve(request, _Socket(PoseStyle.wished(request)))


class _Socket:
    """The words of ``/ws``; a `PictureApi`."""

    analyzers: ClassVar[tuple[str, ...]] = (_POSE,)
    options: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, style: PoseStyle) -> None:
        self._style = style

    def welcome(self) -> None:
        """Say nothing before the first picture."""

    def read(self, message: str | bytes) -> tuple[bytes, None]:
        if isinstance(message, str):
            raise BadMessage("this is text: send each picture, JPEG or PNG, as a binary message")
        return message, None

    def answer(self, result: Result, dropped: int, context: None) -> bytes | None:
        assert result.frame is not None
        found = _found(result, self._style)
        if found is None:
            return None
        return orjson.dumps({**found, "frame": result.frame.number, "dropped": dropped})

    def error(self, trouble: Trouble, context: None) -> str:
        return PoseError(
            error=_kind(trouble.cause, "send_binary_frames"),
            detail=trouble.message,
            frame=trouble.frame,
            retry_after_s=trouble.retry_after_s,
        ).model_dump_json(exclude_none=True)


def _kind(error: SignalingError | None, what_is_due: str) -> str:
    """What went wrong, for programs."""
    match error:
        case BadPicture() | PictureTooLarge():
            return "decode_failed"
        case BadMessage():
            return what_is_due
        case Busy():
            return "busy"
    return "failed"


def _found(result: Result, style: PoseStyle) -> dict[str, Any] | None:
    """What both answers have, as the worker encoded it; None if pose failed on this picture."""
    landmarks = result.fragments.get("landmarks")
    has_pose = result.fragments.get("has_pose")
    if landmarks is None or has_pose is None or _POSE in result.timing.held:
        return None
    assert result.frame is not None
    landmarks = style.apply(landmarks, result.frame)
    return {"landmarks": orjson.Fragment(landmarks), "has_pose": orjson.Fragment(has_pose)}


# ---- POST /pose


async def pose(request: web.Request) -> web.Response:
    """Answer one picture in a form with its landmarks."""
    try:
        body = orjson.dumps(await _look(request))
    except SignalingError as error:
        told = PoseError(error=_kind(error, "send_a_form"), detail=error.message)
        text = told.model_dump_json(exclude_none=True)
        return web.json_response(text=text, status=error.code, headers=error.headers())
    return web.Response(body=body, content_type="application/json")


async def _look(request: web.Request) -> dict[str, Any]:
    settings, style = request.app[SETTINGS], PoseStyle.wished(request)
    data = await _read_form(request, settings.max_body_bytes)
    picture = EncodedPicture.read(data, max_pixels=settings.max_pixels)
    try:
        # Until then nobody knows which analyzers can run.
        async with asyncio.timeout(LOOK_WITHIN_S):
            await request.app[POOL].became_ready.wait()
        # Nobody is followed from picture to picture, and people who fill theirs are found too.
        result = await look_once(
            request.app[SESSIONS],
            picture,
            (_POSE,),
            {_POSE: {"still": True}},
            request[IDENTITY].subject,
        )
    except TimeoutError:
        raise Busy("the workers are still loading", retry_after_s=_RETRY_AFTER_S) from None
    except BadPicture:
        raise
    except BadMessage as error:
        raise NoPose(error.message) from error
    if (found := _found(result, style)) is None:
        raise InternalError("the picture could not be analyzed: the server's log says why")
    return found


async def _read_form(request: web.Request, max_bytes: int) -> bytes:
    """The form's picture.

    Raises
    ------
    BadMessage
        There is none, or the body is no form.
    PictureTooLarge
        The form has more bytes; the rest of it is not read.
    """
    if request.content_length is not None and request.content_length > max_bytes:
        raise forms.too_large(max_bytes)
    if request.content_type != forms.FORM:
        raise BadMessage(f"send {forms.FORM} with the picture in a field named {_FIELD!r}")
    found = await forms.read_fields(request, (_FIELD,), max_bytes, first=True)
    if _FIELD not in found:
        raise BadMessage(f"the form has no field named {_FIELD!r}: send the picture in one")
    return found[_FIELD]
