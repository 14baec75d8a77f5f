"""Who is let in: every request is told from whom it comes, and each route needs its scope."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from aiohttp import hdrs, web

from server.http.route import Handler, Route
from server.security import tokens
from server.security.identity import ANONYMOUS, IDENTITY, NOBODY, Identity, client_address
from signaling.errors import BadMessage, NotAllowed, Unauthorized

logger = logging.getLogger(__name__)

_BEARER = "bearer "


class RouteTable:
    """The declared routes of an application, found again from a request.

    What was added to the application in another way is not in it, and nobody gets in there.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, web.AbstractResource | None], Route] = {}

    def serve(self, app: web.Application, routes: Iterable[Route]) -> None:
        """Add routes to an application."""
        for route in routes:
            if route.method == hdrs.METH_GET and not route.websocket:
                # Answers HEAD too.
                added: web.AbstractRoute = app.router.add_get(route.path, route.answer)
            else:
                added = app.router.add_route(route.method, route.path, route.answer)
            self._routes[route.method, added.resource] = route

    def find(self, request: web.Request) -> Route | None:
        """The declared route that a request goes to."""
        method = hdrs.METH_GET if request.method == hdrs.METH_HEAD else request.method
        route = self._routes.get((method, request.match_info.route.resource))
        return route and route.for_request(request)


ROUTE_TABLE = web.AppKey("route_table", RouteTable)
AUTH_SECRET = web.AppKey("auth_secret", str)
"""What tokens are signed with; empty when none is asked for."""


@web.middleware
async def check_access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and refuse what they may not do."""
    if request.match_info.http_exception is not None:
        # There is nothing there, for anybody.
        return await handler(request)
    route = request.app[ROUTE_TABLE].find(request)
    if route is None:
        logger.error("%s is not in the table of routes: refused", request.match_info.handler)
        raise NotAllowed("this is not open to anybody")
    request[IDENTITY] = _identify(request, route, request.app[AUTH_SECRET])
    return await handler(request)


def _identify(request: web.Request, route: Route, secret: str) -> Identity:
    address = client_address(request.remote)
    if not secret:
        return replace(ANONYMOUS, client=address)
    if route.scope is None:
        return replace(NOBODY, client=address)
    identity = tokens.verify(secret, find_token(request))
    if not any(map(identity.may, (route.scope, *route.or_scopes))):
        raise NotAllowed(f"the token does not allow this: it needs the scope {route.scope}")
    return identity


def find_token(request: web.Request) -> str:
    """The token that a request carries: in its header, its query, or among its subprotocols.

    Raises
    ------
    Unauthorized
        There is none.
    BadMessage
        It stands alone among the subprotocols, where the answer could only repeat it.
    """
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if header[: len(_BEARER)].lower() == _BEARER:
        return header[len(_BEARER) :].strip()
    if token := request.query.get("token"):
        return token
    if token := _find_among_subprotocols(request):
        return token
    raise Unauthorized(
        'this needs a token: send "Authorization: Bearer TOKEN", or ?token=TOKEN, or from a page'
        f' new WebSocket(url, ["{tokens.SUBPROTOCOL}", "{tokens.BEARER_SUBPROTOCOL}TOKEN"])'
    )


def _find_among_subprotocols(request: web.Request) -> str | None:
    offered = [
        name.strip()
        for line in request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
        for name in line.split(",")
    ]
    for name in offered:
        if name.startswith(tokens.BEARER_SUBPROTOCOL):
            if tokens.SUBPROTOCOL not in offered:
                # A browser wants one of those that it offered to be selected.
                raise BadMessage(
                    f'offer the subprotocol "{tokens.SUBPROTOCOL}" beside the one with the token'
                )
            return name.removeprefix(tokens.BEARER_SUBPROTOCOL)
    return None
