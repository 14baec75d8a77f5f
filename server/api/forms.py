"""Forms (``multipart/form-data``) with files in them, read up to a limit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from server.media.picture import PictureTooLarge
from signaling.errors import BadMessage, SignalingError

FORM = "multipart/form-data"

_CHUNK_BYTES = 64 * 1024
# Each costs the event loop some time, even if there is nothing in it.
_MAX_FIELDS = 100
# Boundaries, the fields' headers, and what stands before the first of them.
_MAX_LINES_BYTES = 64 * 1024
# Whatever aiohttp's reader finds wrong with a form, or with how its body is transferred.
_DAMAGED = (
    ValueError,
    AssertionError,
    RuntimeError,
    HttpProcessingError,
    web.RequestPayloadError,
)


async def read_fields(
    request: web.Request, wanted: Collection[str], max_bytes: int, *, first: bool = False
) -> dict[str, bytes]:
    """Some fields of a form.

    Parameters
    ----------
    request
        Whose body it is.
    wanted
        The names of the fields.
    max_bytes
        Of all fields together; the rest is not read.
    first
        Whether one of them is enough.

    Raises
    ------
    BadMessage
        The body is damaged.
    PictureTooLarge
        The form has more bytes.
    """
    if request.content_length is not None and request.content_length > max_bytes:
        raise too_large(max_bytes)
    try:
        lines = cast(StreamReader, _FewLines(request.content))
        return await _find_fields(
            MultipartReader(request.headers, lines), wanted, max_bytes, 1 if first else len(wanted)
        )
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


async def _find_fields(
    form: MultipartReader, wanted: Collection[str], max_bytes: int, enough: int
) -> dict[str, bytes]:
    count = fields = 0
    found: dict[str, bytes] = {}
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
                raise too_large(max_bytes)
            if part.name in wanted:
                data += chunk
        if part.name is not None and part.name in wanted:
            found[part.name] = bytes(data)
        if len(found) >= enough:
            break
    return found


def too_large(max_bytes: int) -> PictureTooLarge:
    """What is said of a form with more bytes."""
    return PictureTooLarge(f"the form has more than {max_bytes} bytes: send a smaller picture")
