"""Counts the repetitions of one exercise that was shown."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration.comparing import Difference, compared
from analyzers.exercise.demonstration.counting import PhaseCounter
from analyzers.exercise.demonstration.definition import ShownExercise
from analyzers.exercise.demonstration.motion import NUMBER, TRUNK, Moment, angles_seen
from analyzers.exercise.demonstration.path import alike, apart_deg, path_of
from analyzers.exercise.demonstration.regularity import Span
from analyzers.exercise.scoring import total

Floats = NDArray[np.float64]

# A way that is further from the shown one, on average over joints, is something else: repetitions
# seen from another side come to 30 degrees, kneeling down and walking off to 70 (docs/accuracy.md).
MOST_APART_DEG = 38.0
# A repetition that is so much like what was shown (`path.alike`) is one, wherever it is met. Less
# does for those that soon follow such a one: who turns around, or is filmed from another side, goes
# on with their set. Of what was shown, other exercises of bench/demonstration.py come to 0.47 but
# for one repetition, other people who do the same have 0.47 in nine of ten.
_SURELY_ALIKE, _ALIKE = 0.48, 0.2
_GOES_ON_S = 8.0
# Who stands up does nothing that was shown lying down: by so much, on average, the trunk may lean
# otherwise.
_MOST_LEANING_DEG = 40.0
# A repetition takes at least this part of the time in which it was shown.
_LEAST_TIME = 0.35
# What is kept of what was seen: a repetition takes no longer.
_KEPT_S = 21.0
# Nobody can do half a repetition unseen.
_MAX_GAP_S = 1.0
# At the turn for as long as the signal is within this part of its way from it.
_HELD = 0.1


@dataclass(frozen=True, slots=True)
class ShownRepetition:
    """One repetition of an exercise that was shown. Times in seconds.

    Attributes
    ----------
    exercise : str
        Its name.
    span : Span
        When it was.
    far : float
        How far it went, in parts of what was shown.
    apart_deg : float
        How far its way was from the shown one.
    hold_s : float
        How long it was held at the turn.
    score, parts
        0 to 100.
    differences : tuple of Difference
        From what was shown.
    """

    exercise: str
    span: Span
    far: float
    apart_deg: float
    hold_s: float
    score: float
    parts: dict[str, float]
    differences: tuple[Difference, ...]


class ShownCounter:
    """Follows one person, frame by frame at any rate.

    Parameters
    ----------
    exercise : ShownExercise
        What to count.
    """

    def __init__(self, exercise: ShownExercise) -> None:
        self.exercise = exercise
        self._columns = [NUMBER[each.name] for each in exercise.signals]
        self._rests = np.array([each.rest for each in exercise.signals])
        self._ways = np.array([each.turn - each.rest for each in exercise.signals])
        self._shown = np.array([each.path_deg for each in exercise.joints]).T
        self._weights = np.array([each.weight for each in exercise.joints])
        self._counter = PhaseCounter()
        self._kept: deque[tuple[float, float, Moment]] = deque()
        self._surely_s = float("-inf")

    @property
    def phase(self) -> str:
        """``rest``, ``out`` or ``back``."""
        return self._counter.phase

    def begin_anew(self) -> None:
        """Forget the movement that is going on."""
        self._counter.reset()
        self._kept.clear()
        self._surely_s = float("-inf")

    def feed(self, time_s: float, moment: Moment) -> ShownRepetition | None:
        """Take the next frame; return a repetition as soon as it is certain to be over."""
        if self._kept and time_s - self._kept[-1][0] > _MAX_GAP_S:
            self.begin_anew()
        # One or two of the signals may fail: the median counts.
        value = float(np.median((moment.values[self._columns] - self._rests) / self._ways))
        self._kept.append((time_s, value, moment))
        while self._kept[0][0] < time_s - _KEPT_S:
            self._kept.popleft()
        return self._checked(self._counter.feed(time_s, value))

    def flush(self) -> ShownRepetition | None:
        """Return the repetition that was nearly over when the video ended, if there is one."""
        return self._checked(self._counter.flush())

    def _checked(self, found: tuple[Span, float] | None) -> ShownRepetition | None:
        if found is None:
            return None
        span, far = found
        if span.seconds < _LEAST_TIME * (self.exercise.out_s + self.exercise.back_s):
            return None
        frames = [each for each in self._kept if span.start_s <= each[0] <= span.end_s]
        if len(frames) < 3:
            return None
        times_s = np.array([time_s for time_s, _, _ in frames])
        values = np.array([value for _, value, _ in frames])
        path = path_of(times_s, np.array([each.angles_deg for _, _, each in frames]), span)
        seen = angles_seen(np.array([each.seen for _, _, each in frames])).mean(axis=0)
        weights = self._weights * seen.clip(0.05)
        apart = apart_deg(path, self._shown, weights)
        leans = float(np.abs(path[:, TRUNK] - self._shown[:, TRUNK]).mean())
        if apart > MOST_APART_DEG or leans > _MOST_LEANING_DEG:
            return None
        if not self._is_alike(alike(path, self._shown, weights), span):
            return None
        held = times_s[values >= values.max() - _HELD * far]
        way = float(np.abs(np.diff(values)).sum()) / max(2.0 * far, 1e-9)
        said = compared(self.exercise, path, seen, span, far, way)
        return ShownRepetition(
            self.exercise.name,
            span,
            far,
            apart,
            float(held[-1] - held[0]),
            total(said.parts),
            {name: round(part, 1) for name, part in said.parts.items()},
            said.differences,
        )

    def _is_alike(self, likeness: float, span: Span) -> bool:
        """Tell whether a repetition is enough like what was shown, where it is met."""
        if likeness >= _SURELY_ALIKE:
            self._surely_s = span.end_s
            return True
        return likeness >= _ALIKE and span.start_s - self._surely_s < _GOES_ON_S
