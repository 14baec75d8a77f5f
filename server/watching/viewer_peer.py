"""One viewer's peer connection: it watches, and sends nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from server.broadcast.stream import VideoStream
from server.broadcast.viewer_track import Sending
from server.rtc import MediaStreamTrack, add_candidate, answer_offer, make_connection, refuse_track
from server.security.places import Place, Standing
from signaling.ice import IceServer
from signaling.messages import IceCandidate

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S = 30.0
# Why it is over travels by another connection, maybe through another node: hanging up at once would
# overtake it.
TOLD_WITHIN_S = 1.0


class ViewerPeer:
    """Answers an offer that wants to see something.

    Parameters
    ----------
    stream
        What is to be seen.
    offer
        Its SDP.
    ice_servers
        STUN and TURN servers for our own candidates.
    gone
        Called once, when the viewer has left or never came.
    client
        What its place is counted by.
    """

    def __init__(
        self,
        stream: VideoStream,
        offer: str,
        ice_servers: Iterable[IceServer],
        gone: Callable[[ViewerPeer], None],
        client: str,
    ) -> None:
        self.states = ["new"]
        self._client = client
        self._asked_s = time.monotonic()
        self._offer = offer
        self._gone: Callable[[ViewerPeer], None] | None = gone
        self.over = asyncio.Event()
        """Set when there is nothing more to see, or nobody to see it.

        Where there is something to say of it, the connection stands for another second.
        """
        self._connection = make_connection(ice_servers, offer)
        self._sending = Sending(self._connection, offer, stream)
        self._sending.on_over(self._note_over)
        self._connection.on("track", self._refuse)
        self._connection.on("connectionstatechange", self._note_state)
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(CONNECT_WITHIN_S, self._never_connected)

    @property
    def place(self) -> Place[ViewerPeer]:
        """The place that it takes."""
        standing = Standing.USED if "connected" in self.states else Standing.CONNECTING
        return Place(self, self._client, standing, self._asked_s)

    @property
    def ended(self) -> bool:
        """Whether the viewer has left."""
        return self._gone is None

    @property
    def why_ended(self) -> str:
        """Why there was nothing more to see; empty where there is nothing to say."""
        return self._sending.why_over

    async def answer(self) -> str:
        """Take the offer, return the answer's SDP.

        Raises
        ------
        UnsupportedSdp
            The offer has no video that we can send.
        Busy
            No UDP port is left.
        CameraUnavailable
            There is nothing to see.
        NotFound
            It has ended.
        """
        sdp = await answer_offer(self._connection, self._offer)
        self._sending.begin(sdp)
        return sdp

    async def add_candidate(self, candidate: IceCandidate | None) -> None:
        """Add a remote candidate; None says that no more come."""
        await add_candidate(self._connection, candidate)

    async def close(self) -> None:
        """Hang up."""
        self._gone = None
        self.over.set()
        self._expiry.cancel()
        self._sending.close()
        await self._connection.close()

    def _refuse(self, track: MediaStreamTrack) -> None:
        refuse_track(self._connection, track)

    def _note_state(self) -> None:
        state = self._connection.connectionState
        self.states.append(state)
        if state == "connected" and not self.over.is_set():
            self._expiry.cancel()
        elif state in ("failed", "closed"):
            self._tell_gone()

    def _note_over(self) -> None:
        if self._gone is None or not self.why_ended:
            self._tell_gone()
            return
        self.over.set()
        self._expiry.cancel()
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(TOLD_WITHIN_S, self._tell_gone)

    def _never_connected(self) -> None:
        logger.info("A viewer never connected")
        self._tell_gone()

    def _tell_gone(self) -> None:
        if self._gone is not None:
            gone, self._gone = self._gone, None
            self.over.set()
            gone(self)
