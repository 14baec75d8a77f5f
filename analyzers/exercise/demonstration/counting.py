"""Counts repetitions on a signal whose rest is 0 and whose turn is 1."""

from __future__ import annotations

from collections import deque

from analyzers.exercise.demonstration.regularity import Span

# The least way out and back that is a repetition, in parts of the one that was shown.
LEAST_WAY = 0.45
# So much of its own way, or of the shown one if that is less, makes its end certain on the way
# back; or so much once the signal turns, by so much, or stays.
_BACK_SURELY = 0.9
_BACK_ENOUGH = 0.6
_TURNED = 0.15
_STILL_S = 0.25
# At the end of a video nothing follows that could show that there was more to come.
_BACK_AT_END = 0.75
# Within this part of its way from an end of it, a body is at that end.
_AT_REST = 0.12
# A repetition takes no longer, however long somebody stays at its turn; rest before it is no part.
_MOST_S = 20.0


class PhaseCounter:
    """Follows a signal out and back, at any rate."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the movement that is going on."""
        self._trace: deque[tuple[float, float]] = deque()
        # Where it was lowest before it rose, highest since, and lowest after that.
        self._low: tuple[float, float] | None = None
        self._peak: tuple[float, float] | None = None
        self._valley: tuple[float, float] | None = None

    @property
    def phase(self) -> str:
        """``rest``, ``out`` or ``back``."""
        if self._low is None or self._peak is None or self._valley is None:
            return "rest"
        rise = self._peak[1] - self._low[1]
        if rise < 0.5 * LEAST_WAY:
            return "rest"
        return "out" if self._valley[1] > self._peak[1] - _TURNED * rise else "back"

    def feed(self, time_s: float, value: float) -> tuple[Span, float] | None:
        """Take the signal's next value.

        Returns
        -------
        (Span, float) or None
            A repetition as soon as it is certain to be over, and how far it went.
        """
        self._trace.append((time_s, value))
        while self._trace[0][0] < time_s - _MOST_S:
            self._trace.popleft()
        if self._low is None or self._peak is None or self._valley is None:
            self._begin_at(time_s, value)
            return None
        if value >= self._peak[1]:
            self._peak = self._valley = (time_s, value)
        elif value < self._valley[1]:
            self._valley = (time_s, value)
        if self._peak[1] - self._low[1] < LEAST_WAY:
            if value <= self._low[1] or time_s - self._low[0] > _MOST_S:
                self._begin_at(time_s, value)
            return None
        back = self._peak[1] - self._valley[1]
        turned = value > self._valley[1] + _TURNED
        still = time_s - self._valley[0] >= _STILL_S
        way = min(self._peak[1] - self._low[1], 1.0)
        enough = back >= _BACK_ENOUGH * way and (still or turned)
        return self._over(time_s, value) if enough or back >= _BACK_SURELY * way else None

    def flush(self) -> tuple[Span, float] | None:
        """Return the repetition that was nearly over when the signal ended, if there is one."""
        if self._low is None or self._peak is None or self._valley is None:
            return None
        if self._peak[1] - self._low[1] < LEAST_WAY:
            return None
        way = min(self._peak[1] - self._low[1], 1.0)
        if self._peak[1] - self._valley[1] < _BACK_AT_END * way:
            return None
        return self._over(*self._trace[-1])

    def _over(self, time_s: float, value: float) -> tuple[Span, float]:
        assert self._low is not None
        assert self._peak is not None
        assert self._valley is not None
        low, (peak_s, peak), valley = self._low[1], self._peak, self._valley[1]
        rise, fall = peak - low, peak - valley
        start_s, end_s = self._low[0], self._valley[0]
        for at_s, each in self._trace:
            if at_s <= peak_s and each <= low + _AT_REST * rise:
                start_s = max(start_s, at_s)
            if at_s > peak_s and each <= valley + _AT_REST * fall:
                end_s = min(end_s, at_s)
        # It may go on falling: what is lowest then is where the next one begins.
        self._low = self._valley
        self._peak = self._valley = (time_s, value)
        if value < self._low[1]:
            self._low = (time_s, value)
        return Span(start_s, peak_s, end_s), min(rise, fall)

    def _begin_at(self, time_s: float, value: float) -> None:
        self._low = self._peak = self._valley = (time_s, value)
