"""Counts the seconds of an exercise that is held."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from analyzers.exercise.definition import Definition, Fault
from analyzers.exercise.form import LiveFaults
from analyzers.exercise.history import History
from analyzers.exercise.recognition import fit_of
from analyzers.exercise.signals import INDEX

# Whether someone holds still shows in the last second; looked at so often.
_WINDOW_S = 1.0
_EVERY_S = 0.2
_MIN_FIT = 0.5
# A hold goes on over a shorter break than this, and counts when it is this long.
_BREAK_S = 0.8
_MIN_HOLD_S = 3.0
# One that is shorter, so soon before or after a repetition, was getting into position for it, or
# resting between two.
_REST_S, _SOON_S = 10.0, 2.0
# The hips' movement within a second, in lengths of the body: still, and not held any more.
_STILL, _RESTLESS = 0.01, 0.06


@dataclass(slots=True)
class Hold:
    """One hold. Times in seconds."""

    start_s: float
    end_s: float
    looks: int = 0
    faultless: int = 0
    movement: float = 0.0

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s

    @property
    def counts(self) -> bool:
        """Whether it was long enough to be one."""
        return self.seconds >= _MIN_HOLD_S

    @property
    def parts(self) -> dict[str, float]:
        """The parts of its score, 0 to 100."""
        looks = max(self.looks, 1)
        shaking = (self.movement / looks - _STILL) / (_RESTLESS - _STILL)
        return {
            "alignment": round(100.0 * self.faultless / looks, 1),
            "steadiness": round(100.0 * (1.0 - min(1.0, max(0.0, shaking))), 1),
        }


class HoldCounter:
    """Finds the holds of one exercise."""

    def __init__(self, exercise: Definition) -> None:
        self.exercise = exercise
        self.holds: list[Hold] = []
        self.faults = LiveFaults(exercise)
        self._fault_looks: Counter[Fault] = Counter()
        self._now: Hold | None = None
        self._looked_s = float("-inf")

    @property
    def now(self) -> Hold | None:
        """The hold that goes on, once it counts."""
        return self._now if self._now is not None and self._now.counts else None

    @property
    def seconds(self) -> float:
        """How long all holds that are over were."""
        return sum(each.seconds for each in self.holds)

    def most_frequent_fault(self) -> Fault | None:
        """Return the fault that was shown for longest, if there was one."""
        return self._fault_looks.most_common(1)[0][0] if self._fault_looks else None

    def feed(self, time_s: float, row: list[float], history: History, busy: bool) -> None:
        """Take a frame's signals; `busy` says that repetitions are being done."""
        if self._now is not None:
            self.faults.feed(time_s, row)
        if time_s - self._looked_s < _EVERY_S:
            return
        self._looked_s = time_s
        long_enough = time_s - history.times_s[0] >= _WINDOW_S
        # What holds for a mean is asked of the last frame first: that costs nothing.
        possible = not busy and all(
            each.fit(row[INDEX[each.signal]]) > 0.0
            for each in self.exercise.conditions
            if each.statistic == "mean"
        )
        if not (possible and long_enough):
            self._let_go(time_s, busy)
            return
        statistics = history.lately(_WINDOW_S)
        if fit_of(self.exercise, statistics) < _MIN_FIT:
            self._let_go(time_s, busy)
            return
        if self._now is None:
            self._now = Hold(time_s - _WINDOW_S, time_s)
            self.faults = LiveFaults(self.exercise)
        self._now.end_s = time_s
        self._now.looks += 1
        self._now.faultless += not self.faults.shown
        self._fault_looks.update(self.faults.shown)
        self._now.movement += float(statistics["range"][INDEX["hip_line"]])

    def came_of_it(self, start_s: float, end_s: float) -> None:
        """Take back what a repetition, from `start_s` to `end_s`, shows to have been no hold."""

        def is_part(hold: Hold) -> bool:
            near = hold.start_s < end_s + _SOON_S and hold.end_s > start_s - _SOON_S
            return near and hold.seconds < _REST_S

        self.holds = [hold for hold in self.holds if not is_part(hold)]
        if self._now is not None and is_part(self._now):
            self._now = None

    def finish(self) -> None:
        """End the hold that goes on."""
        if self._now is not None and self._now.counts:
            self.holds.append(self._now)
        self._now = None

    def _let_go(self, time_s: float, busy: bool) -> None:
        if self._now is not None and (busy or time_s - self._now.end_s > _BREAK_S):
            self.finish()
