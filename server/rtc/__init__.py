"""WebRTC: the only room that knows aiortc and aioice, and reaches into them.

aiortc is written to be read and to be correct; this server has to be quick, and to stand what a
network and strangers do. So this room replaces six parts of it, which makes it a fork by
replacement of about the size of what it replaces:

- **the jitter buffer** of video (`jitter_buffer`, `receiving`): a frame is handed over with its
  last packet instead of the next frame's first, which saves a frame of delay; it can go when
  aiortc's own honours the marker bit;
- **NACK and PLI** (`jitter_buffer`, `receiving`): a lost packet is asked for again until it comes
  or is given up, and then a key frame; it can go when aiortc asks more than once (aiortc#1350);
- **sending** (`sending`, `datagrams`): a frame goes to all viewers within the call that brings
  it, cut into payloads once, by one system call for each viewer; it can go when a track can give
  payloads and be told to send them;
- **SCTP's sending** (`sctp_sending`): a result leaves in one go, and what is lost is sent again
  within a round trip; it can go when aiortc's window begins and grows as the newer RFCs have it;
- **consent** (`ice`): a peer that is heard is there; it can go when aioice judges a peer by all
  that comes from it;
- **sockets** (`shared_port`, `shared_socket`), where `--ice-port` is given: one for all connections
  in place of one for each; it can go when aioice shares one (aioice#47).

Each smaller touch has its reason, and when it can go, where it is made. Tried on aiortc 1.16 and
aioice 0.13, to which pyproject.toml pins them; the tests in tests/server/rtc fail when
upstream changes what is touched here.

Other rooms use what is listed below, and aiortc's types under the names that they have here.
This one may import `media`, `security` and `tasks`; not `camera`, `sources` or `workers`.
"""

from __future__ import annotations

from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCDataChannel,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
)

from server.rtc import ice, receiving, sctp, sctp_sending, sending, transport
from server.rtc.ice import set_ice_hosts
from server.rtc.incoming import IncomingVideo
from server.rtc.negotiation import (
    accept_answer,
    add_candidate,
    answer_offer,
    make_connection,
    make_offer,
    prefer_codecs,
    refuse_track,
    sent_codec,
)
from server.rtc.receiving import decoders_ended, on_too_large, set_max_pixels
from server.rtc.sending import (
    Packetizer,
    PacketTrack,
    batch_sends,
    estimated_bitrate,
    on_key_frame_request,
)
from server.rtc.shared_port import SharedPort
from server.rtc.track_reader import discard, drain

__all__ = [
    "IncomingVideo",
    "InvalidStateError",
    "MediaStreamTrack",
    "PacketTrack",
    "Packetizer",
    "RTCDataChannel",
    "RTCPeerConnection",
    "RTCRtpReceiver",
    "RTCRtpSender",
    "SharedPort",
    "accept_answer",
    "add_candidate",
    "answer_offer",
    "batch_sends",
    "decoders_ended",
    "discard",
    "drain",
    "estimated_bitrate",
    "install",
    "make_connection",
    "make_offer",
    "on_key_frame_request",
    "on_too_large",
    "prefer_codecs",
    "refuse_track",
    "sent_codec",
    "set_ice_hosts",
    "set_max_pixels",
]


def install() -> None:
    """Make aiortc and aioice behave as described here, for the whole process. May be repeated."""
    for part in (ice, receiving, sctp, sctp_sending, sending, transport):
        part.install()
