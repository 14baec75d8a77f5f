"""WHEP: watch by one HTTP request (draft-ietf-wish-whep)."""

from __future__ import annotations

import functools

from aiohttp import web

from server.api.context import OFFER_BUDGET, STREAMS
from server.api.sdp_resources import SdpResources, describe, read_offer
from server.security.identity import IDENTITY
from server.watching.names import ANNOTATED
from signaling.errors import NotAcceptable, UnsupportedSdp
from signaling.sdp import check_offer_sdp

RESOURCES = web.AppKey("whep", SdpResources)


async def watch(request: web.Request) -> web.Response:
    """Answer an offer to watch."""
    streams = request.app[STREAMS]
    stream = await streams.find(_name(request), request[IDENTITY])
    offer = await read_offer(request)
    try:
        check_offer_sdp(offer, play=True)
        await request.app[OFFER_BUDGET].charge(request[IDENTITY].client)
        peer, answer = await streams.answer(stream, offer, request[IDENTITY])
    except UnsupportedSdp as error:
        raise NotAcceptable(error.message) from error
    leave = functools.partial(streams.forget, peer)
    return request.app[RESOURCES].create(request, offer, answer, peer, leave)


async def options(request: web.Request) -> web.Response:
    """Which STUN and TURN servers to watch with."""
    await request.app[STREAMS].find(_name(request), request[IDENTITY])
    return describe(request)


async def patch(request: web.Request) -> web.Response:
    """Take candidates that came later."""
    return await request.app[RESOURCES].patch(request)


async def leave(request: web.Request) -> web.Response:
    """Watch no longer."""
    return await request.app[RESOURCES].delete(request)


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    return name + ANNOTATED if request.path.endswith(ANNOTATED) else name
