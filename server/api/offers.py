"""What an offer asks for: to send video, to watch, or both."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from server.api.context import CLUSTER, MOVES, OFFER_BUDGET, SESSIONS, STREAMS
from server.api.relay import RemotePeer, open_at_node
from server.broadcast.stream import VideoStream
from server.security.identity import Identity, Scope
from server.sessions.peer import SessionPeer
from server.watching.viewer_peer import ViewerPeer
from signaling.messages import Offer, SessionInfo
from signaling.sdp import sends_video


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """The outcome of an offer; `info` is None for a peer that only watches."""

    peer: SessionPeer | ViewerPeer | RemotePeer
    sdp: str
    info: SessionInfo | None


async def open_offer(app: web.Application, offer: Offer, by: Identity) -> OfferAnswer:
    """Answer an offer.

    Raises
    ------
    SignalingError
        What to tell the client, as `SessionManager.open` and `StreamRegistry.find` say; or that it
        offers too fast (429).
    """
    await app[OFFER_BUDGET].charge(by.client)
    if CLUSTER in app:
        return OfferAnswer(
            *await open_at_node(app[CLUSTER], offer, by, lambda: _open_here(app, offer, by))
        )
    return OfferAnswer(*await _open_here(app, offer, by))


async def _open_here(
    app: web.Application, offer: Offer, by: Identity
) -> tuple[SessionPeer | ViewerPeer, str, SessionInfo | None]:
    streams = app[STREAMS]
    plays: VideoStream | None = None
    if offer.play is not None:
        by.check(Scope.VIEW, "to watch")
        plays = await streams.find(offer.play, by)
        if not sends_video(offer.sdp):
            peer, sdp = await streams.answer(plays, offer.sdp, by)
            return peer, sdp, None
    by.check(Scope.PUBLISH, "to send video")
    if MOVES in app:
        offer = await app[MOVES].expected(offer, by)
    opened = await app[SESSIONS].open(offer, by, plays)
    return opened.peer, opened.sdp, opened.info
