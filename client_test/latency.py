"""How long after a frame was handed to the encoder its result arrived."""

import math
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from client_test.channels import Clock

Floats = NDArray[np.float64]

# A result's pts is that of a frame we sent, rounded to a millisecond on the way.
MATCH_TOLERANCE_MS = 5.0


class LatencyMeter:
    """Pairs results with the frames that we sent.

    A result says how long after the first frame that the server saw its own frame came
    (``frame.pts``, ms). Taking that first frame for the first one we sent, the frame is known and
    so is the time at which we sent it. If frames at the very start were lost, every latency comes
    out too long by a whole number of frames. This is corrected where the clocks tell: when even
    the quickest frame seems to have taken longer to the server (``frame.received_at``) than the
    round trip and two frames more, the excess is taken for frames lost. What remains uncertain
    makes latencies longer, never shorter.

    Attributes
    ----------
    clock
        How the server's clock stands to ours; None as long as nobody knows.
    """

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self._sent_pts_ms: list[float] = []
        self._sent_at_ms: list[float] = []
        self._result_pts_ms: list[float] = []
        self._arrived_at_ms: list[float] = []
        self._received_at_ms: list[float] = []

    def frame_sent(self, pts_ms: float, now_ms: float) -> None:
        """A frame goes to the encoder; both times in ms, `now_ms` since the epoch."""
        self._sent_pts_ms.append(pts_ms)
        self._sent_at_ms.append(now_ms)

    def result_arrived(self, result: dict[str, Any], now_ms: float) -> None:
        """A result came; one that names no frame (older servers, final results) is passed over."""
        frame = result.get("frame")
        if not isinstance(frame, dict) or "pts" not in frame or result.get("final"):
            return
        self._result_pts_ms.append(float(frame["pts"]))
        self._arrived_at_ms.append(now_ms)
        self._received_at_ms.append(float(frame.get("received_at", math.nan)))

    def latencies_ms(self, last: int | None = None) -> Floats:
        """Latencies, in order of arrival, of the `last` results, or of all; shape (n,)."""
        sent = self._matched_sent_at_ms(self._lost_ms(), last)
        latencies: Floats = np.asarray(_tail(self._arrived_at_ms, last)) - sent
        return _known(latencies)

    def server_ms(self) -> Floats:
        """From a frame's arrival at the server to its result's arrival here; shape (n,).

        Empty unless `clock` is known; right to within half a round trip.
        """
        if self.clock is None:
            return np.empty(0)
        spent: Floats = np.asarray(self._arrived_at_ms) - np.asarray(self._received_at_ms)
        return _known(spent) + self.clock.offset_ms

    def frame_of(self, result: dict[str, Any]) -> int | None:
        """Which frame that we sent, counting from 0, a result speaks of."""
        pts_ms = np.asarray([result["frame"]["pts"]]) + self._lost_ms()
        index = int(self._nearest(pts_ms)[0])
        return None if index < 0 else index

    def _lost_ms(self) -> float:
        """How much of the stream's beginning the server never saw."""
        if self.clock is None or len(self._sent_pts_ms) < 2 or not self._result_pts_ms:
            return 0.0
        transit = _known(np.asarray(self._received_at_ms) - self._matched_sent_at_ms(0.0))
        if not len(transit):
            return 0.0
        interval_ms = float(np.median(np.diff(self._sent_pts_ms)))
        excess_ms = float(transit.min()) - self.clock.offset_ms - self.clock.rtt_ms
        return max(0, math.floor(excess_ms / interval_ms) - 1) * interval_ms

    def _matched_sent_at_ms(self, lost_ms: float, last: int | None = None) -> Floats:
        """When each result's frame was sent; NaN where there is no such frame."""
        if not self._sent_pts_ms or not self._result_pts_ms:
            return np.full(len(_tail(self._result_pts_ms, last)), math.nan)
        index = self._nearest(np.asarray(_tail(self._result_pts_ms, last)) + lost_ms)
        return np.where(index < 0, math.nan, np.asarray(self._sent_at_ms)[index])

    def _nearest(self, pts_ms: Floats) -> NDArray[np.intp]:
        """Index of the sent frame with each pts, -1 where there is none."""
        sent = np.asarray(self._sent_pts_ms)
        if not len(sent):
            return np.full(len(pts_ms), -1)
        right = np.clip(np.searchsorted(sent, pts_ms), 0, len(sent) - 1)
        left = np.maximum(right - 1, 0)
        index = np.where(np.abs(sent[left] - pts_ms) < np.abs(sent[right] - pts_ms), left, right)
        return np.where(np.abs(sent[index] - pts_ms) <= MATCH_TOLERANCE_MS, index, -1)


class RateMeter:
    """Events per second over the last seconds."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times_s: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """One event."""
        self._times_s.append(now_s)

    def rate_hz(self, now_s: float) -> float:
        """How many a second there were lately."""
        while self._times_s and self._times_s[0] < now_s - self._window_s:
            self._times_s.popleft()
        if len(self._times_s) < 2:
            return 0.0
        return (len(self._times_s) - 1) / max(now_s - self._times_s[0], 1e-9)


def percentiles(values_ms: Floats) -> dict[str, float] | None:
    """p50, p95 and p99 in ms, rounded to 0.1; None of nothing."""
    if not len(values_ms):
        return None
    at = np.percentile(values_ms, (50, 95, 99))
    return {name: round(float(v), 1) for name, v in zip(("p50", "p95", "p99"), at, strict=True)}


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _tail(values: list[float], last: int | None) -> list[float]:
    return values if last is None else values[-last:]
