"""Finds the repetitions in one signal, while it comes in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

# Parts of a repetition's amplitude. Below the first, away from rest or back, the body is at rest.
_AT_REST = 0.12
# How much of the way back makes it a repetition, how much makes its end certain.
_BACK_ENOUGH = 0.6
_BACK_SURELY = 0.8
# At the end of a video nothing follows that could show that there was more to come: it has to have
# come to rest.
_BACK_AT_END = 1.0 - _AT_REST
# A signal that rises so much again has turned.
_TURNED = 0.2
# How long a signal has to stay above its lowest value for the way back to be over. The two keep
# within the half second after which a repetition has to be told.
_STILL_SURELY_S = 0.12
_STILL_S = 0.35
# Rest is where the signal was lowest in so many seconds, since people shift their feet.
_REST_MEMORY_S = 4.0


@dataclass(frozen=True, slots=True)
class Cycle:
    """One way out and back. Times in seconds; values in the signal's units.

    One that is `partial` went back by less than it had come out: weights are lifted from the
    floor to the shoulders and pressed from there. `CycleCounter.rest_there` says that it was a
    repetition all the same.
    """

    start_s: float
    turn_s: float
    end_s: float
    rest: float
    turn: float
    partial: bool = False

    @property
    def rest_s(self) -> float:
        """When it was at rest: where it began, unless it began at its turn."""
        return self.end_s if self.turn_s == self.start_s else self.start_s

    @property
    def amplitude(self) -> float:
        return self.turn - self.rest


class CycleCounter:
    """Follows a signal that rises in a repetition's first half and falls in the second.

    Parameters
    ----------
    min_amplitude : float
        The least rise that is a repetition.
    min_s, max_s : float
        How long a repetition takes.
    from_turn : bool
        Whether the first repetition may begin at its turn.
    alike : float
        Repetitions of one set are alike: a rise of less than this part of theirs is none.
    """

    def __init__(
        self,
        min_amplitude: float,
        min_s: float,
        max_s: float,
        *,
        from_turn: bool = False,
        alike: float = 0.35,
    ) -> None:
        self._min_amplitude = min_amplitude
        self._min_s = min_s
        self._max_s = max_s
        self._from_turn = from_turn
        self._alike = alike
        self._amplitudes: deque[float] = deque(maxlen=5)
        self.reset()

    def reset(self) -> None:
        """Forget the movement that is going on; what repetitions are like is kept."""
        self._trace: deque[tuple[float, float]] = deque()
        self._begun = False
        self._low = (0.0, float("inf"))
        self._peak: tuple[float, float] | None = None
        self._begins_at: tuple[float, float] | None = None
        self._valley = (0.0, float("inf"))
        self._tried_s = float("-inf")

    @property
    def phase(self) -> str:
        """``rest``, ``out`` or ``back``."""
        if self._peak is None:
            return "rest"
        return "out" if self._valley[1] > self._peak[1] - 0.25 * self._rise() else "back"

    @property
    def returning_since_s(self) -> float:
        """When the movement that is on its way back turned; infinite when there is none."""
        return self._peak[0] if self._peak is not None and self.phase == "back" else float("inf")

    def rest_there(self) -> None:
        """Take where the signal is after a partial cycle for its rest."""
        self._begin_at(*self._valley)

    def accept(self, cycle: Cycle) -> None:
        """Note that a cycle was a repetition: others will be like it."""
        self._amplitudes.append(cycle.amplitude)

    def is_alike(self, amplitude: float) -> bool:
        """Tell whether a rise is as large as those of the set's other repetitions."""
        if len(self._amplitudes) < 2:
            return True
        return amplitude >= self._alike * median(self._amplitudes)

    def feed(self, time_s: float, value: float) -> Cycle | None:
        """Take the signal's next value.

        Returns
        -------
        Cycle or None
            A cycle, as soon as it is certain to be over.
        """
        self._trace.append((time_s, value))
        if self._begins_at is None:
            self._begins_at = (time_s, value)
        if self._from_turn and self._peak is None:
            cycle = self._from_the_turn(time_s, value)
            if cycle is not None:
                return cycle
        if self._peak is None:
            self._rest(time_s, value)
            return None
        if value >= self._peak[1]:
            self._peak = self._valley = (time_s, value)
            return None
        if value < self._valley[1]:
            self._valley = (time_s, value)
        if time_s - self._low[0] > self._max_s:
            self._begin_at(time_s, value)
            return None
        return self._finish(time_s, value)

    def flush(self) -> Cycle | None:
        """Return the cycle that was nearly over when the signal ended, if there is one."""
        if self._peak is None or self._part_back() < _BACK_AT_END:
            return None
        cycle = self._cycle(self._low[1])
        self._begin_at(*self._valley)
        return cycle

    def _from_the_turn(self, time_s: float, value: float) -> Cycle | None:
        """Return the half of a cycle that a video begins with."""
        assert self._begins_at is not None
        begins_s, turn = self._begins_at
        if value > turn:
            self._begins_at = (time_s, value)
            return None
        fallen = turn - min(value, self._low[1])
        if self._begun or fallen < 1.5 * self._min_amplitude:
            return None
        limit = self._low[1] + _AT_REST * fallen
        if value > limit:
            return None
        end_s = time_s
        for earlier_s, earlier in reversed(self._trace):
            if earlier > limit:
                break
            end_s = earlier_s
        if time_s - end_s < _STILL_SURELY_S:
            return None
        self._begun = True
        if not self._min_s <= end_s - begins_s <= self._max_s:
            return None
        return Cycle(begins_s, begins_s, end_s, self._low[1], turn)

    def _rest(self, time_s: float, value: float) -> None:
        while self._trace[0][0] < time_s - _REST_MEMORY_S:
            self._trace.popleft()
        if value <= self._low[1]:
            self._low = (time_s, value)
        elif self._low[0] < self._trace[0][0]:
            self._low = min(self._trace, key=lambda sample: sample[1])
        if value - self._low[1] >= 0.5 * self._min_amplitude:
            self._peak = self._valley = (time_s, value)

    def _rise(self) -> float:
        assert self._peak is not None
        return self._peak[1] - self._low[1]

    def _part_back(self) -> float:
        assert self._peak is not None
        return (self._peak[1] - self._valley[1]) / max(self._rise(), 1e-9)

    def _finish(self, time_s: float, value: float) -> Cycle | None:
        rise, back = self._rise(), self._part_back()
        if back < _BACK_ENOUGH:
            return self._partial(time_s, value)
        # The frame after this one may come too late.
        step_s = time_s - self._trace[-2][0]
        still_s = time_s - self._near_valley_since(rise) + step_s
        turned = value > self._valley[1] + _TURNED * rise
        over = (
            turned or still_s >= _STILL_S or (back >= _BACK_SURELY and still_s >= _STILL_SURELY_S)
        )
        if not over:
            return None
        cycle = self._cycle(self._low[1])
        self._begin_at(*self._valley)
        if turned:
            self._peak = self._valley = (time_s, value)
        return cycle

    def _partial(self, time_s: float, value: float) -> Cycle | None:
        assert self._peak is not None
        fall = self._peak[1] - self._valley[1]
        if fall < self._min_amplitude or self._valley[0] == self._tried_s:
            return None
        turned = value > self._valley[1] + _TURNED * fall
        if not turned and time_s - self._near_valley_since(fall) < _STILL_S:
            return None
        self._tried_s = self._valley[0]
        return self._cycle(self._valley[1], partial=True)

    def _near_valley_since(self, rise: float) -> float:
        """Return since when the signal has been as low as it is now, but for trembling."""
        limit = self._valley[1] + 0.06 * rise
        since = self._trace[-1][0]
        for time_s, value in reversed(self._trace):
            if time_s <= self._valley[0] and value > limit:
                break
            since = time_s
        return since

    def _cycle(self, rest: float, *, partial: bool = False) -> Cycle | None:
        assert self._peak is not None
        rise = self._peak[1] - rest
        peak_s, peak = self._peak
        start_s, end_s = self._low[0], self._valley[0]
        for time_s, value in self._trace:
            if time_s <= peak_s and value <= rest + _AT_REST * rise:
                start_s = max(start_s, time_s)
            if time_s > peak_s and value <= self._valley[1] + _AT_REST * (peak - self._valley[1]):
                end_s = min(end_s, time_s)
        if rise < self._min_amplitude or not self.is_alike(rise):
            return None
        if not self._min_s <= end_s - start_s <= self._max_s:
            return None
        return Cycle(start_s, peak_s, end_s, rest, peak, partial)

    def _begin_at(self, time_s: float, value: float) -> None:
        self._low = self._valley = (time_s, value)
        self._peak = None
        while self._trace and self._trace[0][0] < time_s:
            self._trace.popleft()
