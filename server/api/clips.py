"""``POST /clip``: a part of a recording, or of a video that comes along, as a file of its own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import BaseModel, Field, ValidationError

from server.api import forms
from server.api.context import SETTINGS
from server.api.json_body import message_of, read_message
from server.api.recorded import locate
from server.api.uploaded_file import uploaded
from server.http.opened_file import OpenedFile
from server.recordings.errors import InsufficientStorage
from server.search.cutting import Cut, NoRoom
from server.search.isolated import cut
from server.sources.errors import SourceError
from signaling.errors import BadMessage, SignalingError

LONGEST_S = 600.0
# Of the disk, for all else: a clip stays there until whoever asked has read it.
LEAVES_BYTES = 256 * 2**20
# How often it is looked after whether whoever asked is still there.
_LOOKS_EVERY_S = 0.5
_FIELDS = ("from", "to", "video_path", "file")
# Nobody reads it; nginx logs it so.
_CLIENT_GONE = 499
_Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class ClipWish(BaseModel):
    """Which part of which video."""

    video_path: str | None = Field(
        None, max_length=1024, description="Below the recordings' directory; or file in a form"
    )
    from_s: _Seconds = Field(alias="from", description="Seconds from the video's first frame")
    to_s: _Seconds = Field(alias="to", description="The same")


class NoClip(SignalingError):
    """There is no such part of that video."""

    code = 422


# One at a time: a disk is not quicker for two. The event loop's own threads are those that encode
# what others watch.
CLIPS = web.AppKey("clips", ThreadPoolExecutor)


def set_up(app: web.Application) -> None:
    """Have a thread for them."""
    app[CLIPS] = ThreadPoolExecutor(1, thread_name_prefix="clips")
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    app[CLIPS].shutdown(wait=False, cancel_futures=True)


async def clip(request: web.Request) -> web.StreamResponse:
    """Answer with the part, from the key frame before its beginning."""
    wish, video = await _read(request)
    if not wish.from_s <= wish.to_s <= wish.from_s + LONGEST_S:
        raise BadMessage(f"to: take a time after from, {LONGEST_S:.0f} s later at most")
    if video is not None:
        async with uploaded(video) as path:
            return await _answer(request, wish, path)
    if wish.video_path is None:
        raise BadMessage("video_path: name a recording, or send a form with the video as file")
    folders = request.app[SETTINGS].recordings_directories()
    return await _answer(request, wish, await locate(folders, wish.video_path))


async def _read(request: web.Request) -> tuple[ClipWish, bytes | None]:
    """What is wished for, and the video if it comes along."""
    if request.content_type != forms.FORM:
        return await read_message(request, ClipWish), None
    fields = await forms.read_fields(request, _FIELDS, request.app[SETTINGS].max_body_bytes)
    video = fields.pop("file", None)
    said = {name: value.decode(errors="replace") for name, value in fields.items()}
    try:
        return ClipWish.model_validate(said), video
    except ValidationError as error:
        raise BadMessage(message_of(error)) from None


async def _answer(request: web.Request, wish: ClipWish, source: Path) -> web.StreamResponse:
    async with _new_file() as (descriptor, target):
        try:
            made = await _cut(request, wish, source, target)
        except NoRoom as error:
            raise InsufficientStorage(f"no clip: {error.message}, or try again later") from error
        except SourceError as error:
            raise NoClip(f"no clip: {error.message}") from error
        if made is None:
            return web.Response(status=_CLIENT_GONE)
        name = f"clip-{made.start_s:.1f}-{made.end_s:.1f}{made.kind.suffix}"
        headers = {
            hdrs.CONTENT_TYPE: made.kind.content_type,
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
            hdrs.CACHE_CONTROL: "no-store",
            "X-Clip-From": f"{made.start_s:.3f}",
            "X-Clip-To": f"{made.end_s:.3f}",
        }
        return OpenedFile(os.dup(descriptor), headers)


@contextlib.asynccontextmanager
async def _new_file() -> AsyncIterator[tuple[int, Path]]:
    """A file that only this process's user can read, and its descriptor; its name is gone after."""
    descriptor, name = await asyncio.to_thread(tempfile.mkstemp, prefix="kinecast-clip-")
    try:
        yield descriptor, Path(name)
    finally:
        os.close(descriptor)
        await asyncio.to_thread(os.unlink, name)


async def _cut(request: web.Request, wish: ClipWish, source: Path, target: Path) -> Cut | None:
    """Cut it; None when whoever asked is gone."""
    stop = threading.Event()
    call = functools.partial(
        _cut_where_there_is_room,
        *(source, target, wish.from_s, wish.to_s),
        max_pixels=request.app[SETTINGS].max_pixels,
        stop=stop,
    )
    running = asyncio.get_running_loop().run_in_executor(request.app[CLIPS], call)
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=_LOOKS_EVERY_S)
            if request.transport is None:
                return None
        return running.result()
    finally:
        stop.set()
        # It has the files open until then.
        await asyncio.wait({running})


def _cut_where_there_is_room(source: Path, target: Path, *part: float, **more: Any) -> Cut:
    """Cut it; in the thread, one at a time, so that what is free is not promised twice."""
    max_bytes = shutil.disk_usage(target.parent).free - LEAVES_BYTES
    return cut(source, target, *part, max_bytes=max_bytes, **more)
