"""Turns a publisher's frames into packets for viewers, without decoding or encoding them."""

from __future__ import annotations

from typing import cast

import av

from server.media.encoded_frame import EncodedFrame
from server.media.encoder import TIME_BASE, VIDEO_CLOCK_HZ, Packet

# Beyond this a publisher's clock has jumped.
_FAR_TICKS = 2 * VIDEO_CLOCK_HZ
# It also runs a little faster or slower than ours: each frame makes up for this part of what it is
# off by. 100 ppm leave it 14 ms off, 50 ms of jitter move a frame by 0.01 ms.
_CATCH_UP = 1 / 4096


class Relay:
    """Places frames on this machine's clock: times rise, whatever a publisher's do."""

    def __init__(self) -> None:
        self._offset: float | None = None
        self._last_ticks = -1

    def packet(self, frame: EncodedFrame, now_s: float) -> Packet:
        """The packet of a frame that came now.

        The first frame's time is that of its arrival. From then on the frames' own times count, so
        that the network's jitter is not in them, but they follow ours slowly.

        Parameters
        ----------
        frame
            Complete, its timestamp in RTP's clock.
        now_s
            By ``time.monotonic()``, which pictures that are encoded here are stamped with, too.
        """
        offset = now_s * VIDEO_CLOCK_HZ - frame.timestamp
        if self._offset is None or abs(offset - self._offset) > _FAR_TICKS:
            self._offset = offset
        else:
            self._offset += _CATCH_UP * (offset - self._offset)
        packet = cast(Packet, av.Packet(frame.data))
        packet.pts = round(frame.timestamp + self._offset)
        packet.time_base = TIME_BASE
        packet.is_keyframe = frame.is_key_frame
        return self.in_order(packet)

    def begin_anew(self) -> None:
        """What comes next comes from another clock."""
        self._offset = None

    def in_order(self, packet: Packet) -> Packet:
        """Move a packet's time on where it would not rise."""
        assert packet.pts is not None
        packet.pts = packet.dts = self._last_ticks = max(packet.pts, self._last_ticks + 1)
        return packet
