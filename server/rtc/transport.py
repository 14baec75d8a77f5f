"""DTLS and what comes through it: whom we connect with, and packets that make no sense."""

from __future__ import annotations

from typing import Any

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpRouter
from aiortc.rtp import RtpPacket

from server.rtc.passed_over import pass_over

# Sources of RTP that an offer does not name: a browser has some four, and one more with each track
# that takes another's place. aiortc keeps some objects for each, for ever, and reports on all of
# them in a packet that holds 31 (RFC 3550, section 6.4.1): with more its reporting task dies, and
# closing waits for it.
MAX_STRANGERS = 16

# aiortc offers and accepts ECDHE-ECDSA only, so peers whose certificate is RSA (GStreamer's
# webrtcbin) fail in the handshake. RFC 8827, section 6.5 asks for the ECDSA suite and allows
# others.
# Drop when aiortc's own list has the RSA suites.
CIPHER_LIST = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)

_original_create_ssl_context = RTCCertificate._create_ssl_context
_original_handle_rtcp_data = RTCDtlsTransport._handle_rtcp_data
_original_handle_rtp_data = RTCDtlsTransport._handle_rtp_data
_original_route_rtp = RtpRouter.route_rtp


def install() -> None:
    """Accept RSA certificates; keep packets that make no sense from ending the connection."""
    RTCCertificate._create_ssl_context = _create_ssl_context  # type: ignore[method-assign]
    RTCDtlsTransport._handle_rtcp_data = _handle_rtcp_data  # type: ignore[method-assign]
    RTCDtlsTransport._handle_rtp_data = _handle_rtp_data  # type: ignore[method-assign]
    RtpRouter.route_rtp = _route_rtp  # type: ignore[method-assign]


def _create_ssl_context(self: RTCCertificate, srtp_profiles: Any) -> Any:
    context = _original_create_ssl_context(self, srtp_profiles)
    context.set_cipher_list(CIPHER_LIST)
    return context


async def _handle_rtcp_data(self: Any, data: bytes) -> None:
    """Let an RTCP packet that makes no sense cost itself; aiortc's receiving task ends of it."""
    try:
        await _original_handle_rtcp_data(self, data)
    except ConnectionError:
        raise
    except Exception as error:
        pass_over(self, "An RTCP packet", repr(error))


async def _handle_rtp_data(self: Any, data: bytes, arrival_time_ms: int) -> None:
    """Let an RTP packet that makes no sense cost itself; aiortc's receiving task ends of it."""
    try:
        await _original_handle_rtp_data(self, data, arrival_time_ms)
    except ConnectionError:
        raise
    except Exception as error:
        pass_over(self, "An RTP packet", repr(error))


def _route_rtp(self: Any, packet: RtpPacket) -> Any:
    """Take packets of so many sources that were not named, and no more."""
    if packet.ssrc not in self.ssrc_table:
        strangers = getattr(self, "_kinecast_strangers", 0)
        if strangers >= MAX_STRANGERS:
            return None
        receiver = _original_route_rtp(self, packet)
        if receiver is not None:
            self._kinecast_strangers = strangers + 1
        return receiver
    return _original_route_rtp(self, packet)
