"""What an offer asks for: to send video, to watch, or both."""

from __future__ import annotations

from dataclasses import dataclass

from server.broadcast.stream import VideoStream
from server.security.identity import Identity, Scope
from server.sessions.manager import SessionManager
from server.sessions.peer import SessionPeer
from server.watching.registry import StreamRegistry
from server.watching.viewer_peer import ViewerPeer
from signaling.messages import Offer, SessionInfo
from signaling.sdp import sends_video


@dataclass(frozen=True, slots=True)
class OfferAnswer:
    """The outcome of an offer; `info` is None for a peer that only watches."""

    peer: SessionPeer | ViewerPeer
    sdp: str
    info: SessionInfo | None


async def open_offer(
    offer: Offer, by: Identity, sessions: SessionManager, streams: StreamRegistry
) -> OfferAnswer:
    """Answer an offer.

    Raises
    ------
    SignalingError
        What to tell the client, as `SessionManager.open` and `StreamRegistry.find` say.
    """
    plays: VideoStream | None = None
    if offer.play is not None:
        by.check(Scope.VIEW, "to watch")
        plays = streams.find(offer.play, by)
        if not sends_video(offer.sdp):
            peer, sdp = await streams.answer(plays, offer.sdp, by)
            return OfferAnswer(peer, sdp, None)
    by.check(Scope.PUBLISH, "to send video")
    opened = await sessions.open(offer, by, plays)
    return OfferAnswer(opened.peer, opened.sdp, opened.info)
