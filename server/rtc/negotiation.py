"""Negotiation of a peer connection: offers and answers, ours and others', and later candidates."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.sdp import SessionDescription, candidate_from_sdp

from signaling.errors import Busy, UnsupportedSdp
from signaling.ice import is_mdns_name
from signaling.messages import IceCandidate

logger = logging.getLogger(__name__)

# Lines of an offer that aiortc is not given; `add_candidate` says why.
_UNWANTED_LINES = re.compile(
    r"^a=(?:candidate:(?:\S+ ){4}[A-Za-z0-9-]{1,63}\.local .*|end-of-candidates)\r?\n?",
    re.MULTILINE,
)


class StunOrTurnServer(Protocol):
    """What is asked for candidates of ours (W3C's RTCIceServer)."""

    @property
    def urls(self) -> Sequence[str]: ...

    @property
    def username(self) -> str | None: ...

    @property
    def credential(self) -> str | None: ...


def make_connection(
    ice_servers: Iterable[StunOrTurnServer], offer: str | None = None
) -> RTCPeerConnection:
    """A connection to offer with, or to answer an offer with.

    Parameters
    ----------
    ice_servers
        STUN and TURN servers for our own candidates; empty asks nobody.
    offer
        The SDP that will be answered; None for one of ours.
    """
    return RTCPeerConnection(
        RTCConfiguration(
            # An empty list is not None: with None aiortc asks a public STUN server.
            [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers],
            # Left to itself aiortc loses the second video of an offer that bundles all.
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
            if offer is None or "a=group:BUNDLE" in offer
            else RTCBundlePolicy.BALANCED,
        )
    )


def prefer_codecs(transceiver: RTCRtpTransceiver, codecs: Sequence[str]) -> None:
    """Send in these, the first that the peer takes; lost packets are sent again (RTX).

    Parameters
    ----------
    transceiver
        Of video.
    codecs
        "VP8" or "H264", the best first.
    """
    order = [f"video/{codec.lower()}" for codec in codecs] + ["video/rtx"]
    known = RTCRtpSender.getCapabilities("video").codecs
    wanted = [codec for codec in known if codec.mimeType.lower() in order]
    wanted.sort(key=lambda codec: order.index(codec.mimeType.lower()))
    transceiver.setCodecPreferences(wanted)


def refuse_track(connection: RTCPeerConnection, track: MediaStreamTrack) -> None:
    """Take nothing of a track, before the answer: aiortc would decode it, and keep every frame."""
    for transceiver in connection.getTransceivers():
        if transceiver.receiver.track is track:
            transceiver.direction = "sendonly" if transceiver.sender.track else "inactive"


def sent_codec(answer: str) -> str | None:
    """The codec of the first video that an answer of ours says we send; None without any."""
    for media in SessionDescription.parse(answer).media:
        if media.kind == "video" and media.direction in ("sendonly", "sendrecv"):
            return str(media.rtp.codecs[0].name)
    return None


async def make_offer(connection: RTCPeerConnection) -> str:
    """Offer what was added to a connection, return the offer's SDP with all candidates."""
    await connection.setLocalDescription(await connection.createOffer())
    return str(connection.localDescription.sdp)


async def accept_answer(connection: RTCPeerConnection, answer: str) -> None:
    """Take the answer to our offer.

    Raises
    ------
    Exception
        What aiortc raises on an answer that does not fit is anything.
    """
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


async def answer_offer(connection: RTCPeerConnection, offer: str) -> str:
    """Take an offer, return the answer's SDP.

    Raises
    ------
    UnsupportedSdp
        The offer has nothing in it that can be answered.
    Busy
        No UDP port is left.
    """
    try:
        await connection.setRemoteDescription(
            RTCSessionDescription(sdp=_UNWANTED_LINES.sub("", offer), type="offer")
        )
        answer = await connection.createAnswer()
    except Exception as error:
        # What aiortc raises on hostile SDP is anything from ValueError to AttributeError.
        logger.info("An offer was refused: %r", error)
        raise UnsupportedSdp(
            "the offer can not be answered: send one with video as VP8 or H264, as the browser's"
            " createOffer gives it"
        ) from error
    await connection.setLocalDescription(answer)
    sdp = connection.localDescription.sdp
    if "a=candidate:" not in sdp:
        raise Busy("no free UDP port for media: widen --ice-port-range", retry_after_s=10)
    return sdp


async def add_candidate(connection: RTCPeerConnection, candidate: IceCandidate | None) -> None:
    """Add a remote candidate; None says that no more come.

    Raises
    ------
    ValueError, InvalidStateError
        It does not fit what was negotiated.
    """
    if candidate is None:
        # Told of the end, aioice gives up as soon as no known candidate is left, but the peer's
        # own checks may be on their way, with an address that it hid or does not know (RFC 8863).
        # Whoever has not connected in time is given up elsewhere.
        return
    parsed = candidate_from_sdp(candidate.candidate)
    if is_mdns_name(parsed.ip):
        # Looking it up costs up to a second of multicast, and is not needed: the browser's own
        # connectivity checks reach us and bring its address along.
        return
    parsed.sdpMid = candidate.sdpMid
    parsed.sdpMLineIndex = candidate.sdpMLineIndex
    await connection.addIceCandidate(parsed)
