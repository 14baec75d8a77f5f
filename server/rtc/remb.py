"""What a sender of video is told of the bit rate that it may send (draft-alvestrand-rmcat-remb)."""

from __future__ import annotations

from collections import deque
from typing import Any

from aiortc import RTCRtpReceiver
from aiortc import clock as aiortc_clock
from aiortc.rate import RemoteBitrateEstimator

# A sender is told that often at most, unless it is to send less than this share of what it was told
# last; both as in libwebrtc (RembThrottler). aiortc tells it with every packet while they come ever
# later: 300 times a second from a machine that is busy with eight streams.
TELL_EVERY_MS = 200
WINDOW_MS = 1000
LESS = 0.97


def bounded_estimator(receiver: RTCRtpReceiver) -> BoundedEstimator:
    """What a receiver of video estimates, from now on with bounds.

    Drop when a receiver can be told how much is wanted, and tells it no more often than needed.
    """
    estimator = receiver._RTCRtpReceiver__remote_bitrate_estimator  # type: ignore[attr-defined]
    if not isinstance(estimator, BoundedEstimator):
        estimator.incoming_bitrate = RateWindow()
        estimator = BoundedEstimator(estimator)
        receiver._RTCRtpReceiver__remote_bitrate_estimator = estimator  # type: ignore[attr-defined]
    return estimator


class RateWindow:
    """What came in the last second; stands in for aiortc's RateCounter, and counts the same.

    That one has a counter for each millisecond, and empties those that have passed one by one, for
    each packet twice: half of what estimating takes. Drop when it no longer does.
    """

    def __init__(self) -> None:
        self._came: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self._origin_ms: int | None = None

    def add(self, value: int, now_ms: int) -> None:
        """So many bytes came."""
        if self._origin_ms is None:
            self._origin_ms = now_ms
        self._came.append((now_ms, value))
        self._bytes += value

    def rate(self, now_ms: int) -> int | None:
        """In bits a second; None if nothing came, or all of it just now."""
        if self._origin_ms is None:
            return None
        self._origin_ms = max(self._origin_ms, now_ms - WINDOW_MS + 1)
        while self._came and self._came[0][0] < self._origin_ms:
            self._bytes -= self._came.popleft()[1]
        span_ms = now_ms - self._origin_ms + 1
        return round(8000 * self._bytes / span_ms) if self._came and span_ms > 1 else None

    def reset(self) -> None:
        """Forget what came."""
        self._came.clear()
        self._bytes, self._origin_ms = 0, None


class BoundedEstimator:
    """What the line carries, by aiortc's estimate, but no more than is wanted; told now and then.

    Parameters
    ----------
    estimator
        aiortc's.
    """

    def __init__(self, estimator: RemoteBitrateEstimator) -> None:
        self._estimator = estimator
        self._full: int | None = None
        self._most: int | None = None
        self._told_ms = 0
        self._told: int | None = None

    def bound(self, share: float | None) -> None:
        """Want so much of what came when it was unbound; None wants all."""
        if self._full is None or share is None:
            self._full = self._estimator.incoming_bitrate.rate(aiortc_clock.current_ms())
        self._most = None if share is None or self._full is None else round(self._full * share)
        if share is None:
            self._full = None

    def add(self, *, arrival_time_ms: int, **packet: Any) -> tuple[int, list[int]] | None:
        """Take in a packet; says what to tell the sender, and of which sources, if it is time."""
        estimate = self._estimator.add(arrival_time_ms=arrival_time_ms, **packet)
        if estimate is None:
            return None
        bitrate, sources = estimate
        if self._most is not None:
            bitrate = min(bitrate, self._most)
        if not self._is_time(bitrate, arrival_time_ms):
            return None
        self._told, self._told_ms = bitrate, arrival_time_ms
        return bitrate, sources

    def _is_time(self, bitrate: int, now_ms: int) -> bool:
        if self._told is None or bitrate < LESS * self._told:
            return True
        return now_ms - self._told_ms >= TELL_EVERY_MS
