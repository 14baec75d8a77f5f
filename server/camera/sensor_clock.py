"""A sensor's times, by this process's clock."""

from __future__ import annotations

import time

_READINGS = 5
# A picture that is said to be older than this has another clock.
_OLDEST_S = 10.0


class SensorClock:
    """Converts CLOCK_BOOTTIME, which libcamera's times are by, to ``time.monotonic()``.

    The first goes on while the machine sleeps; they differ by how long it slept so far.
    """

    def __init__(self) -> None:
        # Whatever else runs between the two readings makes the difference larger, never smaller.
        self._asleep_s = min(_difference_s() for _ in range(_READINGS))

    def monotonic_s(self, sensor_ns: int | None) -> float:
        """When something was, now if it is not told."""
        now_s = time.monotonic()
        if sensor_ns is None:
            return now_s
        taken_s = sensor_ns / 1e9 - self._asleep_s
        return taken_s if 0 <= now_s - taken_s < _OLDEST_S else now_s


def _difference_s() -> float:
    monotonic_s = time.monotonic()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - monotonic_s
