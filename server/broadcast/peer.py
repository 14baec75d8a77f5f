"""One viewer's peer connection: a broadcast's packets, sent as they are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import SessionDescription, candidate_from_sdp

from server.broadcast.broadcast import Broadcast, Viewer
from server.broadcast.encoder import Codec
from server.media import aiortc_compat
from signaling.errors import BadSdp, Busy
from signaling.ice import IceServer

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S = 30.0
_ESTIMATE_EVERY_S = 1.0


class WatchPeer:
    """Answers an offer that wants to see something.

    Parameters
    ----------
    broadcast
        What is to be seen.
    ice_servers
        STUN and TURN servers for our own candidates.
    gone
        Called once, when the viewer has left or never came.
    """

    def __init__(
        self,
        broadcast: Broadcast,
        ice_servers: Iterable[IceServer],
        gone: Callable[[WatchPeer], None],
    ) -> None:
        self.states = ["new"]
        self._broadcast = broadcast
        self._gone: Callable[[WatchPeer], None] | None = gone
        self._track = _PacketTrack()
        self._connection = RTCPeerConnection(
            RTCConfiguration(
                [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers]
            )
        )
        # Both must stand before the offer is set; afterwards they have no effect in aiortc.
        transceiver = self._connection.addTransceiver(self._track, "sendonly")
        transceiver.setCodecPreferences(_preferences())
        self._sender = transceiver.sender
        self._connection.on("connectionstatechange", self._note_state)
        self._watching: Viewer | None = None
        self._estimating: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(CONNECT_WITHIN_S, self._never_connected)

    async def answer(self, sdp: str) -> str:
        """Take the offer, return the answer's SDP.

        Raises
        ------
        BadSdp
            The offer does not parse, or has no video that we can send.
        Busy
            No UDP port is left.
        CameraUnavailable
            There is nothing to see.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            answer = await self._connection.createAnswer()
        except Exception as error:
            # What aiortc raises on hostile SDP is anything from ValueError to AttributeError.
            logger.info("An offer to watch was refused: %r", error)
            raise BadSdp(
                "the offer can not be answered: send one that receives video as VP8 or H264"
            ) from error
        codec = _sent_codec(answer.sdp)
        if codec is None:
            raise BadSdp("the offer has no video that it wants to receive as VP8 or H264")
        await self._connection.setLocalDescription(answer)
        local = self._connection.localDescription.sdp
        if "a=candidate:" not in local:
            raise Busy("no free UDP port for media: widen --ice-port-range", retry_after_s=10)
        self._watching = self._track.viewer = self._broadcast.watch(codec)
        aiortc_compat.on_key_frame_request(self._sender, self._watching.request_key_frame)
        self._estimating = asyncio.create_task(self._estimate(self._watching), name="estimate")
        return local

    async def add_candidate(self, line: str, mid: str | None) -> None:
        """Add a candidate that came later.

        Raises
        ------
        ValueError
            It can not be read.
        """
        candidate = candidate_from_sdp(line)
        candidate.sdpMid, candidate.sdpMLineIndex = mid, 0
        await self._connection.addIceCandidate(candidate)

    async def close(self) -> None:
        """Hang up."""
        self._expiry.cancel()
        if self._watching is not None:
            self._watching.leave()
        if self._estimating is not None:
            self._estimating.cancel()
        await self._connection.close()

    def _note_state(self) -> None:
        state = self._connection.connectionState
        self.states.append(state)
        if state == "connected":
            self._expiry.cancel()
        elif state in ("failed", "closed"):
            self._tell_gone()

    def _never_connected(self) -> None:
        logger.info("A viewer never connected")
        self._tell_gone()

    def _tell_gone(self) -> None:
        if self._gone is not None:
            gone, self._gone = self._gone, None
            gone(self)

    async def _estimate(self, viewer: Viewer) -> None:
        while True:
            await asyncio.sleep(_ESTIMATE_EVERY_S)
            viewer.estimated_bitrate = aiortc_compat.estimated_bitrate(self._sender)


class _PacketTrack(MediaStreamTrack):
    """Gives a sender the packets that it has; it sends them without encoding."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.viewer: Viewer | None = None

    async def recv(self) -> av.Packet[av.VideoStream]:
        if self.viewer is None:
            raise MediaStreamError
        try:
            return await self.viewer.next()
        except StopAsyncIteration:
            self.stop()
            raise MediaStreamError from None


def _preferences() -> list[RTCRtpCodecCapability]:
    """Prefer H264, which costs half as much to encode; lost packets are sent again (RTX)."""
    known = RTCRtpSender.getCapabilities("video").codecs
    order = ("video/h264", "video/vp8", "video/rtx")
    wanted = [codec for codec in known if codec.mimeType.lower() in order]
    return sorted(wanted, key=lambda codec: order.index(codec.mimeType.lower()))


def _sent_codec(answer: str) -> Codec | None:
    """The codec that an answer says we send."""
    for media in SessionDescription.parse(answer).media:
        if media.kind == "video" and media.direction in ("sendonly", "sendrecv"):
            return Codec(media.rtp.codecs[0].name)
    return None
