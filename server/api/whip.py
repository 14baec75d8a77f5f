"""WHIP: publish under a name by one HTTP request (RFC 9725); analyzed like any session."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from aiohttp import web

from server.api.context import OFFER_BUDGET, SESSIONS
from server.api.sdp_resources import SdpResources, describe, read_offer
from server.security.identity import IDENTITY
from server.sessions.manager import SessionManager
from server.sessions.peer import SessionPeer
from signaling.errors import BadMessage, Unprocessable, UnsupportedSdp
from signaling.messages import IceCandidate, check_published_name, parse_offer

RESOURCES = web.AppKey("whip", SdpResources)


@dataclass(frozen=True, slots=True)
class _Publisher:
    """A peer that publishes.

    Whoever comes back after a loss continues the session with another one; hanging up the first
    one then, as clients do, is not to end the session.
    """

    peer: SessionPeer
    sessions: SessionManager

    @property
    def ended(self) -> bool:
        return self.peer.ended or self.sessions.is_replaced(self.peer)

    @property
    def why_ended(self) -> str:
        return ""

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        await self.peer.add_candidate(candidate)


async def publish(request: web.Request) -> web.Response:
    """Answer an offer to publish."""
    name = _name(request)
    sdp = await read_offer(request)
    analyzers = request.query.get("analyzers")
    chosen = [part.strip() for part in analyzers.split(",")] if analyzers else None
    try:
        offer = parse_offer({"sdp": sdp, "publish": name, "analyzers": chosen})
        await request.app[OFFER_BUDGET].charge(request[IDENTITY].client)
        sessions = request.app[SESSIONS]
        opened = await sessions.open(offer, request[IDENTITY])
    except UnsupportedSdp as error:
        raise Unprocessable(error.message) from error
    end = functools.partial(opened.peer.request_end, "its WHIP resource was deleted")
    publisher = _Publisher(opened.peer, sessions)
    response = request.app[RESOURCES].create(request, sdp, opened.sdp, publisher, end)
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
