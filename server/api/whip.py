"""WHIP: publish under a name by one HTTP request (RFC 9725); analyzed like any session."""

from __future__ import annotations

import functools

from aiohttp import web

from server.api.sdp_resources import SdpResources, describe, read_offer
from server.context import SESSIONS
from server.safety.identity import IDENTITY
from signaling.errors import BadMessage, Unprocessable, UnsupportedSdp
from signaling.messages import check_published_name, parse_offer

RESOURCES = web.AppKey("whip", SdpResources)


async def publish(request: web.Request) -> web.Response:
    """Answer an offer to publish."""
    name = _name(request)
    sdp = await read_offer(request)
    analyzers = request.query.get("analyzers")
    chosen = [part.strip() for part in analyzers.split(",")] if analyzers else None
    try:
        offer = parse_offer({"sdp": sdp, "publish": name, "analyzers": chosen})
        opened = await request.app[SESSIONS].open(offer, request[IDENTITY])
    except UnsupportedSdp as error:
        raise Unprocessable(error.message) from error
    end = functools.partial(opened.peer.request_end, "its WHIP resource was deleted")
    response = request.app[RESOURCES].create(request, sdp, opened.sdp, opened.peer, end)
    response.headers.add("Link", f'</sessions/{opened.info.id}>; rel="urn:kinecast:session"')
    return response


async def options(request: web.Request) -> web.Response:
    """Which STUN and TURN servers to publish with."""
    _name(request)
    return describe(request)


async def patch(request: web.Request) -> web.Response:
    """Take candidates that came later."""
    return await request.app[RESOURCES].patch(request)


async def end(request: web.Request) -> web.Response:
    """Publish no longer: the session ends."""
    return await request.app[RESOURCES].delete(request)


def _name(request: web.Request) -> str:
    try:
        return check_published_name(request.match_info["name"])
    except ValueError as error:
        raise BadMessage(str(error)) from error
