"""One thing that this server serves: where, by whom it is answered, and who may ask for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from pydantic import BaseModel

from server.security.identity import Scope

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    or_scopes
        Others that will do as well; the handler asks for the one that it needs.
    websocket
        Whether it is a WebSocket, to which other rules apply.
    expensive
        Whether only so many a minute are answered, `expensive_per_minute`.
    body
        The JSON that it takes.
    form
        The fields of the multipart form that it takes.
    answers
        What it answers, by status: JSON of a model, a media type, or None for nothing. Of errors,
        only those that have another form than ``{"message", "code"}`` need to be named.
    upgrade
        What is there for whoever asks to upgrade to a WebSocket, with a scope of its own.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    scope: Scope | None
    websocket: bool = False
    or_scopes: tuple[Scope, ...] = ()
    expensive: bool = False
    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    answers: Mapping[int, type[BaseModel] | str | None] = field(default_factory=dict)
    upgrade: Route | None = None

    def for_request(self, request: web.Request) -> Route:
        """This one, or the one that a WebSocket is upgraded to."""
        if self.upgrade is None or request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            return self
        return self.upgrade

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Have the handler answer that a request is for."""
        return await self.for_request(request).handler(request)
