"""The pose API: ``WS /ws`` and ``POST /pose``, pictures in and one person's landmarks back."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

import orjson
from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from server.api import picture_socket
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
_CHUNK_BYTES = 64 * 1024
# Each costs the event loop some time, even if there is nothing in it.
_MAX_FIELDS = 100
# Boundaries, the fields' headers, and what stands before the first of them.
_MAX_LINES_BYTES = 64 * 1024
_RETRY_AFTER_S = 5
# Whatever aiohttp's reader finds wrong with a form, or with how its body is transferred.
_DAMAGED = (
    ValueError,
    AssertionError,
    RuntimeError,
    HttpProcessingError,
    web.RequestPayloadError,
)


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
        raise _too_large(max_bytes)
    if request.content_type != "multipart/form-data":
        raise BadMessage(f"send multipart/form-data with the picture in a field named {_FIELD!r}")
    try:
        lines = cast(StreamReader, _FewLines(request.content))
        return await _find_field(MultipartReader(request.headers, lines), max_bytes)
    except SignalingError:
        raise
    except _DAMAGED as error:
        raise BadMessage("the form is damaged, or cut off") from error


class _FewLines:
    """A body that aiohttp's reader of forms reads, line by line what stands between its fields.

    Without an end to that, a client who sends nothing but short lines would take the event loop's
    time for as long as a request may last.
    """

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._bytes = 0

    async def readline(self, **bounds: Any) -> bytes:
        """The next line.

        Raises
        ------
        BadMessage
            There were too many.
        """
        line = await self._content.readline(**bounds)
        self._bytes += len(line)
        if self._bytes > _MAX_LINES_BYTES:
            raise BadMessage("the form is damaged: too much stands outside of its fields")
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


async def _find_field(form: MultipartReader, max_bytes: int) -> bytes:
    count = fields = 0
    async for part in form:
        fields += 1
        if fields > _MAX_FIELDS:
            raise BadMessage(f"the form has more than {_MAX_FIELDS} fields: send the picture first")
        if not isinstance(part, BodyPartReader):
            raise BadMessage("a form within the form: send the picture itself")
        data = bytearray()
        while chunk := await part.read_chunk(_CHUNK_BYTES):
            count += len(chunk)
            if count > max_bytes:
                raise _too_large(max_bytes)
            if part.name == _FIELD:
                data += chunk
        if part.name == _FIELD:
            return bytes(data)
    raise BadMessage(f"the form has no field named {_FIELD!r}: send the picture in one")


def _too_large(max_bytes: int) -> PictureTooLarge:
    return PictureTooLarge(f"the form has more than {max_bytes} bytes: send a smaller picture")
