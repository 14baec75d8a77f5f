"""Packets that wait to be written: bounded, so that a slow disk costs frames, not memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from server.media.encoder import Packet

# Ten seconds of a camera at most.
MAX_WAITING = 300
MAX_WAITING_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet, and when it came, by ``time.monotonic()``."""

    packet: Packet
    at_s: float


class Packets:
    """Hands packets from the event loop to the thread that writes them."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._needs_key_frame = True
        self._began = False
        self._over = False
        self.skipped = 0
        """Left out because the writer was behind; those before the first key frame do not count."""

    def put(self, arrival: Arrival) -> bool:
        """Let a packet wait.

        Returns
        -------
        False when it is left out, and all after it will be until there is room and a key frame.
        """
        with self._changed:
            full = len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES
            self._needs_key_frame |= full
            if full or (self._needs_key_frame and not arrival.packet.is_keyframe):
                self.skipped += self._began
                return False
            self._began, self._needs_key_frame = True, False
            self._waiting.append(arrival)
            self._bytes += arrival.packet.size
            self._changed.notify()
            return True

    def put_back(self, arrival: Arrival) -> None:
        """Let it be the next one again."""
        with self._changed:
            self._waiting.appendleft(arrival)
            self._bytes += arrival.packet.size

    def take(self) -> Arrival | None:
        """Wait for the next one; None when there will be no more."""
        with self._changed:
            while not self._waiting:
                if self._over:
                    return None
                self._changed.wait()
            arrival = self._waiting.popleft()
            self._bytes -= arrival.packet.size
            return arrival

    def end(self) -> None:
        """There will be no more than what waits."""
        with self._changed:
            self._over = True
            self._changed.notify()
