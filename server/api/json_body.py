"""A request's body, as the message that is due."""

from __future__ import annotations

from typing import TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from signaling.errors import BadMessage

MessageT = TypeVar("MessageT", bound=BaseModel)


async def read_message(request: web.Request, model: type[MessageT]) -> MessageT:
    """The message.

    Raises
    ------
    BadMessage
        The body is not JSON, or not such a message: where, and why.
    """
    try:
        return model.model_validate(orjson.loads(await request.read()))
    except orjson.JSONDecodeError:
        raise BadMessage("the body is not JSON") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadMessage(f"{where + ': ' if where else ''}{first['msg']}") from None
