"""Sending video: what is asked of a sender, and frames to many at little cost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import av
from aiortc import RTCDtlsTransport, RTCRtpSender, clock
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame, random_sequence_number
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    HeaderExtensions,
    RtcpPsfbPacket,
    RtpPacket,
    unpack_remb_fci,
)
from aiortc.utils import random32

from server.media.datagrams import send_burst

logger = logging.getLogger(__name__)

# Packets that can be sent again: 0.5 s of 10 Mb/s. aiortc keeps 128, two key frames.
HISTORY_PACKETS = 512
# Packets whose payloads are kept for senders that are behind: more than may wait for a viewer.
PACKED_KEPT = 16
_RTP_HEADER = struct.Struct("!BBHLL")
# RTP and RTCP share one (RFC 8834, section 4.5).
_COMPONENT = 1
_NO_TRACK_S = 0.02

_original_pack: dict[type[Encoder], Callable[[Any, Any], tuple[list[bytes], int]]] = {
    H264Encoder: H264Encoder.pack,
    Vp8Encoder: Vp8Encoder.pack,
}
_original_retransmit = RTCRtpSender._retransmit
_original_handle_sender_rtcp = RTCRtpSender._handle_rtcp_packet


def install() -> None:
    """Replace how a sender cuts, sends and repeats, and hear what its peer says."""
    RTCRtpSender._handle_rtcp_packet = _handle_sender_rtcp  # type: ignore[method-assign]
    RTCRtpSender._run_rtp = _run_rtp  # type: ignore[method-assign]
    RTCRtpSender._retransmit = _retransmit  # type: ignore[method-assign]
    H264Encoder.pack = Vp8Encoder.pack = _pack  # type: ignore[method-assign]


def on_key_frame_request(sender: RTCRtpSender, requested: Callable[[], None]) -> None:
    """Hear when the peer asks a sender for a key frame (PLI, FIR).

    aiortc tells its own encoder only, which has nothing to do when the track gives packets. Drop
    when RTCRtpSender has an event for it.
    """
    sender._send_keyframe = requested  # type: ignore[method-assign]


def estimated_bitrate(sender: RTCRtpSender) -> int | None:
    """What the peer thinks the way to it can carry, in bits a second (REMB); None before it says.

    aiortc hands it to its own encoder, which knows bounds of its own. Drop with the above.
    """
    return getattr(sender, "_kinecast_remb", None)


class Packetizer:
    """Cuts encoded frames into RTP payloads once for all the senders that they go to.

    aiortc has a packetizer for each sender, which is a tenth of what a sender costs. Drop when a
    track can give payloads.

    Parameters
    ----------
    codec
        "VP8" or "H264".
    """

    def __init__(self, codec: str) -> None:
        self._encoder = Vp8Encoder() if codec.upper() == "VP8" else H264Encoder()
        self._pack = _original_pack[type(self._encoder)]
        self._done: OrderedDict[int | None, tuple[list[bytes], int]] = OrderedDict()

    def mark(self, packet: av.Packet[Any]) -> None:
        """Have whoever sends this packet take its payloads from here."""
        packet.opaque = self

    def pack(self, packet: av.Packet[Any]) -> tuple[list[bytes], int]:
        """The payloads of a packet, and its time in RTP's clock."""
        packed = self._done.get(packet.pts)
        if packed is None:
            packed = self._done[packet.pts] = self._pack(self._encoder, packet)
            if len(self._done) > PACKED_KEPT:
                self._done.popitem(last=False)
        return packed


def _pack(self: Encoder, packet: av.Packet[Any]) -> tuple[list[bytes], int]:
    shared = packet.opaque
    if isinstance(shared, Packetizer):
        return shared.pack(packet)
    return _original_pack[type(self)](self, packet)


async def _run_rtp(self: RTCRtpSender, codec: RTCRtpCodecParameters) -> None:
    """Send a track's frames, each in one go.

    aiortc makes an object of each packet, packs the same header extensions for each, and sends it
    by a system call of its own. Drop when it sends a frame at a time.
    """
    self._RTCRtpSender__rtp_started.set()  # type: ignore[attr-defined]
    sequence_number, origin = random_sequence_number(), random32()
    history: dict[int, bytes] = {}
    self._kinecast_history = history  # type: ignore[attr-defined]
    try:
        while True:
            if self.track is None:
                await asyncio.sleep(_NO_TRACK_S)
                continue
            frame = await self._next_encoded_frame(codec)
            if frame is None:
                continue
            packets = _serialize(self, codec, frame, sequence_number, origin)
            for number, packet in enumerate(packets, sequence_number):
                history[number % HISTORY_PACKETS] = packet
            sequence_number = (sequence_number + len(packets)) % (1 << 16)
            _send_packets(self.transport, packets)
            self._RTCRtpSender__octet_count += sum(map(len, frame.payloads))  # type: ignore[attr-defined]
            self._RTCRtpSender__packet_count += len(packets)  # type: ignore[attr-defined]
    except (asyncio.CancelledError, ConnectionError, MediaStreamError):
        pass
    except Exception:
        logger.exception("A track can not be sent")
    finally:
        if self.track is not None:
            self.track.stop()
            self._RTCRtpSender__track = None  # type: ignore[attr-defined]
        self._RTCRtpSender__encoder = None  # type: ignore[attr-defined]
        # Or `stop` would wait for ever.
        self._RTCRtpSender__rtp_exited.set()  # type: ignore[attr-defined]


def _serialize(
    sender: RTCRtpSender,
    codec: RTCRtpCodecParameters,
    frame: RTCEncodedFrame,
    number: int,
    origin: int,
) -> list[bytes]:
    """A frame's RTP packets (RFC 3550, section 5.1)."""
    ntp_time = clock.current_ntp_time()
    timestamp = (origin + frame.timestamp) % (1 << 32)
    sender._RTCRtpSender__ntp_timestamp = ntp_time  # type: ignore[attr-defined]
    sender._RTCRtpSender__rtp_timestamp = timestamp  # type: ignore[attr-defined]
    extensions = HeaderExtensions(
        abs_send_time=(ntp_time >> 14) & 0x00FFFFFF,
        mid=sender._RTCRtpSender__mid,  # type: ignore[attr-defined]
        audio_level=None if frame.audio_level is None else (False, -frame.audio_level),
    )
    profile, value = sender._RTCRtpSender__rtp_header_extensions_map.set(extensions)  # type: ignore[attr-defined]
    extension = struct.pack("!HH", profile, len(value) // 4) + value if value else b""
    first = 0x90 if value else 0x80
    last = len(frame.payloads) - 1
    return [
        _RTP_HEADER.pack(
            first,
            (codec.payloadType or 0) | (0x80 if at == last else 0),
            (number + at) % (1 << 16),
            timestamp,
            sender._ssrc,
        )
        + extension
        + payload
        for at, payload in enumerate(frame.payloads)
    ]


def _send_packets(dtls: RTCDtlsTransport, packets: Sequence[bytes]) -> None:
    if dtls.state != "connected":
        raise ConnectionError("not connected")
    protect = dtls._tx_srtp.protect
    datagrams = [protect(packet) for packet in packets]
    pair = dtls.transport._connection._nominated.get(_COMPONENT)
    if pair is None:
        raise ConnectionError("not connected")
    transport = pair.protocol.transport
    if not send_burst(transport, datagrams, pair.remote_addr):
        # As if they were lost on the way: the peer asks for them.
        return
    dtls._RTCDtlsTransport__tx_bytes += sum(map(len, datagrams))  # type: ignore[attr-defined]
    dtls._RTCDtlsTransport__tx_packets += len(datagrams)  # type: ignore[attr-defined]


async def _retransmit(self: RTCRtpSender, sequence_number: int) -> None:
    """Send a packet again; aiortc makes an RTX packet of it, if that was agreed on."""
    history: dict[int, bytes] = getattr(self, "_kinecast_history", {})
    sent = history.get(sequence_number % HISTORY_PACKETS)
    if sent is None:
        return
    extensions_map = self._RTCRtpSender__rtp_header_extensions_map  # type: ignore[attr-defined]
    packet = RtpPacket.parse(sent, extensions_map)
    self._RTCRtpSender__rtp_history[sequence_number % RTP_HISTORY_SIZE] = packet  # type: ignore[attr-defined]
    await _original_retransmit(self, sequence_number)


async def _handle_sender_rtcp(self: RTCRtpSender, packet: AnyRtcpPacket) -> None:
    await _original_handle_sender_rtcp(self, packet)
    if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        with contextlib.suppress(ValueError):
            bitrate, ssrcs = unpack_remb_fci(packet.fci)
            if self._ssrc in ssrcs:
                self._kinecast_remb = bitrate  # type: ignore[attr-defined]
