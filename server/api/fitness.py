"""The exercise API over HTTP: a picture or a video in, exercise, score and faults back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from server.api.base64_picture import decode_base64
from server.api.context import POOL, SESSIONS, SETTINGS
from server.api.exercise_words import NOBODY, STEP_BACK, ExerciseWords
from server.api.models_fitness import (
    AnalysisStatus,
    AnalyzeBatch,
    AnalyzeFrame,
    AnalyzeVideo,
    FitnessError,
    FormAnalysis,
    FormAnswer,
    FrameAnalysis,
    FrameAnswer,
    HealthAnswer,
    MotionAnalysis,
    MotionAnswer,
    StatusAnswer,
)
from server.api.models_realtime import TARGET_LATENCY_MS, Performance
from server.api.recorded import locate
from server.api.uploaded_file import uploaded
from server.ingest.picture_stream import LOOK_WITHIN_S, look_once
from server.media.picture import EncodedPicture, PictureTooLarge
from server.search import exercise_video
from server.search.exercise_video import ANALYZERS, VideoAnalysis
from server.security.identity import IDENTITY
from server.sources.errors import SourceError
from signaling.errors import BadMessage, Busy, InternalError, SignalingError
from signaling.json_text import parse_json

# Nobody is followed from picture to picture, and people who fill theirs are found too.
_OPTIONS: dict[str, dict[str, Any]] = {"pose": {"still": True}, "exercise": {"still": True}}
_RETRY_AFTER_S = 5

_Body = TypeVar("_Body", bound=BaseModel)


class NoVideo(BadMessage):
    """What was sent is no video that can be read."""


async def health(request: web.Request) -> web.Response:
    """Whether the server analyzes."""
    ready = request.app[POOL].ready
    said = "Exercises are analyzed" if ready else "The workers are loading"
    status = "ok" if ready else "starting"
    answer = HealthAnswer(success=ready, data=said, message="Success", status=status)
    return _json(answer, 200 if ready else 503)


async def status(request: web.Request) -> web.Response:
    """What analyzes, and whether it is ready; 200 in any case."""
    pool = request.app[POOL]
    missing = {name: pool.unavailable[name] for name in ANALYZERS if name in pool.unavailable}
    absent = {name: "not among --analyzers" for name in ANALYZERS if name not in pool.names}
    state = "unavailable" if missing or absent else "ok" if pool.ready else "starting"
    ready = dict.fromkeys(ANALYZERS, "ready" if pool.ready else "loading")
    data = AnalysisStatus(
        status=state,
        available=state == "ok",
        analyzers=ready | absent | missing,
        target_latency_ms=TARGET_LATENCY_MS,
    )
    return _json(StatusAnswer(data=data, message="Success"))


async def analyze_frame(request: web.Request) -> web.Response:
    """Answer a picture with what is done in it."""
    return await _answered(_frame(request))


async def analyze_form(request: web.Request) -> web.Response:
    """Answer a video with how well an exercise is done."""
    return await _answered(_form(request))


async def analyze_video(request: web.Request) -> web.Response:
    """Answer a video with what is done in it."""
    return await _answered(_video(request))


async def analyze_batch(request: web.Request) -> web.Response:
    """Answer the name of a recording with what is done in it."""
    return await _answered(_batch(request))


async def _answered(answer: Coroutine[Any, Any, BaseModel]) -> web.Response:
    try:
        return _json(await answer)
    except SignalingError as error:
        return _json(FitnessError(message=error.message), error.code, error.headers())


async def _frame(request: web.Request) -> FrameAnswer:
    began_s = time.monotonic()
    body = await _read(request, AnalyzeFrame)
    settings = request.app[SETTINGS]
    picture = EncodedPicture.read(decode_base64(body.frame_base64), max_pixels=settings.max_pixels)
    await _until_ready(request)
    owner = request[IDENTITY].subject
    result = await look_once(request.app[SESSIONS], picture, ANALYZERS, _OPTIONS, owner)
    seen = ExerciseWords(settings).seen(result)
    if seen is None:
        raise InternalError("the picture could not be analyzed: the server's log says why")
    took_ms = (time.monotonic() - began_s) * 1000
    performance = Performance(
        actual_latency_ms=round(took_ms), within_target=took_ms < TARGET_LATENCY_MS
    )
    return FrameAnswer(
        data=FrameAnalysis(
            success=seen.success,
            score=seen.score,
            exercise=seen.exercise,
            feedback=seen.feedback,
            warnings=seen.warnings,
            landmarks_count=seen.landmarks_count,
            still=seen.is_still,
            processing_time_ms=round(took_ms, 2),
            performance=performance,
        )
    )


async def _form(request: web.Request) -> FormAnswer:
    body = await _read(request, AnalyzeVideo)
    async with uploaded(decode_base64(body.video_base64)) as path:
        found = await _analyze(request, path)
    done = found.final["exercise_summary"]["exercises"].values()
    is_anyone_there = found.with_pose > 0
    advice = [each["advice"] for each in done if each.get("advice")]
    return FormAnswer(
        data=FormAnalysis(
            overall_score=round((found.final["score"] or 0) / 100, 3),
            recommendations=advice if is_anyone_there else [STEP_BACK],
            detected_errors=_texts(found.final["warnings"]) if is_anyone_there else [NOBODY],
            confidence=round(found.with_pose / max(found.frames, 1), 3),
        )
    )


async def _video(request: web.Request) -> MotionAnswer:
    began_s = time.monotonic()
    body = await _read(request, AnalyzeVideo)
    async with uploaded(decode_base64(body.video_base64)) as path:
        return _motion(request, await _analyze(request, path), began_s)


async def _batch(request: web.Request) -> MotionAnswer:
    began_s = time.monotonic()
    body = await _read(request, AnalyzeBatch)
    path = await locate(request.app[SETTINGS].recordings_directories(), body.video_path)
    return _motion(request, await _analyze(request, path), began_s)


def _motion(request: web.Request, found: VideoAnalysis, began_s: float) -> MotionAnswer:
    words, final = ExerciseWords(request.app[SETTINGS]), found.final
    is_anyone_there = found.with_pose > 0
    return MotionAnswer(
        data=MotionAnalysis(
            exercise=words.exercise(final["exercise"]) if is_anyone_there else words.nobody,
            score=words.score(final["score"]),
            reps=final["reps"],
            held_s=final["held_s"],
            feedback=_texts(final["feedback"]) if is_anyone_there else [STEP_BACK],
            warnings=_texts(final["warnings"]) if is_anyone_there else [NOBODY],
            duration_s=round(found.duration_s, 3),
            frames_analyzed=found.frames,
            frames_with_pose=found.with_pose,
            exercises=words.by_exercise(final["exercise_summary"]["exercises"]),
            processing_time_ms=round((time.monotonic() - began_s) * 1000, 2),
        )
    )


async def _analyze(request: web.Request, path: Path) -> VideoAnalysis:
    await _until_ready(request)
    try:
        found = await exercise_video.analyze(
            request.app[SESSIONS],
            path,
            max_pixels=request.app[SETTINGS].max_pixels,
            owner=request[IDENTITY].subject,
        )
    except SourceError as error:
        raise NoVideo(f"the video can not be analyzed: {error.message}") from error
    if "exercise_summary" not in found.final:
        raise InternalError("the video could not be analyzed: the server's log says why")
    return found


async def _until_ready(request: web.Request) -> None:
    """Until then nobody knows which analyzers can run."""
    try:
        async with asyncio.timeout(LOOK_WITHIN_S):
            await request.app[POOL].became_ready.wait()
    except TimeoutError:
        raise Busy("the workers are still loading", retry_after_s=_RETRY_AFTER_S) from None


async def _read(request: web.Request, model: type[_Body]) -> _Body:
    try:
        return model.model_validate(parse_json(await request.read()))
    except web.HTTPRequestEntityTooLarge as error:
        raise PictureTooLarge("the request is too large: send less at once") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadMessage(f"{where + ': ' if where else ''}{first['msg']}") from error


def _texts(told: list[dict[str, str]]) -> list[str]:
    return [each["text"] for each in told]


def _json(
    answer: BaseModel, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(text=answer.model_dump_json(), status=status, headers=headers)
