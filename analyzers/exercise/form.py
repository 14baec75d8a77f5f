"""Faults that show at every moment, without flicker."""

from __future__ import annotations

from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.signals import INDEX

# A fault has to last before it is shown, and to be gone for longer before it is taken back.
_SHOW_AFTER_S = 0.25
_HIDE_AFTER_S = 0.5


class LiveFaults:
    """The faults of one exercise that are there now."""

    def __init__(self, exercise: Definition) -> None:
        self._faults = tuple(fault for fault in exercise.faults if fault.statistic == "live")
        # When a fault began to be other than it is shown.
        self._changed_s: dict[str, float] = {}
        self._shown: dict[str, Fault] = {}
        self._seen: dict[str, Fault] = {}

    @property
    def shown(self) -> tuple[Fault, ...]:
        """What to show now."""
        return tuple(self._shown.values())

    @property
    def seen(self) -> tuple[Fault, ...]:
        """What was shown at any time."""
        return tuple(self._seen.values())

    def feed(self, time_s: float, row: list[float] | None) -> None:
        """Take a frame's signals; None while resting, when there is no form to keep."""
        for fault in self._faults:
            there = row is not None and fault.shows(row[INDEX[fault.signal]], row[INDEX["side_on"]])
            if there == (fault.code in self._shown):
                self._changed_s.pop(fault.code, None)
                continue
            since_s = self._changed_s.setdefault(fault.code, time_s)
            if there and time_s - since_s >= _SHOW_AFTER_S:
                self._shown[fault.code] = self._seen[fault.code] = fault
            elif not there and time_s - since_s >= _HIDE_AFTER_S:
                del self._shown[fault.code]
