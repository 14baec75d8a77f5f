"""Encodes pictures as they come. While one is encoded, only the newest one waits."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from server.media.bitrate import choose_bitrate
from server.media.capture import Capture, Pictures
from server.media.encoder import Codec, Encoder, Packet
from server.media.newest import NewestWork

# Key frames are ten times the size of others, and all viewers get each: a second apart at least.
KEY_FRAME_EVERY_S = 1.0
BITRATE_EVERY_S = 2.0


class Encoding:
    """Makes packets of pictures until it is stopped; begins with a key frame.

    Parameters
    ----------
    pictures
        Subscribed to.
    codec
        What the packets are of.
    thread
        Where it encodes.
    put
        Takes the packets, on the event loop.
    estimates
        What the viewers' lines carry, in bits a second.

    Raises
    ------
    CameraUnavailable
        There are no pictures.
    """

    def __init__(
        self,
        pictures: Pictures,
        codec: Codec,
        thread: ThreadPoolExecutor,
        put: Callable[[Packet], None],
        estimates: Callable[[], list[int]],
    ) -> None:
        self._pictures = pictures
        self._thread = thread
        self._put = put
        self._estimates = estimates
        self._encoder = Encoder(codec, choose_bitrate([]))
        self._newest = NewestWork(self._encode, f"encode {codec}")
        self._key_frame_wanted = True
        self._key_frame_s = float("-inf")
        self._bitrate_s = time.monotonic()
        pictures.subscribe(self._newest.put)

    def stop(self) -> None:
        """Make no more."""
        self._pictures.unsubscribe(self._newest.put)
        self._newest.close()

    def request_key_frame(self) -> None:
        """Make the next picture a key frame, if the last one was not just now."""
        self._key_frame_wanted = True

    async def _encode(self, capture: Capture) -> None:
        self._adapt_bitrate()
        encode = functools.partial(
            self._encoder.encode,
            capture.frame,
            capture.captured_s,
            key_frame=self._takes_key_frame(),
        )
        try:
            packets = await asyncio.get_running_loop().run_in_executor(self._thread, encode)
        except Exception:
            # It may have been the one that someone waits for.
            self._key_frame_wanted = True
            raise
        for packet in packets:
            if packet.is_keyframe:
                # Also for who asked while it was made.
                self._key_frame_wanted, self._key_frame_s = False, time.monotonic()
            self._put(packet)

    def _takes_key_frame(self) -> bool:
        due = time.monotonic() - self._key_frame_s >= KEY_FRAME_EVERY_S
        if not (self._key_frame_wanted and due):
            return False
        self._key_frame_wanted = False
        return True

    def _adapt_bitrate(self) -> None:
        now_s = time.monotonic()
        if now_s - self._bitrate_s >= BITRATE_EVERY_S:
            self._bitrate_s = now_s
            self._encoder.bitrate = choose_bitrate(self._estimates())
