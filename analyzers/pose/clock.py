"""Times that rise, whatever a source says."""

from __future__ import annotations


class RisingClock:
    """Makes times rise strictly, in whole milliseconds, keeping the steps between frames.

    MediaPipe demands it, and smoothing reads speeds from the steps: a source
    that starts over at 0 is shifted for good, not held at one millisecond a
    frame.
    """

    __slots__ = ("_last_ms", "_shift_ms")

    def __init__(self) -> None:
        self._last_ms = -1
        self._shift_ms = 0

    def tick(self, timestamp_ms: float) -> int:
        """Return the next time, in milliseconds."""
        now_ms = int(timestamp_ms) + self._shift_ms
        if now_ms <= self._last_ms:
            late_ms = self._last_ms + 1 - now_ms
            self._shift_ms += late_ms
            now_ms += late_ms
        self._last_ms = now_ms
        return now_ms
