"""What a session was like: the rates that were told of the person in front."""

from __future__ import annotations

from typing import Any

from analyzers.vitals.pulse import Told

# Results come with frames; what is further apart than this was not measured in between.
_LONGEST_STEP_S = 1.0


class Summary:
    """Adds up what was told, in constant memory."""

    def __init__(self) -> None:
        self._rate = _Mean()
        self._breath = _Mean()
        self._last_s: float | None = None

    def add(self, told: Told, time_s: float) -> None:
        """Take what was told at a time; it held since the time before."""
        step_s = 0.0 if self._last_s is None else min(time_s - self._last_s, _LONGEST_STEP_S)
        self._last_s = time_s
        self._rate.add(told.heart_rate_bpm, step_s)
        self._breath.add(told.respiration_per_min, step_s)

    def told(self) -> dict[str, Any]:
        """Return it; null where nothing was measured."""
        return {
            "heart_rate_bpm": self._rate.mean,
            "lowest_bpm": self._rate.lowest,
            "highest_bpm": self._rate.highest,
            "respiration_per_min": self._breath.mean,
            "measured_s": round(self._rate.seconds, 1),
        }


class _Mean:
    def __init__(self) -> None:
        self.seconds = 0.0
        self._sum = 0.0
        self.lowest: float | None = None
        self.highest: float | None = None

    def add(self, value: float | None, seconds: float) -> None:
        if value is None:
            return
        self.seconds += seconds
        self._sum += value * seconds
        self.lowest = value if self.lowest is None else min(self.lowest, value)
        self.highest = value if self.highest is None else max(self.highest, value)

    @property
    def mean(self) -> float | None:
        return round(self._sum / self.seconds, 1) if self.seconds else None
