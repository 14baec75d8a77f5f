"""The person search API: ``POST /upload-embedding`` and ``POST /find``."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from pathlib import Path
from typing import Any, TypeGuard

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from analyzers.reid.embedding import Embedding
from server.api import events, forms
from server.api.base64_picture import decode_base64
from server.api.context import EMBEDDING_CIPHER, POOL, SESSIONS, SETTINGS
from server.api.json_body import message_of
from server.api.models_tracking import (
    Find,
    FindProgress,
    Found,
    FoundMatch,
    TrackingError,
    UploadedEmbedding,
    UploadEmbedding,
)
from server.api.recorded import locate
from server.api.uploaded_file import uploaded
from server.ingest.picture_stream import look_once
from server.media.picture import BadPicture, EncodedPicture, PictureTooLarge
from server.search.appearances import clock
from server.search.frame_scanner import ReferenceRefused
from server.search.search import Match, Search
from server.security.embeddings import BadSealedEmbedding
from server.security.identity import ANONYMOUS, IDENTITY, Identity
from server.sessions.embedding_gate import REID
from server.sources.errors import SourceError
from server.tasks import cancel_and_wait
from server.workers.pool import WorkerPool
from signaling.errors import (
    BadMessage,
    Busy,
    NotFound,
    SignalingError,
    as_signaling_error,
)
from signaling.json_text import parse_json

logger = logging.getLogger(__name__)

# How often the client is told how far a search is, and looked after whether it is still there.
PROGRESS_EVERY_S = 0.5
# Matches that may wait for a client that reads slowly; older ones are in the result, too.
_MAX_WAITING = 1000
_READY_WITHIN_S = 30.0
_RETRY_AFTER_S = 60
# Of a form. An older server's clients call it the first.
_PICTURE_FIELDS = ("file", "image")
_VIDEO_FIELDS = ("file", "video")
_FIND_FIELDS = ("person", "embed", "video_path", "threshold", *_VIDEO_FIELDS)
# Whom a detector does not see, and everybody without one, is found by pose.
_POSE = "pose"
_SEVERAL: dict[str, Any] = {"num_poses": 8, "still": True}
# Nobody reads it; nginx logs it so.
_CLIENT_GONE = 499


class NoPerson(SignalingError):
    """There is nobody in the picture."""

    code = 422


class NoVideo(SignalingError):
    """The file is there, and no video that can be read."""

    code = 422


# The first that fits counts.
_ERROR_CODES: tuple[tuple[type[SignalingError], str], ...] = (
    (NoPerson, "NO_PERSON_DETECTED"),
    (NoVideo, "INVALID_VIDEO_FORMAT"),
    (PictureTooLarge, "IMAGE_TOO_LARGE"),
    (BadPicture, "INVALID_IMAGE_FORMAT"),
    (ReferenceRefused, "EMBEDDING_OTHER_MODEL"),
    (NotFound, "FILE_NOT_FOUND"),
    (Busy, "SERVICE_UNAVAILABLE"),
    (BadMessage, "INVALID_REQUEST"),
)


async def upload_embedding(request: web.Request) -> web.Response:
    """Answer a picture with what the largest person in it looks like."""
    settings = request.app[SETTINGS]
    try:
        data = await _read_picture(request)
        picture = EncodedPicture.read(data, max_pixels=settings.max_pixels)
        return _json(await _enrol(request, picture))
    except ValidationError as error:
        return _refused(BadMessage(message_of(error)))
    except BadPicture as error:
        return _refused(error, int(settings.undecodable))
    except SignalingError as error:
        return _refused(error)


async def _read_picture(request: web.Request) -> bytes:
    """The picture in JSON, or in a form."""
    if request.content_type != forms.FORM:
        body = UploadEmbedding.model_validate(await _read_body(request))
        return decode_base64(body.image)
    max_bytes = request.app[SETTINGS].max_body_bytes
    found = await forms.read_fields(request, _PICTURE_FIELDS, max_bytes, first=True)
    if not found:
        raise BadMessage(f"the form has no field {' or '.join(map(repr, _PICTURE_FIELDS))}")
    return next(iter(found.values()))


async def _enrol(request: web.Request, picture: EncodedPicture) -> UploadedEmbedding:
    await until_reid_runs(request.app[POOL])
    options = {REID: {"enrol": True}, _POSE: _SEVERAL}
    result = await look_once(
        request.app[SESSIONS], picture, tuple(options), options, owner_of(request)
    )
    if "reid_people" not in result.fragments:
        raise Busy("the picture could not be analyzed: try again", retry_after_s=5)
    people = orjson.loads(result.fragments["reid_people"])
    if not people:
        raise NoPerson("No person detected, please try with another image")
    sealed = people[0]["embedding"]
    plain = Embedding.from_token(request.app[EMBEDDING_CIPHER].open(sealed, owner_of(request)))
    looked = orjson.loads(result.fragments["reid"])
    assert result.frame is not None
    return UploadedEmbedding(
        embedding=sealed,
        shape=list(plain.vector.shape),
        people=len(people),
        persons=people,
        width=result.frame.width,
        height=result.frame.height,
        **{key: looked[key] for key in ("model", "fallback", "detector", "threshold")},
    )


async def find(request: web.Request) -> web.StreamResponse:
    """Search a recording for a person; with events if the client asks for them."""
    if request.content_type == forms.FORM:
        return await _find_in_form(request)
    try:
        body = Find.model_validate(await _read_body(request))
        # The sessions would open it themselves, but to refuse it now costs less.
        request.app[EMBEDDING_CIPHER].open(body.person.embedding, owner_of(request))
        await until_reid_runs(request.app[POOL])
        path = await locate(request.app[SETTINGS].recordings_directories(), body.video.path)
    except ValidationError as error:
        return _refused(BadMessage(message_of(error)))
    except SignalingError as error:
        return _refused(error)
    return await _search(request, body, path)


async def _find_in_form(request: web.Request) -> web.StreamResponse:
    """The same of a form: the person, and a recording's path or a video itself."""
    max_bytes = request.app[SETTINGS].max_body_bytes
    try:
        found = await forms.read_fields(request, _FIND_FIELDS, max_bytes)
        videos = [found.pop(name) for name in _VIDEO_FIELDS if name in found]
        video = videos[0] if videos else None
        if video is None and "video_path" not in found:
            raise BadMessage("the form has neither video_path nor the video itself as 'file'")
        body = Find.model_validate(_as_json(found))
        request.app[EMBEDDING_CIPHER].open(body.person.embedding, owner_of(request))
        await until_reid_runs(request.app[POOL])
        if video is None:
            folders = request.app[SETTINGS].recordings_directories()
            return await _search(request, body, await locate(folders, body.video.path))
        async with uploaded(video) as path:
            return await _search(request, body, path)
    except ValidationError as error:
        return _refused(BadMessage(message_of(error)))
    except SignalingError as error:
        return _refused(error)


def _as_json(fields: dict[str, bytes]) -> dict[str, Any]:
    """What a form's fields say, as JSON would."""
    said: dict[str, Any] = {name: data.decode(errors="replace") for name, data in fields.items()}
    # Where the video itself comes along, nothing names one.
    said.setdefault("video_path", "uploaded")
    if (person := said.pop("person", None)) is not None:
        named = parse_json(person)
        said["embed"] = named.get("embed", named.get("embedding")) if _is_object(named) else None
    return said


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


async def _search(request: web.Request, body: Find, path: Path) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    search = Search(
        request.app[SESSIONS],
        settings.workers,
        body.person.embedding,
        threshold=body.threshold,
        max_pixels=settings.max_pixels,
        owner=owner_of(request),
    )
    running = _Running(request, search, path)
    if events.wanted(request):
        return await running.answer_with_events()
    return await running.answer_once()


class _Running:
    """One search while its client waits; when the client goes, it ends."""

    def __init__(self, request: web.Request, search: Search, path: Path) -> None:
        self._request = request
        self._search = search
        self._path = path
        self._fresh: deque[Match] = deque(maxlen=_MAX_WAITING)

    async def answer_once(self) -> web.Response:
        """One answer, when it is over."""
        task = asyncio.create_task(self._run())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=PROGRESS_EVERY_S)
                if self._request.transport is None:
                    logger.info("Whoever asked for a search is gone")
                    return web.Response(status=_CLIENT_GONE)
            return _json(await task)
        except SignalingError as error:
            return _refused(error)
        finally:
            await cancel_and_wait(task)

    async def answer_with_events(self) -> web.StreamResponse:
        """``progress`` and ``match`` while it goes on; ``result``, or ``error``, at the end."""
        response = await events.begin(self._request)
        task = asyncio.create_task(self._run())
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=PROGRESS_EVERY_S)
                await response.write(self._news())
            await response.write(self._last_word(task))
        except ConnectionResetError:
            logger.info("Whoever asked for a search is gone")
        finally:
            await cancel_and_wait(task)
        return response

    async def _run(self) -> Found:
        try:
            matches = await self._search.run(self._path, self._fresh.append)
        except SourceError as error:
            raise NoVideo(f"the video can not be searched: {error.message}") from error
        return Found(
            matches=[self._told(match) for match in matches],
            total_matches=len(matches),
            processing_time=self._search.progress.elapsed_s,
        )

    def _news(self) -> bytes:
        fresh = list(self._fresh)
        self._fresh.clear()
        now = self._search.progress
        progress = FindProgress(
            progress=round(now.fraction, 4),
            frames_looked_at=now.looked_at,
            total_matches=now.matches,
            processing_time=now.elapsed_s,
        )
        return b"".join(
            events.encode("match", self._told(match).model_dump_json()) for match in fresh
        ) + events.encode("progress", progress.model_dump_json())

    def _told(self, match: Match) -> FoundMatch:
        return FoundMatch(
            bbox=match.bbox,
            distance=match.distance,
            confidence=match.confidence,
            frame_number=match.frame_number - 1 + self._request.app[SETTINGS].first_frame,
            timestamp=round(match.time_s, 3),
            time_formatted=clock(match.time_s),
        )

    def _last_word(self, task: asyncio.Task[Found]) -> bytes:
        try:
            return events.encode("result", task.result().model_dump_json())
        except Exception as error:
            if not isinstance(error, SignalingError):
                logger.exception("A search failed")
            told = _error(as_signaling_error(error))
            return events.encode("error", told.model_dump_json())


async def until_reid_runs(pool: WorkerPool) -> None:
    """Wait until it is known whether people can be re-identified here.

    Raises
    ------
    Busy
        They can not, and why.
    """
    try:
        await asyncio.wait_for(pool.became_ready.wait(), _READY_WITHIN_S)
    except TimeoutError:
        raise Busy("the networks are still loading: try again", retry_after_s=10) from None
    if REID in pool.unavailable:
        raise Busy(
            f"people can not be re-identified here: {pool.unavailable[REID]}",
            retry_after_s=_RETRY_AFTER_S,
        )
    if REID not in pool.names.values():
        raise Busy(
            "this server does not re-identify people: start it with --analyzers pose,exercise,reid",
            retry_after_s=_RETRY_AFTER_S,
        )


def owner_of(request: web.Request) -> str | None:
    """To whom belongs what a request opens."""
    identity: Identity = request.get(IDENTITY, ANONYMOUS)
    return identity.subject


async def _read_body(request: web.Request) -> object:
    try:
        return parse_json(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise PictureTooLarge("the request is too large: send a smaller picture") from error


def _error(error: SignalingError) -> TrackingError:
    if isinstance(error, BadSealedEmbedding):
        code = error.error_code
    else:
        code = next((c for kind, c in _ERROR_CODES if isinstance(error, kind)), "INTERNAL_ERROR")
    return TrackingError(detail=error.message, error_code=code, timestamp=time.time())


def _refused(error: SignalingError, status: int | None = None) -> web.Response:
    body = _error(error).model_dump_json()
    return web.json_response(text=body, status=status or error.code, headers=error.headers())


def _json(answer: BaseModel) -> web.Response:
    return web.json_response(text=answer.model_dump_json())
