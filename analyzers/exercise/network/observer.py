"""Shows the network one person's landmarks, at an even rate, and keeps what it said."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import (
    POINTS,
    RATE_HZ,
    FeatureMaker,
    features_of_people,
)
from analyzers.exercise.network.network import (
    Network,
    Stream,
    Told,
    shipped,
    step_together,
)

_STEP_S = 1.0 / RATE_HZ
# Between frames further apart than this nothing is known, and what was last seen stands in.
_MAX_GAP_S = 0.34
_KEPT_S = 25.0
# The phase's cosine is 1 at rest and -1 at the turn: below this it has turned.
_TURNED = -0.3

Array = NDArray[np.float64]
Row = Sequence[float]


class Observer:
    """What the network says of one person, over the last seconds."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = shipped() if network is None else network
        self.times_s: list[float] = []
        self._told: list[Array] = []
        self.forget()

    def forget(self) -> None:
        """Begin anew: what comes next does not go on from what was seen."""
        self._stream = Stream(self._network)
        self._features = FeatureMaker()
        self._frame: Array | None = None
        self._frame_s = 0.0
        self._next_s = float("-inf")
        # What was found out about a frame before it was fed: its time, and what the network said.
        self._ahead: tuple[float, list[tuple[float, Told]]] | None = None

    def feed(
        self, landmarks: Sequence[Row], world: Sequence[Row], time_s: float, aspect: float
    ) -> list[tuple[float, Told]]:
        """Take a frame, and return what the network said of the moments up to it.

        Parameters
        ----------
        landmarks, world : 33 rows of x, y, z, visibility
            In 0..1 of the frame, and in metres from the middle of the hips.
        time_s : float
            Seconds.
        aspect : float
            Width of the frame over its height.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != time_s:
            look_ahead([Sight(self, landmarks, world, time_s, aspect)])
            ahead, self._ahead = self._ahead, None
        assert ahead is not None
        return ahead[1]

    def _moments(self, frame: Array, time_s: float) -> list[tuple[float, Array, bool]]:
        """Return when the network is to be asked up to a frame, and what of.

        The last of the three says whether that stands in for nobody.
        """
        before, before_s = self._frame, self._frame_s
        self._frame, self._frame_s = frame, time_s
        if before is None:
            before, before_s, self._next_s = frame, time_s, time_s
        moments = []
        gap_s = time_s - before_s
        while self._next_s <= time_s:
            part = (self._next_s - before_s) / gap_s if gap_s > 0.0 else 1.0
            missing = gap_s > _MAX_GAP_S and part < 1.0
            now = before if missing else before + part * (frame - before)
            moments.append((self._next_s, now, missing))
            self._next_s += _STEP_S
        return moments

    def _keep(self, at_s: float, told: Told) -> None:
        self.times_s.append(at_s)
        self._told.append(np.array([*told.classes, told.inside, told.cosine]))
        if self.times_s[0] < at_s - 1.5 * _KEPT_S:
            gone = bisect_left(self.times_s, at_s - _KEPT_S)
            del self.times_s[:gone], self._told[:gone]

    def likely(self, start_s: float, end_s: float) -> dict[str, float]:
        """Return how likely each class was on average, and under ``inside`` whether in one."""
        if not self.times_s:
            return dict.fromkeys((*CLASSES, "inside"), 0.0)
        mean = np.mean(self._between(start_s, end_s), axis=0)
        return dict(zip((*CLASSES, "inside"), mean[:-1].tolist(), strict=True))

    def turned(self, start_s: float, end_s: float) -> bool:
        """Tell whether a repetition's turn was seen between two times."""
        rows = self._between(start_s, end_s)
        return bool(rows) and min(float(row[-1]) for row in rows) < _TURNED

    def _between(self, start_s: float, end_s: float) -> list[Array]:
        first = min(bisect_left(self.times_s, start_s), max(len(self.times_s) - 1, 0))
        return self._told[first : max(bisect_right(self.times_s, end_s), first + 1)]


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame that one person's observer is to see; parameters of `Observer.feed`."""

    observer: Observer
    landmarks: Sequence[Row]
    world: Sequence[Row]
    time_s: float
    aspect: float


def look_ahead(sights: Sequence[Sight]) -> None:
    """Ask the network about a frame of several people at once.

    Each has to be fed to its observer next, which has the answer then.
    """
    asked = [(each, each.observer._moments(_frame_of(each), each.time_s)) for each in sights]
    said: list[list[tuple[float, Told]]] = [[] for _ in sights]
    # Almost always one moment each, or none.
    for turn in range(max((len(moments) for _, moments in asked), default=0)):
        due = [number for number, (_, moments) in enumerate(asked) if turn < len(moments)]
        observers = [sights[number].observer for number in due]
        now = np.array([asked[number][1][turn][1] for number in due])
        missing = np.array([float(asked[number][1][turn][2]) for number in due])
        features = features_of_people(
            [each._features for each in observers],
            now[..., :2],
            now[..., 2:5],
            now[..., 5],
            missing,
        )
        answers = step_together([each._stream for each in observers], features)
        for number, observer, answer in zip(due, observers, answers, strict=True):
            at_s = asked[number][1][turn][0]
            observer._keep(at_s, answer)
            said[number].append((at_s, answer))
    for each, told in zip(sights, said, strict=True):
        each.observer._ahead = each.time_s, told


def _frame_of(sight: Sight) -> Array:
    """Return a body's `POINTS`, each with x and y in the picture, x, y and z, and visibility."""
    points = ((sight.landmarks[point], sight.world[point]) for point in POINTS)
    return np.array([(a[0] * sight.aspect, a[1], b[0], b[1], b[2], a[3]) for a, b in points])
