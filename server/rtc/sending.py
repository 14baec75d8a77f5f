"""Sending video: what is asked of a sender, and encoded frames to many at little cost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, cast

import av
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import random_sequence_number
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    HeaderExtensions,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    unpack_remb_fci,
)
from aiortc.utils import random32

from server.rtc.datagrams import has_room, send_burst

logger = logging.getLogger(__name__)

# Packets that can be sent again: 0.5 s of 10 Mb/s. aiortc keeps 128, two key frames.
HISTORY_PACKETS = 512
# A packet that is asked for again is sent again, but not sooner than it can have come.
AGAIN_AFTER_S = 0.05
# What is sent again is at most this part of what was sent, and so much at once (a second of
# 1.6 Mb/s): a peer that asks for everything, again and again, gets little more than its video.
AGAIN_SHARE = 0.5
AGAIN_AT_ONCE_BYTES = 200_000
_RTP_HEADER = struct.Struct("!BBHLL")
# RTP and RTCP share one (RFC 8834, section 4.5).
_COMPONENT = 1
# Between the epochs of NTP (1900) and Unix (1970).
_NTP_EPOCH_S = 2_208_988_800
# Its 24 bits: 6 of seconds, 18 of their fraction.
_ABS_SEND_TIME = 0xFFFFFF

_Burst: TypeAlias = tuple[Any, list[bytes], Any]
_held: list[_Burst] | None = None

_original_run_rtp = RTCRtpSender._run_rtp
_original_retransmit = RTCRtpSender._retransmit
_original_handle_sender_rtcp = RTCRtpSender._handle_rtcp_packet


def install() -> None:
    """Replace how a sender sends a `PacketTrack`, and hear what its peer says."""
    RTCRtpSender._handle_rtcp_packet = _handle_sender_rtcp  # type: ignore[method-assign]
    RTCRtpSender._run_rtp = _run_rtp  # type: ignore[method-assign]
    RTCRtpSender._retransmit = _retransmit  # type: ignore[method-assign]


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


@contextlib.contextmanager
def batch_sends() -> Iterator[None]:
    """Encrypt what is sent within this, and send all of it at the end.

    For one frame that goes to many: the same few steps for all, again and again, take less than
    all steps for one after the other, and no receiver on this machine is woken in between.
    """
    global _held
    held: list[_Burst] = []
    _held = held
    try:
        yield
    finally:
        _held = None
        for burst in held:
            try:
                send_burst(*burst)
            except Exception:
                # One way's fault is not the others'.
                logger.exception("A frame can not be sent")


class PacketTrack(MediaStreamTrack):
    """A track of encoded frames, each sent the moment that it is given, to one peer.

    aiortc has a task for each sender, which waits for the track's next frame, makes an object of
    each RTP packet, packs the same header extensions for each, and sends it by a system call of its
    own. Drop when it can be told to send a frame, and sends one at a time.
    """

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._stream: _RtpStream | None = None

    @abstractmethod
    def flow(self) -> None:
        """Send what waits: called when the first frame may be sent."""

    def send(self, packet: av.Packet[Any]) -> bool:
        """Send a frame that a `Packetizer` has marked.

        Returns
        -------
        Whether it was sent: not before the connection stands, nor while too much waits to go out.
        """
        if self._stream is None or not self._stream.has_room:
            return False
        try:
            self._stream.send(*cast(_Payloads, packet.opaque).of(packet))
        except Exception:
            logger.exception("A track can not be sent")
            self._stream = None
            self.stop()
        return True

    async def recv(self) -> Any:
        """Gives nothing: senders do not ask."""
        raise MediaStreamError


class Packetizer:
    """Cuts encoded frames into RTP payloads once for all the senders that they go to.

    aiortc has a packetizer for each sender. Drop when a track can give payloads.

    Parameters
    ----------
    codec
        "VP8" or "H264".
    """

    def __init__(self, codec: str) -> None:
        self._encoder = Vp8Encoder() if codec.upper() == "VP8" else H264Encoder()

    def mark(self, packet: av.Packet[Any]) -> None:
        """Have whoever sends this packet take its payloads from here."""
        # One for each: PyAV forgets an object with the first packet that goes.
        packet.opaque = _Payloads(self._encoder)


class _Payloads:
    """A frame's payloads, and its time in RTP's clock, once somebody sends it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._packed: tuple[list[bytes], int] | None = None

    def of(self, packet: av.Packet[Any]) -> tuple[list[bytes], int]:
        if self._packed is None:
            self._packed = self._encoder.pack(packet)
        return self._packed


class _RtpStream:
    """What one sender sends: RTP packets (RFC 3550, section 5.1), a frame's in one go."""

    def __init__(self, sender: RTCRtpSender, codec: RTCRtpCodecParameters) -> None:
        self.history: dict[int, bytes] = {}
        """What was sent last, by sequence number modulo `HISTORY_PACKETS`."""
        self.budget = RetransmissionBudget()
        self._sender: Any = sender
        self._dtls: Any = sender.transport
        self._payload_type = codec.payloadType or 0
        self._number = random_sequence_number()
        self._origin = random32()
        # All but the time is the same in all packets.
        self._extension = self._pack_extension(0)
        other = self._pack_extension(_ABS_SEND_TIME)
        differs = [at for at, byte in enumerate(self._extension) if byte != other[at]]
        self._time_at = differs[0] if differs else None

    @property
    def has_room(self) -> bool:
        """Whether what is sent now goes out."""
        pair = self._pair
        return pair is not None and has_room(pair.protocol.transport)

    @property
    def _pair(self) -> Any:
        """The candidate pair that packets go through; None while there is none."""
        if self._dtls._state is not State.CONNECTED:
            return None
        return self._dtls.transport._connection._nominated.get(_COMPONENT)

    def send(self, payloads: list[bytes], timestamp: int) -> None:
        pair, sender, dtls = self._pair, self._sender, self._dtls
        if not sender._enabled:
            return
        packets = self._packets(payloads, (self._origin + timestamp) % (1 << 32))
        protect = dtls._tx_srtp.protect
        datagrams = [protect(packet) for packet in packets]
        if _held is None:
            send_burst(pair.protocol.transport, datagrams, pair.remote_addr)
        else:
            _held.append((pair.protocol.transport, datagrams, pair.remote_addr))
        self.budget.earn(sum(map(len, packets)))
        for number, packet in enumerate(packets, self._number):
            self.history[number % HISTORY_PACKETS] = packet
        self._number = (self._number + len(packets)) % (1 << 16)
        sender._RTCRtpSender__octet_count += sum(map(len, payloads))
        sender._RTCRtpSender__packet_count += len(packets)
        dtls._RTCDtlsTransport__tx_bytes += sum(map(len, datagrams))
        dtls._RTCDtlsTransport__tx_packets += len(datagrams)

    def _packets(self, payloads: list[bytes], timestamp: int) -> list[bytes]:
        sender, ssrc, number = self._sender, self._sender._ssrc, self._number
        ntp_time = int((time.time() + _NTP_EPOCH_S) * (1 << 32))
        sender._RTCRtpSender__ntp_timestamp = ntp_time
        sender._RTCRtpSender__rtp_timestamp = timestamp
        extension = self._extension
        if (at := self._time_at) is not None:
            abs_send_time = (ntp_time >> 14) & _ABS_SEND_TIME
            extension = extension[:at] + abs_send_time.to_bytes(3) + extension[at + 3 :]
        first = 0x90 if extension else 0x80
        last = len(payloads) - 1
        return [
            _RTP_HEADER.pack(
                first,
                self._payload_type | (0x80 if at == last else 0),
                (number + at) % (1 << 16),
                timestamp,
                ssrc,
            )
            + extension
            + payload
            for at, payload in enumerate(payloads)
        ]

    def _pack_extension(self, abs_send_time: int) -> bytes:
        """The header extensions that were agreed on (RFC 8285), with their own header."""
        extensions = HeaderExtensions(
            abs_send_time=abs_send_time, mid=self._sender._RTCRtpSender__mid
        )
        profile, value = self._sender._RTCRtpSender__rtp_header_extensions_map.set(extensions)
        return struct.pack("!HH", profile, len(value) // 4) + value if value else b""


class RetransmissionBudget:
    """How much of what was sent is sent again; RFC 4585, section 6.2.1, leaves it to the sender."""

    def __init__(self) -> None:
        self._bytes = float(AGAIN_AT_ONCE_BYTES)
        self._last_s: dict[int, float] = {}

    def earn(self, sent_bytes: int) -> None:
        """So much was sent for the first time."""
        self._bytes = min(self._bytes + sent_bytes * AGAIN_SHARE, AGAIN_AT_ONCE_BYTES)

    def spend(self, sequence_number: int, size: int, now_s: float) -> bool:
        """Whether to send a packet again now.

        Parameters
        ----------
        sequence_number
            Of the packet, 16 bits.
        size
            In bytes.
        now_s
            By a clock that does not go back.
        """
        slot = sequence_number % HISTORY_PACKETS
        if size > self._bytes or now_s - self._last_s.get(slot, float("-inf")) < AGAIN_AFTER_S:
            return False
        self._bytes -= size
        self._last_s[slot] = now_s
        return True


async def _run_rtp(self: Any, codec: RTCRtpCodecParameters) -> None:
    """Let a `PacketTrack` be sent until it ends or the sender is stopped."""
    track = self.track
    if not isinstance(track, PacketTrack):
        await _original_run_rtp(self, codec)
        return
    self._RTCRtpSender__rtp_started.set()
    ended = asyncio.Event()
    track.on("ended", ended.set)
    try:
        if track.readyState == "live":
            track._stream = self._kinecast_stream = _RtpStream(self, codec)
            track.flow()
            await ended.wait()
    except asyncio.CancelledError:
        pass
    finally:
        track._stream = None
        track.stop()
        self.replaceTrack(None)
        # Or `stop` would wait for ever.
        self._RTCRtpSender__rtp_exited.set()


async def _retransmit(self: RTCRtpSender, sequence_number: int) -> None:
    """Send a packet again; aiortc makes an RTX packet of it, if that was agreed on."""
    stream: _RtpStream | None = getattr(self, "_kinecast_stream", None)
    if stream is None:
        await _original_retransmit(self, sequence_number)
        return
    # Behind 65535 comes 0, which aiortc's reading of a NACK does not know.
    sequence_number %= 1 << 16
    sent = stream.history.get(sequence_number % HISTORY_PACKETS)
    if sent is None or sent[2:4] != sequence_number.to_bytes(2):
        return
    if not stream.budget.spend(sequence_number, len(sent), time.monotonic()):
        return
    extensions_map = self._RTCRtpSender__rtp_header_extensions_map  # type: ignore[attr-defined]
    packet = RtpPacket.parse(sent, extensions_map)
    self._RTCRtpSender__rtp_history[sequence_number % RTP_HISTORY_SIZE] = packet  # type: ignore[attr-defined]
    await _original_retransmit(self, sequence_number)


async def _handle_sender_rtcp(self: RTCRtpSender, packet: AnyRtcpPacket) -> None:
    if isinstance(packet, RtcpRtpfbPacket):
        # A NACK of 1012 bytes asks for 4250; the newest are last, and more are not held.
        packet.lost = packet.lost[-HISTORY_PACKETS:]
    await _original_handle_sender_rtcp(self, packet)
    if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
        with contextlib.suppress(ValueError):
            bitrate, ssrcs = unpack_remb_fci(packet.fci)
            if self._ssrc in ssrcs:
                self._kinecast_remb = bitrate  # type: ignore[attr-defined]
