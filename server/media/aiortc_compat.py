"""Every touch of a private attribute of aiortc or aioice, each with its reason and when it can go.

Import the functions; never reach into aiortc from anywhere else. The versions this was tried on are
pinned in pyproject.toml, and tests/server/media/test_aiortc_compat.py fails when upstream changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import queue
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import aioice.ice
import aiortc.rtcsctptransport
from aiortc import RTCCertificate, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcsctptransport import RTCSctpTransport
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtpPacket,
    unpack_remb_fci,
)

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

# aioice checks consent every 5 s and gives up after 6 misses: 30 s to notice that a peer is gone.
# A check waits 0.5 s for its answer, so these notice within 3 * (0.7 * 1.2 + 0.5) = 4.0 s.
# Drop when aioice takes both as parameters of Connection.
CONSENT_INTERVAL_S = 0.7
CONSENT_FAILURES = 3

# A data channel message is cut into pieces of this many bytes. aiortc's 1200 plus its SCTP, DTLS,
# UDP and IP headers exceeds 1280, the smallest MTU of IPv6, and dies silently on such paths (VPNs).
SCTP_PIECE_BYTES = 1100

# Encoded frames that may wait for the decoder before the backlog is dropped: 1 s at 30 fps.
# aiortc's queue has no bound, and delay that once got into it never leaves.
MAX_DECODER_BACKLOG = 30

_original_create_ssl_context = RTCCertificate._create_ssl_context
_original_handle_rtp_packet = RTCRtpReceiver._handle_rtp_packet
_ending_decoders: set[threading.Thread] = set()
_original_handle_sender_rtcp = RTCRtpSender._handle_rtcp_packet
_original_data_channel_receive = RTCSctpTransport._data_channel_receive
_original_get_host_addresses = aioice.ice.get_host_addresses


def install() -> None:
    """Make aiortc and aioice behave as described here, for the whole process. May be repeated."""
    RTCCertificate._create_ssl_context = _create_ssl_context  # type: ignore[method-assign]
    RTCRtpSender._handle_rtcp_packet = _handle_sender_rtcp  # type: ignore[method-assign]
    RTCRtpReceiver._handle_rtp_packet = _handle_rtp_packet  # type: ignore[method-assign]
    RTCRtpReceiver._RTCRtpReceiver__stop_decoder = _stop_decoder  # type: ignore[attr-defined]
    aioice.ice.CONSENT_INTERVAL = CONSENT_INTERVAL_S  # type: ignore[assignment]
    aioice.ice.CONSENT_FAILURES = CONSENT_FAILURES
    RTCSctpTransport._data_channel_receive = _data_channel_receive  # type: ignore[method-assign]
    aiortc.rtcsctptransport.USERDATA_MAX_LENGTH = SCTP_PIECE_BYTES


def set_ice_hosts(addresses: Sequence[str], ports: range | None = None) -> None:
    """Choose what ICE offers as host candidates.

    Parameters
    ----------
    addresses
        Local IP addresses to bind to. Empty: every interface's but loopback, as aioice does.
    ports
        UDP ports to bind to; None leaves the choice to the system.

    Notes
    -----
    aioice has neither as a setting. Both are wanted behind NAT and in containers, to leave out
    bridges and to open a known range in a firewall. Drop when aioice.Connection takes them.
    """

    def hosts(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [a for a in addresses if (use_ipv6 if ":" in a else use_ipv4)]

    aioice.ice.get_host_addresses = hosts if addresses else _original_get_host_addresses
    aioice.ice.asyncio = asyncio if ports is None else _PortRangeAsyncio(ports)  # type: ignore[assignment, attr-defined]


async def decoders_ended() -> None:
    """Wait for the decoder threads of connections that were closed.

    Each still tells its track that it has ended, which needs the event loop to be there.
    """
    for thread in list(_ending_decoders):
        await asyncio.to_thread(thread.join)
        _ending_decoders.discard(thread)


async def request_key_frame(receiver: RTCRtpReceiver) -> None:
    """Ask the sender of this receiver's video for a key frame (PLI, RFC 4585, section 6.3.1).

    aiortc sends one by itself only after a decoding error. Drop when RTCRtpReceiver has a public
    method for it. Does nothing before the first packet, when the sender is not known yet.
    """
    for ssrc in list(receiver._RTCRtpReceiver__remote_streams):  # type: ignore[attr-defined]
        await receiver._send_rtcp_pli(ssrc)


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


async def _handle_sender_rtcp(self: RTCRtpSender, packet: AnyRtcpPacket) -> None:
    await _original_handle_sender_rtcp(self, packet)
    if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        with contextlib.suppress(ValueError):
            bitrate, ssrcs = unpack_remb_fci(packet.fci)
            if self._ssrc in ssrcs:
                self._kinecast_remb = bitrate  # type: ignore[attr-defined]


def take_complete_frame(buffer: JitterBuffer) -> tuple[RtpPacket, JitterFrame] | None:
    """Take the oldest frame out of a jitter buffer if all its packets are there.

    A frame is complete at its marker bit (RFC 3550, section 5.1; for VP8 RFC 7741, section 4.1) or
    when the next frame's first packet follows without a gap.

    Returns
    -------
    The frame's last packet (for its payload type) and the frame, or None.
    """
    if buffer._origin is None:
        return None
    # Padding that probes the bandwidth follows a frame's last packet. Left there, it would be
    # taken for a frame, and an empty one tells the decoder that the stream has ended.
    while (first := buffer._packets[buffer._origin % buffer.capacity]) and not first._data:  # type: ignore[attr-defined]
        buffer.remove(1)
    packets: list[RtpPacket] = []
    for count in range(buffer.capacity):
        packet = buffer._packets[(buffer._origin + count) % buffer.capacity]
        if packet is None:
            return None
        if packets and packet.timestamp != packets[0].timestamp:
            break
        packets.append(packet)
        if packet.marker:
            break
    buffer.remove(len(packets))
    data = b"".join(p._data for p in packets)  # type: ignore[attr-defined]
    return packets[-1], JitterFrame(data=data, timestamp=packets[0].timestamp)


def is_key_frame(codec_name: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without those before it.

    VP8: the lowest bit of the first byte is 0 (RFC 6386, section 9.1). H264, as Annex B: it holds
    an IDR slice, NAL unit type 5.
    """
    if codec_name.upper() == "VP8":
        return bool(data) and not data[0] & 1
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == 5:
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


def _create_ssl_context(self: RTCCertificate, srtp_profiles: Any) -> Any:
    context = _original_create_ssl_context(self, srtp_profiles)
    context.set_cipher_list(CIPHER_LIST)
    return context


async def _handle_rtp_packet(self: RTCRtpReceiver, packet: RtpPacket, arrival_time_ms: int) -> None:
    """Hand over a video frame with its last packet, and keep the decoder's backlog bounded.

    aiortc waits for the next frame's first packet, which costs a frame of delay: 33 ms at 30 fps.
    Drop the first part when JitterBuffer honours the marker bit, the second when the queue has a
    bound.
    """
    await _original_handle_rtp_packet(self, packet, arrival_time_ms)
    buffer = self._RTCRtpReceiver__jitter_buffer  # type: ignore[attr-defined]
    if not buffer._is_video:
        return
    while (taken := take_complete_frame(buffer)) is not None:
        last_packet, frame = taken
        if self._RTCRtpReceiver__decoder_thread is None:  # type: ignore[attr-defined]
            return
        codec = self._RTCRtpReceiver__codecs[last_packet.payload_type]  # type: ignore[attr-defined]
        frame.timestamp = self._RTCRtpReceiver__timestamp_mapper.map(frame.timestamp)  # type: ignore[attr-defined]
        if _backlog_allows(self, codec.name, frame.data):
            self._RTCRtpReceiver__decoder_queue.put((codec, frame))  # type: ignore[attr-defined]
        else:
            await request_key_frame(self)


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


def _backlog_allows(receiver: RTCRtpReceiver, codec_name: str, data: bytes) -> bool:
    """Whether a frame may go to the decoder: after a dropped backlog, only from a key frame on."""
    waiting: queue.Queue[Any] = receiver._RTCRtpReceiver__decoder_queue  # type: ignore[attr-defined]
    if waiting.qsize() > MAX_DECODER_BACKLOG:
        logger.warning("The decoder is %d frames behind: skipping to a key frame", waiting.qsize())
        _empty(waiting)
        receiver._kinecast_needs_key_frame = True  # type: ignore[attr-defined]
    if not getattr(receiver, "_kinecast_needs_key_frame", False):
        return True
    if not is_key_frame(codec_name, data):
        return False
    receiver._kinecast_needs_key_frame = False  # type: ignore[attr-defined]
    return True


def _stop_decoder(self: RTCRtpReceiver) -> None:
    """End the decoder thread after the frame it is at; `decoders_ended` waits for it.

    aiortc's own joins it on the event loop, behind all that waits to be decoded, which stops every
    session meanwhile. Drop when it no longer does.
    """
    thread = self._RTCRtpReceiver__decoder_thread  # type: ignore[attr-defined]
    if thread is None:
        return
    _ending_decoders.add(thread)
    waiting: queue.Queue[Any] = self._RTCRtpReceiver__decoder_queue  # type: ignore[attr-defined]
    _empty(waiting)
    waiting.put(None)
    self._RTCRtpReceiver__decoder_thread = None  # type: ignore[attr-defined]


def _empty(waiting: queue.Queue[Any]) -> None:
    while True:
        try:
            waiting.get_nowait()
        except queue.Empty:
            return


class _PortRangeAsyncio:
    """Stands in for the asyncio module inside aioice, so that its sockets bind within a range."""

    def __init__(self, ports: range) -> None:
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Any:
        return _PortRangeLoop(asyncio.get_running_loop(), self._ports)


class _PortRangeLoop:
    """The running loop, but a datagram endpoint on port 0 gets a free port of the range."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: range) -> None:
        self._loop = loop
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: tuple[str, int] | None = None, **kwargs: Any
    ) -> Any:
        if local_addr is None or local_addr[1] != 0:
            return await self._loop.create_datagram_endpoint(
                protocol_factory, local_addr=local_addr, **kwargs
            )
        # A random start, so that a port just given up is not at once taken again.
        start = random.randrange(len(self._ports))
        for port in (*self._ports[start:], *self._ports[:start]):
            try:
                return await self._loop.create_datagram_endpoint(
                    protocol_factory, local_addr=(local_addr[0], port), **kwargs
                )
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
        raise OSError(errno.EADDRINUSE, f"every UDP port of {self._ports} is in use")
