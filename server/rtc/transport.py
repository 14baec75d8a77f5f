"""DTLS and data channels: whom they connect with, and what they bear."""

from __future__ import annotations

import logging
from typing import Any

import aiortc.rtcsctptransport
from aiortc import RTCCertificate
from aiortc.rtcsctptransport import RTCSctpTransport

logger = logging.getLogger(__name__)

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

# A data channel message is cut into pieces of this many bytes. aiortc's 1200 plus its SCTP, DTLS,
# UDP and IP headers exceeds 1280, the smallest MTU of IPv6, and dies silently on such paths (VPNs).
SCTP_PIECE_BYTES = 1100

_original_create_ssl_context = RTCCertificate._create_ssl_context
_original_data_channel_receive = RTCSctpTransport._data_channel_receive


def install() -> None:
    """Accept RSA certificates; keep messages small, and a bad one from ending the connection."""
    RTCCertificate._create_ssl_context = _create_ssl_context  # type: ignore[method-assign]
    RTCSctpTransport._data_channel_receive = _data_channel_receive  # type: ignore[method-assign]
    aiortc.rtcsctptransport.USERDATA_MAX_LENGTH = SCTP_PIECE_BYTES


def _create_ssl_context(self: RTCCertificate, srtp_profiles: Any) -> Any:
    context = _original_create_ssl_context(self, srtp_profiles)
    context.set_cipher_list(CIPHER_LIST)
    return context


async def _data_channel_receive(
    self: RTCSctpTransport, stream_id: int, pp_id: int, data: bytes
) -> None:
    """Pass over a text message that is not UTF-8.

    In aiortc it ends the receiving task, and with that the connection. Drop when it does not.
    """
    try:
        await _original_data_channel_receive(self, stream_id, pp_id, data)
    except UnicodeDecodeError:
        logger.info("A text message on data channel %d is not UTF-8: passed over", stream_id)
