"""Takes packets from an encoder that the pictures' source has itself, a Pi's in hardware."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from server.broadcast.encoding import BITRATE_EVERY_S, KEY_FRAME_EVERY_S
from server.media.bitrate import choose_bitrate, worth_changing
from server.media.encoder import Packet


class PacketSource(Protocol):
    """The encoder, while it is wanted."""

    def start(
        self, bitrate: int, take: Callable[[Packet], None], given_up: Callable[[], None]
    ) -> None: ...

    def stop(self) -> None: ...

    def change_bitrate(self, bitrate: int) -> None: ...

    def request_key_frame(self) -> None: ...


class SourceEncoding:
    """The same as `Encoding`, with somebody else's encoder.

    Parameters
    ----------
    source
        The encoder.
    put
        Takes the packets, on the event loop.
    estimates
        What the viewers' lines carry, in bits a second.
    given_up
        Called when it does not work: there are no more packets.
    """

    def __init__(
        self,
        source: PacketSource,
        put: Callable[[Packet], None],
        estimates: Callable[[], list[int]],
        given_up: Callable[[], None],
    ) -> None:
        self._source = source
        self._put = put
        self._estimates = estimates
        self._bitrate = choose_bitrate([])
        self._bitrate_s = time.monotonic()
        self._key_frame_wanted = False
        self._key_frame_s = float("-inf")
        source.start(self._bitrate, self._take, given_up)

    def stop(self) -> None:
        """Take no more."""
        self._source.stop()

    def request_key_frame(self) -> None:
        """Have the next picture be a key frame, if the last one was not just now."""
        self._key_frame_wanted = True
        self._ask_for_key_frame()

    def _take(self, packet: Packet) -> None:
        if packet.is_keyframe:
            self._key_frame_wanted, self._key_frame_s = False, time.monotonic()
        self._put(packet)
        self._ask_for_key_frame()
        self._adapt_bitrate()

    def _ask_for_key_frame(self) -> None:
        # Not before the first packet, which is one.
        since_s = time.monotonic() - self._key_frame_s
        if self._key_frame_wanted and KEY_FRAME_EVERY_S <= since_s < float("inf"):
            self._key_frame_wanted, self._key_frame_s = False, time.monotonic()
            self._source.request_key_frame()

    def _adapt_bitrate(self) -> None:
        now_s = time.monotonic()
        if now_s - self._bitrate_s < BITRATE_EVERY_S:
            return
        self._bitrate_s = now_s
        wanted = choose_bitrate(self._estimates())
        if worth_changing(self._bitrate, wanted):
            self._bitrate = wanted
            self._source.change_bitrate(wanted)
