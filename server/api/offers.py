"""What an offer asks for: to send video, to watch, or both."""

from __future__ import annotations

from dataclasses import dataclass

from server.broadcast.stream import Watchable
from server.security.identity import Identity, Scope
from server.sessions.manager import SessionManager
from server.sessions.peer import Peer
from server.watching.registry import Watching
from server.watching.viewer_peer import WatchPeer
from signaling.messages import Offer, SessionInfo
from signaling.sdp import sends_video


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome of an offer; `info` is None for a peer that only watches."""

    peer: Peer | WatchPeer
    sdp: str
    info: SessionInfo | None


async def open_offer(
    offer: Offer, by: Identity, sessions: SessionManager, watching: Watching
) -> Answered:
    """Answer an offer.

    Raises
    ------
    SignalingError
        What to tell the client, as `SessionManager.open` and `Watching.find` say.
    """
    plays: Watchable | None = None
    if offer.play is not None:
        by.check(Scope.VIEW, "to watch")
        plays = watching.find(offer.play, by)
        if not sends_video(offer.sdp):
            peer, sdp = await watching.answer(plays, offer.sdp)
            return Answered(peer, sdp, None)
    by.check(Scope.PUBLISH, "to send video")
    opened = await sessions.open(offer, by, plays)
    return Answered(opened.peer, opened.sdp, opened.info)
