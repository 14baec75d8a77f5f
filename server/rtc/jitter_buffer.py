"""Puts a video's RTP packets together into frames, and says what to ask for when some are lost.

Knows no socket and no clock: it is given packets and the time, and asked what is to be done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from server.media.bitstream import ParameterSets, begins_frame, is_key_frame, temporal_layer
from server.media.encoded_frame import EncodedFrame
from server.media.encoder import VIDEO_CLOCK_HZ

# Packets that are held back at most while one before them is missing: what aiortc holds, 1 s of
# 5 Mb/s.
CAPACITY = 512
# A packet is asked for again when it does not come: most round trips are shorter.
ASK_EVERY_S = 0.1
# Over a longer one all of them are answered, each with the packet: no more than that.
ASKS = 5
# One that has not come by then is unlikely to: 2 of 3 asks have failed, so a key frame is asked
# for as well.
KEY_FRAME_AFTER_S = 0.25
KEY_FRAME_EVERY_S = 0.5
# From then on the packet is no longer waited for. It comes sooner than a key frame that was asked
# for, which loses packets, too: over a round trip that takes longer, nearly none is ever whole.
GIVE_UP_AFTER_S = 1.0
# A sender that does not give the key frame is shown as it is, damaged: better than nothing, but
# not for one that is merely slow to give it, on a machine that has much else to do.
DAMAGED_AFTER_S = 3.0
# Fewer are asked for again, however long the sender had nothing to send before them.
FEW_PACKETS = 16

_SEQUENCE = 1 << 16
_TIMESTAMPS = 1 << 32


class Packet(Protocol):
    """An RTP packet; `_data` is without what the codec's payload format adds (`aiortc.rtp`)."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    marker: int
    payload: bytes
    _data: bytes


@dataclass(slots=True)
class _Missing:
    since_s: float
    asked_s: float = float("-inf")
    asks: int = 0


class VideoJitterBuffer:
    """One video's packets on their way into the decoder.

    After a loss that was not made good, frames are left out until the next key frame: a decoder
    would show grey or smeared pictures, and what they show would be analyzed as if it were there.

    Parameters
    ----------
    codec_of
        A payload type's codec.
    """

    def __init__(self, codec_of: Callable[[int], str]) -> None:
        self._codec_of = codec_of
        self._ssrc: int | None = None
        self._parameter_sets = ParameterSets()
        self._key_frame_asked_s = float("-inf")
        self.lost_frames = 0
        """How often frames were left out, since packets of them or before them were lost."""
        self._begin()

    def _begin(self) -> None:
        self._packets: dict[int, Packet] = {}
        self._missing: dict[int, _Missing] = {}
        # Where key frames begin of which all is there.
        self._whole_keys: set[int] = set()
        self._next: int | None = None
        self._newest = 0
        self._newest_timestamp: int | None = None
        self._stray: Packet | None = None
        self._has_passed = False
        # Whether the next packet is known to be the first of its frame.
        self._is_at_frame = False
        self._is_whole = False
        self._broken_s: float | None = None

    # ---- packets in

    def add(self, packet: Packet, now_s: float) -> None:
        """Take a packet, in whatever order they come; one that was there before changes nothing."""
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._parameter_sets = ParameterSets()
            self._begin()
        number = self._unwrap(packet.sequence_number)
        if self._next is None:
            self._next = self._newest = number
        elif number - self._next >= CAPACITY:
            # Nobody sends so much at once: the sender has begun anew, or the line was dead.
            self._begin_at(number, now_s)
        elif self._next - number >= CAPACITY:
            # Long gone, as browsers send when they probe the bandwidth. Only with the one after it
            # has the sender begun anew (RFC 3550, appendix A.1).
            before, self._stray = self._stray, packet
            if before is None or (packet.sequence_number - before.sequence_number) % _SEQUENCE != 1:
                return
            self._begin_at(number - 1, now_s)
            self._packets[number - 1] = before
        elif number < self._next and not self._has_passed and self._newest - number < CAPACITY:
            # What came first was not the first.
            self._note_missing(number + 1, self._next, now_s)
            self._next = number
        elif number < self._next:
            return
        count = number - self._newest - 1
        self._note_missing(self._newest + 1, number, self._lost_since_s(packet, count, now_s))
        if number >= self._newest:
            self._newest, self._newest_timestamp = number, packet.timestamp
        self._missing.pop(number, None)
        is_new = number not in self._packets
        self._packets[number] = packet
        if is_new and self._missing and self._may_complete(number):
            self._note_whole_key(number)

    def _begin_at(self, number: int, now_s: float) -> None:
        self._begin()
        self._next = self._newest = number
        self._break(now_s)

    def _unwrap(self, sequence_number: int) -> int:
        if self._next is None:
            return sequence_number
        ahead = (sequence_number - self._newest) % _SEQUENCE
        return self._newest + (ahead if ahead < _SEQUENCE // 2 else ahead - _SEQUENCE)

    def _lost_since_s(self, packet: Packet, count: int, now_s: float) -> float:
        """When the packets that are missing before one were lost.

        Noticed now, but earlier where it is of more video than a key frame is waited for, as after
        this process stood still: then only a key frame leads to what is shown now. What is of more
        than any packet is waited for is not asked for again: it would be all of the video since.
        """
        if self._newest_timestamp is None:
            return now_s
        ahead = (packet.timestamp - self._newest_timestamp) % _TIMESTAMPS
        if not KEY_FRAME_AFTER_S * VIDEO_CLOCK_HZ < ahead < _TIMESTAMPS // 2:
            return now_s
        is_hopeless = ahead > GIVE_UP_AFTER_S * VIDEO_CLOCK_HZ and count > FEW_PACKETS
        return float("-inf") if is_hopeless else now_s - KEY_FRAME_AFTER_S

    def _note_missing(self, first: int, end: int, since_s: float) -> None:
        for number in range(first, end):
            if number not in self._packets:
                self._missing.setdefault(number, _Missing(since_s))

    # ---- frames out

    def take(self, now_s: float) -> list[EncodedFrame]:
        """The frames that are complete by now, in order."""
        frames: list[EncodedFrame] = []
        while self._next is not None:
            taken = self._frame_at(self._next)
            if taken is None:
                if not self._skip(now_s):
                    break
                continue
            frame, end = taken
            self._go_to(end)
            if frame is not None and not self._is_at_frame:
                frame = _certain(frame)
            self._is_at_frame = True
            if frame is not None and (kept := self._judge(frame, now_s)) is not None:
                frames.append(kept)
        return frames

    def _frame_at(self, first: int) -> tuple[EncodedFrame | None, int] | None:
        """The frame that begins with a packet, and the number after it; None if not all is there.

        A frame ends at its marker bit (RFC 3550, section 5.1; for VP8 RFC 7741, section 4.1) or
        where the next frame's first packet follows. Padding that probes the bandwidth follows a
        frame's last packet, and is no frame: an empty one would tell the decoder of the end.
        """
        packets: list[Packet] = []
        number = first
        while (packet := self._packets.get(number)) is not None:
            if packets and packet.timestamp != packets[0].timestamp:
                break
            number += 1
            if not packets and not packet._data:
                return None, number
            packets.append(packet)
            if packet.marker:
                break
        else:
            return None
        data = b"".join(packet._data for packet in packets)
        codec = self._codec_of(packets[-1].payload_type)
        is_key = is_key_frame(codec, data)
        frame = EncodedFrame(codec, packets[-1].payload_type, data, packets[0].timestamp, is_key)
        if codec.upper() == "VP8" and not is_key:
            layer, is_sync = temporal_layer(packets[0].payload)
            frame = replace(frame, layer=layer, is_layer_sync=is_sync) if layer else frame
        return frame, number

    def _judge(self, frame: EncodedFrame, now_s: float) -> EncodedFrame | None:
        """Whether a frame may be shown, and as what."""
        if frame.codec.upper() == "H264":
            data = self._parameter_sets.complete(frame.data, frame.is_key_frame)
            frame = replace(frame, data=data)
        if frame.is_key_frame:
            self._is_whole, self._broken_s = True, None
        if self._is_whole:
            return frame
        if self._broken_s is None:
            self._break(now_s)
        assert self._broken_s is not None
        if now_s - self._broken_s < DAMAGED_AFTER_S:
            self.lost_frames += 1
            return None
        return replace(frame, is_damaged=True)

    def _skip(self, now_s: float) -> bool:
        """Go past a hole, if there is a key frame behind it or it is old enough; says if it did."""
        if not self._missing:
            return False
        hole = min(self._missing)
        whole = min((number for number in self._whole_keys if number > hole), default=None)
        if whole is not None:
            self.lost_frames += 1
            self._is_at_frame = True
            self._go_to(whole)
            return True
        since_s = min(missing.since_s for missing in self._missing.values())
        if now_s - since_s < GIVE_UP_AFTER_S:
            return False
        behind = range(hole + 1, self._newest + 1)
        first = next((number for number in behind if self._begins_frame(number)), None)
        self.lost_frames += 1
        self._break(now_s)
        self._is_at_frame = first is not None
        self._go_to(self._newest + 1 if first is None else first)
        return True

    def _may_complete(self, number: int) -> bool:
        """Whether a packet can complete a frame: not if the end of one has still to come."""
        packet, before = self._packets[number], self._packets.get(number - 1)
        if packet.marker or number + 1 in self._packets:
            return True
        return before is not None and before.timestamp != packet.timestamp

    def _note_whole_key(self, number: int) -> None:
        """See whether a packet that has come completes a key frame.

        With each packet only that: looking through all that waits would cost whoever sends us many
        small ones nothing, and everybody else the event loop.
        """
        # The frame that it ends where no marker says so, its own, and what follows it, which may be
        # known to begin a frame by now.
        for begins in {self._first_of(number - 1), self._first_of(number), number + 1}:
            if begins in self._packets and self._begins_frame(begins):
                taken = self._frame_at(begins)
                if taken is not None and taken[0] is not None and taken[0].is_key_frame:
                    self._whole_keys.add(begins)

    def _first_of(self, number: int) -> int:
        """The first packet of a packet's frame, of those that are there one behind the other."""
        packet = self._packets.get(number)
        while packet is not None and (before := self._packets.get(number - 1)) is not None:
            if before.marker or before.timestamp != packet.timestamp:
                break
            number -= 1
        return number

    def _begins_frame(self, number: int) -> bool:
        packet, before = self._packets.get(number), self._packets.get(number - 1)
        if packet is None or not packet._data:
            return False
        if before is not None:
            return bool(before.marker) or before.timestamp != packet.timestamp
        return begins_frame(self._codec_of(packet.payload_type), packet._data)

    def _go_to(self, number: int) -> None:
        """Everything before this packet has been dealt with."""
        assert self._next is not None
        self._has_passed = True
        for passed in range(self._next, number):
            self._packets.pop(passed, None)
            self._missing.pop(passed, None)
            self._whole_keys.discard(passed)
        self._next = number
        self._newest = max(self._newest, number - 1)

    def _break(self, now_s: float) -> None:
        self._is_whole = False
        if self._broken_s is None:
            self._broken_s = now_s

    # ---- what to ask the sender for

    def wanted_packets(self, now_s: float) -> list[int]:
        """The sequence numbers of packets to ask for now (RFC 4585, section 6.2.1)."""
        wanted = []
        for number, missing in self._missing.items():
            if missing.asks < ASKS and now_s - missing.asked_s >= ASK_EVERY_S:
                missing.asked_s = now_s
                missing.asks += 1
                wanted.append(number % _SEQUENCE)
        return sorted(wanted)

    def wants_key_frame(self, now_s: float) -> bool:
        """Whether to ask for a key frame now (RFC 4585, section 6.3.1)."""
        since_s = min((missing.since_s for missing in self._missing.values()), default=now_s)
        is_lost = now_s - since_s >= KEY_FRAME_AFTER_S
        if not is_lost and self._broken_s is None:
            return False
        return self.may_ask_for_key_frame(now_s)

    def may_ask_for_key_frame(self, now_s: float) -> bool:
        """Whether the last time is long enough ago; if so, now is the last time."""
        if now_s - self._key_frame_asked_s < KEY_FRAME_EVERY_S:
            return False
        self._key_frame_asked_s = now_s
        return True


def _certain(frame: EncodedFrame) -> EncodedFrame:
    """A frame that may lack its first packets: no key frame, unless it begins like one."""
    if not frame.is_key_frame or begins_frame(frame.codec, frame.data):
        return frame
    return replace(frame, is_key_frame=False)
