"""One connection to the server: from its offer until it is lost or hung up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Sequence
from typing import Any

from server.broadcast.broadcast import Broadcast, Packet
from server.broadcast.viewer_track import ViewerTrack
from server.media.encoder import Codec
from server.publisher.destination import Destination, Trust
from server.publisher.errors import NotConnected
from server.publisher.offer_exchange import OfferedIceServer, negotiate
from server.rtc import (
    RTCDataChannel,
    RTCPeerConnection,
    accept_answer,
    make_connection,
    make_offer,
    prefer_codecs,
)
from signaling.messages import SessionInfo

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S = 15.0
# The final result, which comes when the analyzers have ended; the session ends without us too.
FINAL_WITHIN_S = 1.0
END_SESSION = "end session"
# Nobody reads the results here: seldom, and without the analyzers' keys.
_HUSH = ({"type": "rate", "hz": 0.1}, {"type": "subscribe", "keys": []})


class CountedTrack(ViewerTrack):
    """Counts what it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0
        self.bytes = 0

    def send(self, packet: Packet) -> bool:
        """Send a packet."""
        sent = super().send(packet)
        if sent:
            self.frames += 1
            self.bytes += packet.size
        return sent


class Link:
    """A peer connection that sends the camera's packets.

    Parameters
    ----------
    broadcast
        Where they come from.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        self.track = CountedTrack()
        self.why_over: str | None = None
        """Why the connection is over; None while it is not."""
        self._over = asyncio.Event()
        self._settled = asyncio.Event()
        self._broadcast = broadcast
        self._connection: RTCPeerConnection | None = None
        self._channel: RTCDataChannel | None = None
        self._final = asyncio.Event()

    async def connect(
        self, destination: Destination, trust: Trust, token: str, keys: dict[str, Any]
    ) -> SessionInfo:
        """Offer, and return when the data channel is open.

        Parameters
        ----------
        destination, trust, token
            As for `negotiate`.
        keys
            Of the offer, beside the session description: ``publish``, ``resume``.

        Raises
        ------
        NotConnected
            With one line that says why.
        CameraUnavailable
            There is nothing to publish.
        """

        async def offer(servers: Sequence[OfferedIceServer]) -> dict[str, Any]:
            return {"sdp": await self._offer(servers), "type": "offer", **keys}

        answer = await negotiate(destination, trust, token, offer)
        await self._take(answer.sdp)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), CONNECT_WITHIN_S)
        if self._over.is_set() or not self._settled.is_set():
            raise NotConnected(
                "the server answered, but no connection came about: does a firewall let UDP"
                " through? See --ice-address here and on the server, and TURN"
            )
        if answer.session is None:
            raise NotConnected("the server opened no session: is it a Kinecast of this version?")
        return answer.session

    async def _offer(self, servers: Sequence[OfferedIceServer]) -> str:
        self._connection = connection = make_connection(servers)
        connection.on("connectionstatechange", self._note_state)
        transceiver = connection.addTransceiver(self.track, "sendonly")
        # It takes the least to encode.
        prefer_codecs(transceiver, [Codec.H264])
        self._sender = transceiver.sender
        self._channel = connection.createDataChannel("data")
        self._channel.on("open", self._opened)
        self._channel.on("message", self._receive)
        return await make_offer(connection)

    async def _take(self, answer: str) -> None:
        assert self._connection is not None
        # Not before: while the server is away, the camera rests.
        self.track.show(self._broadcast.watch(Codec.H264), self._sender)
        try:
            await accept_answer(self._connection, answer)
        except Exception as error:
            raise NotConnected(f"the server's answer can not be used: {error!r}") from error

    # ---- while it lasts

    async def until_over(self) -> str:
        """Wait until the connection is over; returns why."""
        await self._over.wait()
        assert self.why_over is not None
        return self.why_over

    def tell(self, message: dict[str, Any]) -> None:
        """Send a control message, unless what was sent before still waits."""
        channel = self._channel
        if channel is not None and channel.readyState == "open" and not channel.bufferedAmount:
            channel.send(json.dumps(message))

    def _opened(self) -> None:
        assert self._channel is not None
        for message in _HUSH:
            self._channel.send(json.dumps(message))
        self._settled.set()

    def _receive(self, data: str | bytes) -> None:
        try:
            message = json.loads(data)
        except ValueError:
            return
        if not isinstance(message, dict):
            return
        if message.get("final") is True:
            self._final.set()
            self._lose("the server has ended the session")
        elif message.get("type") == "error":
            logger.warning("The server says: %s", str(message.get("message"))[:300])

    def _note_state(self) -> None:
        assert self._connection is not None
        if self._connection.connectionState in ("failed", "closed"):
            self._lose("the connection is lost")

    def _lose(self, why: str) -> None:
        if self.why_over is None:
            self.why_over = why
            self._over.set()
            self._settled.set()

    # ---- the end

    async def end(self) -> bool:
        """End the session; returns whether its final result came."""
        if self._channel is None or self._channel.readyState != "open":
            return False
        self._channel.send(END_SESSION)
        try:
            await asyncio.wait_for(self._final.wait(), FINAL_WITHIN_S)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Hang up."""
        if self.track.viewer is not None:
            self.track.viewer.leave()
        if self._connection is not None:
            await self._connection.close()
