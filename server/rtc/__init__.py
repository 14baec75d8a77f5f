"""Every touch of a private attribute of aiortc or aioice, each with its reason and when it can go.

Import the functions; never reach into aiortc from anywhere else. The versions this was tried on are
pinned in pyproject.toml, and tests/server/rtc/test_aiortc.py fails when upstream changes.
"""

from __future__ import annotations

from server.rtc import ice, receiving, sending, transport
from server.rtc.ice import set_ice_hosts
from server.rtc.receiving import (
    decoders_ended,
    on_encoded_frame,
    received_codec,
    request_key_frame,
)
from server.rtc.sending import (
    Packetizer,
    PacketTrack,
    estimated_bitrate,
    on_key_frame_request,
    sent_together,
)

__all__ = [
    "PacketTrack",
    "Packetizer",
    "decoders_ended",
    "estimated_bitrate",
    "install",
    "on_encoded_frame",
    "on_key_frame_request",
    "received_codec",
    "request_key_frame",
    "sent_together",
    "set_ice_hosts",
]


def install() -> None:
    """Make aiortc and aioice behave as described here, for the whole process. May be repeated."""
    for part in (ice, receiving, sending, transport):
        part.install()
