"""What every answered offer goes through: a connection, an answer, candidates that come later."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import candidate_from_sdp

from signaling.errors import Busy, UnsupportedSdp
from signaling.ice import IceServer, is_mdns_name
from signaling.messages import IceCandidate

logger = logging.getLogger(__name__)

# Lines of an offer that aiortc is not given; `add_candidate` says why.
_UNWANTED_LINES = re.compile(
    r"^a=(?:candidate:(?:\S+ ){4}[A-Za-z0-9-]{1,63}\.local .*|end-of-candidates)\r?\n?",
    re.MULTILINE,
)


def make_connection(offer: str, ice_servers: Iterable[IceServer]) -> RTCPeerConnection:
    """A connection to answer an offer with.

    Parameters
    ----------
    offer
        Its SDP.
    ice_servers
        STUN and TURN servers for our own candidates; empty asks nobody.
    """
    return RTCPeerConnection(
        RTCConfiguration(
            # An empty list is not None: with None aiortc asks a public STUN server.
            [RTCIceServer(list(s.urls), s.username, s.credential) for s in ice_servers],
            # Left to itself aiortc loses the second video of an offer that bundles all.
            bundlePolicy=RTCBundlePolicy.MAX_BUNDLE
            if "a=group:BUNDLE" in offer
            else RTCBundlePolicy.BALANCED,
        )
    )


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
    ValueError, aiortc.InvalidStateError
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
