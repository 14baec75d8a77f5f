"""Learns an exercise from a few repetitions that somebody shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.demonstration.motion import (
    JOINTS,
    NUMBER,
    SIGNALS,
    TREMBLE,
    TRUNK,
    Moment,
    visibility,
)
from analyzers.exercise.demonstration.regularity import Repeated, repeated
from analyzers.exercise.demonstration.turning_points import (
    LEVELS,
    PER_REPETITION,
    TurningPoints,
)

Floats = NDArray[np.float64]

# So much is kept of what was seen: five repetitions of ten seconds each.
_KEPT_S = 60.0
# Whether enough was shown is looked at so often.
_EVERY_S = 0.2
# The last repetition is over when the signal has stayed near its rest for so long.
_STILL_S = 0.3
# Other signals, and the same movement begun from its other end, are waited for: so long at least,
# and so many periods.
_SETTLE_S, _SETTLE = 0.4, 0.5
# Within this part of a repetition's way from an end of it, a body is at that end.
_AT_END = 0.25
# A signal that moves less than this part of what moves most, both in their tremblings, may tell of
# something that the body does besides: the hop of a jumping jack, twice in each.
_MOST_MOVED = 0.4
# Landmarks of less visibility are guesses.
_SEEN = 0.5
# After each repetition the whole body is back where it was: signals that move much differ there by
# so much at most, on average, in parts of their way. Hands that part come together twice in each
# jumping jack, once down and once overhead.
_MOST_OPEN = 0.3
# Signals whose turns are so near to those of the chosen one, in its durations, move along with it.
_TOGETHER = 0.2
# Of the two ends of a movement, rest is where somebody stays for longer, so long before the first
# repetition too; and rather the one with straight limbs and hanging arms, and the lower one. So
# many degrees are clear, and as many are a length of the trunk.
_BEFORE_S = 1.5
_RELAXED = 0.5
_CLEARLY_DEG = 60.0
_DEG_PER_LENGTH = 60.0
_HEIGHTS = [NUMBER["nose_high"], NUMBER["wrists_high"]]
_STRAIGHT = np.array([-0.5 if joint.endswith("shoulder") else 0.5 for joint in JOINTS])
# Of what is known of turning points, so much is kept.
_MOST_KNOWN = 5000
# How many a definition has at most: their median counts, so one or two may fail.
_MOST_SIGNALS = 7


@dataclass(frozen=True, slots=True)
class Seen:
    """What was shown, once it is enough.

    Attributes
    ----------
    signals : tuple of (int, Repeated)
        Numbers of the signals to count on, the most regular first, and their repetitions.
    times_s, moments
        Of all frames from before the first repetition to after the last.
    """

    signals: tuple[tuple[int, Repeated], ...]
    times_s: tuple[float, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Repetitions on one signal, and how well it shows them."""

    score: float
    signal: int
    repeated: Repeated

    @property
    def key(self) -> tuple[int, int]:
        return self.signal, self.repeated.direction


@dataclass(frozen=True, slots=True)
class _Window:
    """All that is kept of what was seen: times, and signals, angles and visibilities by frame."""

    times_s: Floats
    values: Floats
    angles_deg: Floats
    seen: Floats


class Learner:
    """Watches one person until enough repetitions were alike.

    Parameters
    ----------
    repetitions : int
        How many; two at least.
    tells_progress : bool
        Whether `seen` counts those that are alike so far, which costs twice as much as the rest.
    """

    def __init__(self, repetitions: int, *, tells_progress: bool = True) -> None:
        self.repetitions = repetitions
        self._tells_progress = tells_progress
        self.seen = 0
        self._clear()

    def _clear(self) -> None:
        self._times_s: list[float] = []
        self._moments: list[Moment] = []
        self._turning = TurningPoints(TREMBLE)
        self._first = 0
        self._looked_s = float("-inf")
        self._enough_s: float | None = None
        self._found: dict[tuple[int, int], Candidate] = {}
        # What was made of turning points before, by signal and frames: most stay from look to look.
        self._known: dict[tuple[int, ...], Repeated | None] = {}

    def begin_anew(self) -> None:
        """Forget what was shown: what comes next is somebody else, or much later."""
        self._clear()
        self.seen = 0

    def feed(self, time_s: float, moment: Moment) -> Seen | None:
        """Take the next frame; return what was shown as soon as it is enough."""
        self._turning.feed(self._first + len(self._times_s), moment.values)
        self._times_s.append(time_s)
        self._moments.append(moment)
        if self._times_s[0] < time_s - 1.5 * _KEPT_S:
            gone = int(np.searchsorted(self._times_s, time_s - _KEPT_S))
            del self._times_s[:gone], self._moments[:gone]
            self._first += gone
        if time_s - self._looked_s < _EVERY_S:
            return None
        self._looked_s = time_s
        window = self._window()
        for each in self._look(window, self.repetitions):
            known = self._found.get(each.key)
            if known is None or each.score > known.score:
                self._found[each.key] = each
        if not self._found and not self._tells_progress:
            return None
        if not self._found:
            fewer = range(self.repetitions - 1, 0, -1)
            self.seen = next((count for count in fewer if self._look(window, count)), 0)
            return None
        self.seen = self.repetitions
        if self._enough_s is None:
            self._enough_s = time_s
        best = max(self._found.values(), key=lambda each: each.score)
        if time_s - self._enough_s < max(_SETTLE_S, _SETTLE * best.repeated.period_s):
            return None
        return self._shown()

    def finish(self) -> Seen | None:
        """Return what was shown when nothing follows any more, if it is enough."""
        for each in self._look(self._window(), self.repetitions, still_s=0.0):
            self._found.setdefault(each.key, each)
        return self._shown() if self._found else None

    def _window(self) -> _Window:
        moments = self._moments
        return _Window(
            np.array(self._times_s),
            np.array([moment.values for moment in moments]),
            np.array([moment.angles_deg for moment in moments]),
            np.array([moment.seen for moment in moments]),
        )

    def _look(self, window: _Window, count: int, still_s: float = _STILL_S) -> list[Candidate]:
        """Return signals' last repetitions, where they are alike."""
        found: dict[tuple[int, ...], tuple[int, Repeated]] = {}
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        for lane in range(len(self._turning.least)):
            if self._turning.count(lane) < PER_REPETITION * count:
                continue
            signal = lane // len(LEVELS)
            for points in self._ended(lane, count, still_s):
                key = (signal, *(self._first + frame for frame, _ in points))
                if key not in self._known:
                    direction = 1 if points[1][1] > points[0][1] else -1
                    self._known[key] = repeated(
                        points, direction, count, window.times_s, window.values[:, signal]
                    )
                if (there := self._known[key]) is not None:
                    found[key] = signal, there
        return _scored(list(found.values()), window)

    def _ended(self, lane: int, count: int, still_s: float) -> Iterator[list[tuple[int, float]]]:
        """Yield a lane's last turning points, from rest to rest, for either end that rest may be.

        Whether the last one is over is certain when the signal stayed near it.
        """
        points = [(frame - self._first, value) for frame, value in self._turning.of(lane)]
        if self._times_s[-1] - self._times_s[max(points[-1][0], 0)] < still_s:
            points.pop()
        wanted = PER_REPETITION * count + 1
        for shown in (points[-wanted:], points[-wanted - 1 : -1]):
            if len(shown) == wanted and shown[0][0] >= 0:
                yield shown

    def _shown(self) -> Seen:
        """Return the best signal, and those that move along with it."""
        found = sorted(self._found.values(), key=lambda each: (-each.score, each.signal))
        chosen = found[0].repeated
        near_s = _TOGETHER * chosen.seconds
        along = [
            (each.signal, each.repeated)
            for each in found
            if all(
                abs(one.turn_s - other.turn_s) <= near_s
                for one, other in zip(each.repeated.spans, chosen.spans, strict=True)
            )
        ]
        return Seen(tuple(along[:_MOST_SIGNALS]), tuple(self._times_s), tuple(self._moments))


def _scored(found: Sequence[tuple[int, Repeated]], window: _Window) -> list[Candidate]:
    """Say how well each signal shows the movement; leave out those that show another one."""
    if not found:
        return []
    first = int(np.searchsorted(window.times_s, min(e.spans[0].start_s for _, e in found)))
    seen_well = visibility(window.seen[first:]).mean(axis=0)
    ways = np.ptp(window.values[first:], axis=0)
    moved = np.where(seen_well >= _SEEN, ways / TREMBLE, 0.0)
    least = _MOST_MOVED * moved.max(initial=0.0)
    candidates = []
    for signal, each in found:
        far = each.amplitude / SIGNALS[signal].tremble
        if far < least or _open(each, window, moved >= least) > _MOST_OPEN:
            continue
        score = each.likeness * far / (far + 10.0) * min(1.0, seen_well[signal] / _SEEN)
        score *= 1.0 + _stays(each, window.times_s, window.values[:, signal])
        score *= 1.0 + _RELAXED * _relaxes(each, window)
        candidates.append(Candidate(score, signal, each))
    return candidates


def _open(each: Repeated, window: _Window, moving: NDArray[np.bool_]) -> float:
    """Return by how much a body differs from rest to rest, or from turn to turn.

    On average over signals, in parts of their way.
    """
    spans = each.spans
    rests_s = [spans[0].start_s, *(span.end_s for span in spans)]
    turns_s = [span.turn_s for span in spans]
    times_s, values = window.times_s, window.values
    first, last = np.searchsorted(times_s, (spans[0].start_s, spans[-1].end_s))
    way = np.maximum(np.ptp(values[first : last + 1, moving], axis=0), 1e-9)
    differences = [
        np.ptp(values[np.searchsorted(times_s, at_s)][:, moving], axis=0) / way
        for at_s in (rests_s, turns_s)
    ]
    return max(float(difference.mean()) for difference in differences)


def _stays(each: Repeated, times_s: Floats, values: Floats) -> float:
    """Return how much longer a body is at rest than at the turn, -1 to 1."""
    begin_s = each.spans[0].start_s - _BEFORE_S
    span = slice(*np.searchsorted(times_s, (begin_s, each.spans[-1].end_s)))
    way = (values[span] - each.rest) / (each.turn - each.rest)
    return float((way < _AT_END).mean() - (way > 1.0 - _AT_END).mean())


def _relaxes(each: Repeated, window: _Window) -> float:
    """Return by how much straighter limbs are at rest than at the turn, and arms lower, -1 to 1."""
    rests, turns = (
        np.searchsorted(window.times_s, at_s)
        for at_s in ([span.end_s for span in each.spans], [span.turn_s for span in each.spans])
    )
    straighter = (window.angles_deg[rests] - window.angles_deg[turns])[:, :TRUNK].mean(
        axis=0
    ) @ _STRAIGHT
    higher = (window.values[rests] - window.values[turns])[:, _HEIGHTS].mean()
    return math.tanh(float(straighter - _DEG_PER_LENGTH * higher) / _CLEARLY_DEG)
