"""One codec's packets for all who watch it: each gets the same ones, as fast as it takes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from server.media.encoder import Codec, Packet
from server.rtc import Packetizer, batch_sends

# Packets that may wait for a viewer; with more, it goes on from the next key frame.
MAX_WAITING = 8


class Viewer:
    """Someone's place at a feed: its packets, in order, from a key frame on."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[Packet] = deque()
        self._told: Callable[[], None] = _nobody
        self._needs_key_frame = True
        self._over = False
        self.skipped = 0
        self.why_over = ""
        """Why nothing more comes, for whoever watched; empty where there is nothing to say."""
        self.estimate: Callable[[], int | None] = lambda: None
        """Tells what the viewer's side thinks the way to it can carry, in bits a second."""

    def request_key_frame(self) -> None:
        """The viewer can not decode what comes: it will get a key frame soon."""
        # RTCP still comes in while its connection is being closed.
        if not self._over:
            self._feed.request_key_frame()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes; something may still wait."""
        return self._over

    def listen(self, told: Callable[[], None]) -> None:
        """Be told, within the call that brings it, of each packet and of the end."""
        self._told = told

    def give(self, send: Callable[[Packet], bool]) -> None:
        """Give what waits to somebody, until they say that they did not take a packet."""
        while self._waiting and send(self._waiting[0]):
            self._waiting.popleft()

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
        self._told()

    def begin_anew(self) -> None:
        """What comes next does not build on what came: wait for a key frame."""
        self._needs_key_frame = True

    def end(self) -> None:
        """There will be no more."""
        if not self._over:
            self._over = True
            self._told()


def _nobody() -> None:
    """Nobody listens yet."""


class Feed(ABC):
    """Packets of one codec, and those who watch them.

    Parameters
    ----------
    codec
        Of the packets.
    emptied
        Called when the last viewer has left: nobody will join any more.
    """

    def __init__(self, codec: Codec, emptied: Callable[[Feed], None]) -> None:
        self.codec = codec
        self.viewers: list[Viewer] = []
        self._emptied = emptied
        self._packetizer = Packetizer(codec)

    def add(self) -> Viewer:
        """Join."""
        viewer = Viewer(self)
        self.viewers.append(viewer)
        self.request_key_frame()
        return viewer

    def remove(self, viewer: Viewer) -> None:
        """Give them nothing any more."""
        if viewer not in self.viewers:
            return
        self.viewers.remove(viewer)
        if not self.viewers:
            self._stop()
            self._emptied(self)

    def end(self, why: str = "") -> None:
        """For all who watch, it is over."""
        for viewer in list(self.viewers):
            viewer.why_over = why
            viewer.leave()

    @abstractmethod
    def request_key_frame(self) -> None:
        """Someone can not decode what comes."""

    @abstractmethod
    def _stop(self) -> None:
        """Make no more packets."""

    def _put(self, packet: Packet) -> None:
        self._packetizer.mark(packet)
        with batch_sends():
            for viewer in list(self.viewers):
                viewer.put(packet)

    def _estimates(self) -> list[int]:
        estimates = [viewer.estimate() for viewer in self.viewers]
        return [estimate for estimate in estimates if estimate is not None]
