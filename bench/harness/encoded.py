"""A numbered clip that is encoded beforehand, so that sending it takes next to nothing.

It comes in groups, each of which begins with a key frame and needs nothing from another. Whoever is
asked for a key frame goes on with the next group: what is decoded is as clean as a camera's, and
nothing has to be encoded while others are measured.
"""

import asyncio
import struct
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av import VideoFrame

from bench.harness.stamped import CLOCK_HZ, RATE_HZ, WIDTH, Ring
from server import rtc
from server.media.encoder import Codec, Encoder

# As browsers send 640x480; the bar code needs half of it.
BITRATE = 1_000_000
# Seldom, as in a call: a group is sent again after 20 s, and each stream begins with another.
GROUP_FRAMES = 150
_LENGTH = struct.Struct("!I")


def encode(ring: Ring) -> list[bytes]:
    """A packet for each frame, VP8."""
    encoder, packets = Encoder(Codec.VP8, BITRATE), []
    for number, picture in enumerate(ring):
        frame = VideoFrame.from_numpy_buffer(picture.copy(), "yuv420p", width=WIDTH)
        is_first = number % GROUP_FRAMES == 0
        (packet,) = encoder.encode(frame, number / RATE_HZ, key_frame=is_first)
        packets.append(bytes(packet))
    return packets


def save(packets: Sequence[bytes], path: Path) -> None:
    """Write packets for `load`."""
    path.write_bytes(b"".join(_LENGTH.pack(len(packet)) + packet for packet in packets))


def load(path: Path) -> list[bytes]:
    """Read what `save` wrote."""
    data, packets, at = path.read_bytes(), [], 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        packets.append(data[at : at + length])
        at += length
    return packets


class EncodedTrack(rtc.PacketTrack):
    """Sends packets in a loop at the clip's rate, and notes when each was sent.

    Parameters
    ----------
    packets
        As `encode` makes them: a frame's number is its place.
    group
        Which to begin with.
    """

    def __init__(self, packets: Sequence[bytes], group: int = 0) -> None:
        super().__init__()
        self.sent_at_s: dict[int, float] = {}
        self.frames_sent = 0
        self._packets = packets
        self._number = group * GROUP_FRAMES % len(packets)
        self._packetizer = rtc.Packetizer("VP8")
        self._begins_anew = False
        self._sending: asyncio.Task[None] | None = None

    def begin_anew(self) -> None:
        """Go on with a key frame."""
        self._begins_anew = True

    def flow(self) -> None:
        self._sending = asyncio.create_task(self._send_all())

    def stop(self) -> None:
        super().stop()
        if self._sending is not None:
            self._sending.cancel()

    async def _send_all(self) -> None:
        began_s, count = time.monotonic(), 0
        while True:
            await asyncio.sleep(max(0.0, began_s + count / RATE_HZ - time.monotonic()))
            self._send_next(round(count / RATE_HZ * CLOCK_HZ))
            count += 1

    def _send_next(self, ticks: int) -> None:
        if self._begins_anew and self._number % GROUP_FRAMES:
            group = self._number // GROUP_FRAMES + 1
            self._number = group * GROUP_FRAMES % len(self._packets)
        self._begins_anew = False
        packet: Any = av.Packet(self._packets[self._number])
        packet.pts, packet.time_base = ticks, Fraction(1, CLOCK_HZ)
        self._packetizer.mark(packet)
        self.sent_at_s[self._number] = time.monotonic()
        if not self.send(packet):
            # What follows would build on a frame that was not sent.
            self._begins_anew = True
        self.frames_sent += 1
        self._number = (self._number + 1) % len(self._packets)
