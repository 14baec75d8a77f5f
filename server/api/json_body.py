"""A request's body, as the message that is due."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from signaling.errors import BadMessage, TooLarge
from signaling.json_text import parse_json

MessageT = TypeVar("MessageT", bound=BaseModel)


# The longest offer is 256 kB of SDP, and options beside it.
MAX_OFFER_BYTES = 1024 * 1024
READ_BODY = web.RequestKey("read body", bytes)
"""Of a request: its body, where somebody has read it before its handler."""


async def read_body(request: web.Request, max_bytes: int = MAX_OFFER_BYTES) -> bytes:
    """The body, if it is not longer.

    Raises
    ------
    TooLarge
        It is longer; what is beyond the limit is not read.
    """
    if READ_BODY in request:
        return request[READ_BODY]
    body = bytearray()
    if (request.content_length or 0) <= max_bytes:
        async for part in request.content.iter_any():
            body += part
            if len(body) > max_bytes:
                break
        else:
            return bytes(body)
    raise TooLarge(f"the body is too long: at most {max_bytes} bytes are read here")


async def read_message(request: web.Request, model: type[MessageT]) -> MessageT:
    """The message.

    Raises
    ------
    BadMessage
        The body is not JSON, or not such a message: where, and why.
    """
    try:
        return model.model_validate(parse_json(await read_body(request)))
    except ValidationError as error:
        raise BadMessage(message_of(error)) from None


def message_of(error: ValidationError) -> str:
    """What is wrong first with a message: where, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where + ': ' if where else ''}{first['msg']}"
