"""SCTP, whose peer is not trusted: what one packet may cost, and what may be held for a peer.

aiortc takes a peer's word for lengths, gaps and numbers. Each bound here can go when aiortc has one
of its own; tests/server/rtc/test_sctp.py sends the bytes that each is against.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterable
from struct import unpack_from
from typing import Any

import aiortc.rtcsctptransport as sctp
from aiortc.rtcsctptransport import (
    DataChunk,
    ForwardTsnChunk,
    ReconfigChunk,
    RTCSctpTransport,
    SackChunk,
    padl,
)

from server.rtc import sctp_sending
from server.rtc.passed_over import pass_over

logger = logging.getLogger(__name__)

# A data channel message is cut into pieces of this many bytes. aiortc's 1200 plus its SCTP, DTLS,
# UDP and IP headers exceeds 1280, the smallest MTU of IPv6, and dies silently on such paths (VPNs).
PIECE_BYTES = 1100
# Browsers number data channels from 0 on, and open one or two. aiortc offers 65535 streams, and
# keeps an object for each that is named.
MAX_STREAMS = 256
MAX_CHANNELS = 16
# What waits for the rest of its message, or for a message before it, in all streams: two of the
# largest messages that are taken (64 kB), and as many pieces as some seconds' small messages have.
# aiortc goes through a stream's pieces for each that comes.
MAX_HELD_BYTES = 128 * 1024
MAX_HELD_PIECES = 512
# An honest peer probes a closed window (RFC 9260, section 6.1, A).
SLACK_BYTES = 16 * 1024
# How far ahead of what was acknowledged a piece may be (RFC 9260, section 6.2, leaves what is
# beyond the window to the receiver): each is sorted again with each that comes.
MAX_AHEAD = 1024
# Chunks of one packet that are looked at: a packet of 1200 bytes holds 60 of a data channel's.
MAX_CHUNKS = 128
# An INIT has some ten (RFC 9260, section 3.3.2), a RE-CONFIG two (RFC 6525, section 3.1), and each
# of those is answered by a packet.
MAX_PARAMETERS = 32
# What a peer's pieces may take of the event loop's time; 200 messages a second take some percent.
# aiortc sorts all that is ahead, and goes through all that waits, for each piece: a packet of sixty
# that an ill-meaning peer has thought out takes 10 ms. What comes when the time is spent is dropped
# as on a full line, and an honest peer sends it again.
TIME_SHARE = 0.2
TIME_AT_ONCE_S = 0.08
_TSN = 1 << 32

_original_receive_chunk = RTCSctpTransport._receive_chunk
_original_data_channel_receive = RTCSctpTransport._data_channel_receive
_original_handle_data = RTCSctpTransport._handle_data
_original_init = RTCSctpTransport.__init__
_original_parse_packet = sctp.parse_packet


def install() -> None:
    """Bound what a peer's packets cost; keep messages small, and a bad one from ending all."""
    sctp.decode_params = decode_params
    sctp.parse_packet = _parse_packet
    sctp.USERDATA_MAX_LENGTH = PIECE_BYTES
    RTCSctpTransport.__init__ = _init  # type: ignore[method-assign]
    RTCSctpTransport._handle_data = _handle_data  # type: ignore[method-assign]
    RTCSctpTransport._receive_chunk = _receive_chunk  # type: ignore[method-assign]
    RTCSctpTransport._data_channel_receive = _data_channel_receive  # type: ignore[method-assign]


def decode_params(body: bytes) -> list[tuple[int, bytes]]:
    """Read the parameters of a chunk (RFC 9260, section 3.2.1).

    aiortc's own goes on for ever at a length below 4, which does not get past the parameter.

    Raises
    ------
    ValueError
        A parameter is shorter than its own head or longer than the chunk, or there are too many:
        the packet is dropped.
    """
    params: list[tuple[int, bytes]] = []
    pos = 0
    while pos <= len(body) - 4:
        kind, length = unpack_from("!HH", body, pos)
        if length < 4 or pos + length > len(body):
            raise ValueError(f"an SCTP parameter has an invalid length of {length} bytes")
        if len(params) == MAX_PARAMETERS:
            raise ValueError("an SCTP chunk has too many parameters")
        params.append((kind, body[pos + 4 : pos + length]))
        pos += length + padl(length)
    return params


def _parse_packet(data: bytes) -> tuple[int, int, int, list[Any]]:
    try:
        source, destination, tag, chunks = _original_parse_packet(data)
    except struct.error as error:
        raise ValueError("an SCTP chunk is cut off") from error
    if len(chunks) > MAX_CHUNKS:
        raise ValueError(f"an SCTP packet has {len(chunks)} chunks")
    return source, destination, tag, chunks


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    _original_init(self, *args, **kwargs)
    self._inbound_streams_max = MAX_STREAMS
    # An honest peer sends no more than it is offered (RFC 9260, section 6.2.1).
    self._advertised_rwnd = MAX_HELD_BYTES
    self._kinecast_time = TimeBudget()
    sctp_sending.begin(self)


class TimeBudget:
    """A share of the time, and so much at once."""

    def __init__(self) -> None:
        self._left_s = TIME_AT_ONCE_S
        self._looked_s = time.monotonic()

    def is_spent(self, now_s: float) -> bool:
        """Whether none is left."""
        earned_s = max(now_s - self._looked_s, 0.0) * TIME_SHARE
        self._left_s, self._looked_s = min(self._left_s + earned_s, TIME_AT_ONCE_S), now_s
        return self._left_s <= 0

    def spend(self, seconds: float) -> None:
        """So much was taken; what was done for others meanwhile can only be a part of it."""
        self._left_s -= min(seconds, TIME_AT_ONCE_S)


async def _handle_data(self: Any, data: bytes) -> None:
    """Let a packet that makes no sense cost itself, and not the connection.

    What aiortc raises on one is anything, and ends its receiving task. Who was hung up on is not
    heard any more: aiortc would go on holding what comes.
    """
    if self.state == "closed":
        return
    try:
        await _original_handle_data(self, data)
    except ConnectionError:
        raise
    except Exception as error:
        pass_over(self, "An SCTP packet", repr(error))


async def _receive_chunk(self: Any, chunk: Any) -> None:
    """Pass over what is out of bounds; a peer that makes us hold too much is hung up on."""
    if self.state == "closed":  # By a chunk before this one, in the same packet.
        return
    match chunk:
        case SackChunk():
            chunk.gaps = _within(chunk.gaps, _outstanding(self, chunk.cumulative_tsn))
            await _original_receive_chunk(self, chunk)
        case DataChunk() | ForwardTsnChunk() | ReconfigChunk():
            if self._kinecast_time.is_spent(time.monotonic()):
                pass_over(self, "A piece", "the peer has taken all the time that it may")
                return
            began_s = time.thread_time()
            try:
                await _receive_pieces(self, chunk)
            finally:
                self._kinecast_time.spend(time.thread_time() - began_s)
        case _:
            await _original_receive_chunk(self, chunk)


async def _receive_pieces(self: Any, chunk: Any) -> None:
    match chunk:
        case DataChunk():
            if chunk.stream_id >= MAX_STREAMS or _is_far(self, chunk.tsn):
                return
            await _original_receive_chunk(self, chunk)
            if self._advertised_rwnd < -SLACK_BYTES or _pieces(self) > MAX_HELD_PIECES:
                logger.info("A peer sends pieces of messages that never end: it is hung up on")
                await self._abort()
                self._set_state(self.State.CLOSED)
                self._inbound_streams.clear()
            return
        case ForwardTsnChunk():
            if _is_far(self, chunk.cumulative_tsn):
                return
            chunk.streams = [(s, number) for s, number in chunk.streams if s < MAX_STREAMS]
    await _original_receive_chunk(self, chunk)


def _is_far(association: Any, tsn: int) -> bool:
    """Whether a piece is so far ahead that an honest peer would not have sent it."""
    last = association._last_received_tsn
    return last is None or MAX_AHEAD < (tsn - last) % _TSN < _TSN // 2


def _pieces(association: Any) -> int:
    return sum(len(stream.reassembly) for stream in association._inbound_streams.values())


def _outstanding(association: Any, acknowledged: int) -> int:
    """How many pieces of ours are behind the one that is acknowledged."""
    if not association._sent_queue:
        return 0
    ahead = (association._sent_queue[-1].tsn - acknowledged) % _TSN
    return int(ahead) if ahead < _TSN // 2 else 0


def _within(gaps: Iterable[tuple[int, int]], outstanding: int) -> list[tuple[int, int]]:
    """Gap blocks as RFC 9260, section 3.3.4 has them: rising, apart, of what was sent.

    aiortc goes through each number of each block: 280 of them that say 65535 took a second.
    """
    apart: list[tuple[int, int]] = []
    for start, end in sorted(gaps):
        start, end = max(start, apart[-1][1] + 1 if apart else 1), min(end, outstanding)
        if start <= end:
            apart.append((start, end))
    return apart


async def _data_channel_receive(self: Any, stream_id: int, pp_id: int, data: bytes) -> None:
    """Pass over a message that makes no sense, and channels without end.

    In aiortc it ends the receiving task, and with that the connection. Drop when it does not.
    """
    opens = pp_id == sctp.WEBRTC_DCEP and data[:1] == bytes([sctp.DATA_CHANNEL_OPEN])
    if opens and (stream_id in self._data_channels or len(self._data_channels) >= MAX_CHANNELS):
        pass_over(self, "A data channel", "it is open already, or one too many")
        return
    if pp_id == sctp.WEBRTC_DCEP and not opens and stream_id not in self._data_channels:
        return
    try:
        await _original_data_channel_receive(self, stream_id, pp_id, data)
    except UnicodeDecodeError:
        pass_over(self, "A text message", "it is not UTF-8")
