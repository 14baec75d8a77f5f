"""Tells frames that come late from those that come in time, by their sender's clock and ours."""

from __future__ import annotations

# Packets that are asked for again, by a satellite even, and networks that stutter delay a frame by
# less. What comes later lay in a socket while this process stood still, or in a network that was
# down.
LATE_MS = 1000.0
# A path that has become longer for good: who is late for so long is in time.
GIVE_IN_AFTER_S = 0.5
# How much a sender's clock may be slower than ours; 1 ms a second is ten times what they are.
DRIFT_MS_PER_S = 1.0


class Lateness:
    """Follows one track's frames. Knows no clock."""

    def __init__(self) -> None:
        self._least_ms: float | None = None
        self._looked_s = 0.0
        self._late_since_s: float | None = None

    def is_late(self, behind_ms: float, now_s: float) -> bool:
        """Whether a frame comes later than those before it usually did.

        Parameters
        ----------
        behind_ms
            How far the frame's own time is behind ours; only how it changes matters.
        now_s
            When it came, by ``time.monotonic()``.
        """
        if self._least_ms is None:
            self._least_ms = behind_ms
        else:
            drift_ms = DRIFT_MS_PER_S * (now_s - self._looked_s)
            self._least_ms = min(self._least_ms + drift_ms, behind_ms)
        self._looked_s = now_s
        if behind_ms - self._least_ms <= LATE_MS:
            self._late_since_s = None
            return False
        if self._late_since_s is None:
            self._late_since_s = now_s
        if now_s - self._late_since_s < GIVE_IN_AFTER_S:
            return True
        self._least_ms, self._late_since_s = behind_ms, None
        return False
