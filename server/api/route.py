"""One thing that this server serves: where, by whom it is answered, and who may ask for it."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scope(enum.StrEnum):
    """What a token allows."""

    PUBLISH = "publish"
    """To send video and get what is seen in it."""
    VIEW = "view"
    """To watch, and to read what the server tells of itself."""
    CONTROL = "control"
    """To read and end what others opened, and to switch cameras and recordings."""


@dataclass(frozen=True, slots=True)
class Route:
    """An entry in the table of all routes.

    Attributes
    ----------
    method
        GET, POST, DELETE, PATCH.
    path
        As aiohttp has it: ``/sessions/{id}``.
    handler
        Answers.
    summary
        What it is for, in half a line; for the API's documentation.
    scope
        What a token must allow to be let in; None lets everyone in.
    websocket
        Whether it is a WebSocket, to which other rules apply.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    scope: Scope | None
    websocket: bool = False
