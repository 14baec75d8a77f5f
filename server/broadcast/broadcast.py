"""Pictures for many viewers: an encoder for each codec that is asked for, its packets for all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeAlias

import av

from server.broadcast.bitrate import choose_bitrate
from server.broadcast.encoder import Codec, Encoder
from server.camera.source import Capture

logger = logging.getLogger(__name__)

# Key frames are ten times the size of others, and all viewers get each: a second apart at least.
KEY_FRAME_EVERY_S = 1.0
BITRATE_EVERY_S = 2.0
# Packets that may wait for a viewer; with more, it goes on from the next key frame.
MAX_WAITING = 8

Packet: TypeAlias = "av.Packet[av.VideoStream]"


class Pictures(Protocol):
    """Where they come from, while somebody wants them."""

    def subscribe(self, listener: Callable[[Capture], None]) -> None: ...

    def unsubscribe(self, listener: Callable[[Capture], None]) -> None: ...


class Viewer:
    """Someone's place in a broadcast: their packets, in order, from a key frame on."""

    def __init__(self, feed: _Feed) -> None:
        self._feed = feed
        self._waiting: deque[Packet] = deque()
        self._came = asyncio.Event()
        self._needs_key_frame = True
        self._over = False
        self.skipped = 0
        self.estimated_bitrate: int | None = None
        """What the viewer's side thinks the way to it can carry, in bits a second."""

    @property
    def bitrate(self) -> int:
        """What is sent, in bits a second."""
        return self._feed.bitrate

    def request_key_frame(self) -> None:
        """The viewer can not decode what comes: it will get a key frame soon."""
        self._feed.request_key_frame()

    async def next(self) -> Packet:
        """The next packet.

        Raises
        ------
        StopAsyncIteration
            The broadcast is over, or the viewer has left.
        """
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        return self._waiting.popleft()

    def leave(self) -> None:
        """Get no more."""
        self.end()
        self._feed.remove(self)

    def put(self, packet: Packet) -> None:
        """Let a packet wait; a viewer that is behind skips to the next key frame."""
        if self._needs_key_frame and not packet.is_keyframe:
            self.skipped += 1
            return
        self._needs_key_frame = False
        if len(self._waiting) >= MAX_WAITING:
            self.skipped += len(self._waiting)
            self._waiting.clear()
            if not packet.is_keyframe:
                self.skipped += 1
                self._needs_key_frame = True
                self._feed.request_key_frame()
                return
        self._waiting.append(packet)
        self._came.set()

    def end(self) -> None:
        """There will be no more."""
        self._over = True
        self._came.set()


class Broadcast:
    """Pictures from one place to all who watch.

    Parameters
    ----------
    pictures
        Asked for while there are viewers.
    """

    codecs = (Codec.H264, Codec.VP8)

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._feeds: dict[Codec, _Feed] = {}
        # One for all codecs: a frame's type and times are set for each encoder in turn.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")

    def watch(self, codec: Codec) -> Viewer:
        """Join.

        Raises
        ------
        CameraUnavailable
            There is nothing to see.
        """
        feed = self._feeds.get(codec)
        if feed is None:
            feed = _Feed(self._pictures, codec, self._thread, self._left)
            self._feeds[codec] = feed
        return feed.add()

    @property
    def viewers(self) -> int:
        """How many watch."""
        return sum(len(feed.viewers) for feed in self._feeds.values())

    def _left(self, feed: _Feed) -> None:
        if self._feeds.get(feed.codec) is feed:
            del self._feeds[feed.codec]

    def close(self) -> None:
        """For all who watch, it is over."""
        for feed in list(self._feeds.values()):
            for viewer in list(feed.viewers):
                viewer.leave()
        self._thread.shutdown(wait=False, cancel_futures=True)


class _Feed:
    """One codec's packets. While a picture is encoded, only the newest one waits."""

    def __init__(
        self,
        pictures: Pictures,
        codec: Codec,
        thread: ThreadPoolExecutor,
        left: Callable[[_Feed], None],
    ) -> None:
        self.codec = codec
        self.viewers: list[Viewer] = []
        self._pictures = pictures
        self._thread = thread
        self._left = left
        self._encoder = Encoder(codec, choose_bitrate([]))
        self._waiting: Capture | None = None
        self._encoding: asyncio.Task[None] | None = None
        self._key_frame_wanted = True
        self._key_frame_s = float("-inf")
        self._bitrate_s = time.monotonic()
        pictures.subscribe(self._take)

    @property
    def bitrate(self) -> int:
        return self._encoder.bitrate

    def add(self) -> Viewer:
        viewer = Viewer(self)
        self.viewers.append(viewer)
        self.request_key_frame()
        return viewer

    def remove(self, viewer: Viewer) -> None:
        if viewer not in self.viewers:
            return
        self.viewers.remove(viewer)
        if not self.viewers:
            self._pictures.unsubscribe(self._take)
            if self._encoding is not None:
                self._encoding.cancel()
            self._left(self)

    def request_key_frame(self) -> None:
        self._key_frame_wanted = True

    def _take(self, capture: Capture) -> None:
        self._waiting = capture
        if self._encoding is None:
            self._encoding = asyncio.create_task(self._encode_all(), name=f"encode {self.codec}")

    async def _encode_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting is not None:
                capture, self._waiting = self._waiting, None
                self._adapt_bitrate()
                key_frame = self._takes_key_frame()
                packets = await loop.run_in_executor(self._thread, self._encode, capture, key_frame)
                for packet in packets:
                    if packet.is_keyframe:
                        self._key_frame_s = time.monotonic()
                    for viewer in list(self.viewers):
                        viewer.put(packet)
        except Exception:
            logger.exception("A picture could not be encoded")
        finally:
            self._encoding = None

    def _encode(self, capture: Capture, key_frame: bool) -> list[Packet]:
        return self._encoder.encode(capture.frame, capture.captured_s, key_frame=key_frame)

    def _takes_key_frame(self) -> bool:
        due = time.monotonic() - self._key_frame_s >= KEY_FRAME_EVERY_S
        if not (self._key_frame_wanted and due):
            return False
        self._key_frame_wanted = False
        return True

    def _adapt_bitrate(self) -> None:
        now_s = time.monotonic()
        if now_s - self._bitrate_s < BITRATE_EVERY_S:
            return
        self._bitrate_s = now_s
        estimates = [viewer.estimated_bitrate for viewer in self.viewers]
        self._encoder.bitrate = choose_bitrate([e for e in estimates if e is not None])
