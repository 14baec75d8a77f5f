"""Shows the network one person's landmarks, at an even rate, and keeps what it said."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.classes import CLASSES
from analyzers.exercise.network.features import POINTS, RATE_HZ, FeatureMaker
from analyzers.exercise.network.network import Network, Stream, Told, shipped

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
        frame = np.array(
            [
                (flat[0] * aspect, flat[1], *solid[:3], flat[3])
                for flat, solid in ((landmarks[point], world[point]) for point in POINTS)
            ]
        )
        before, before_s = self._frame, self._frame_s
        self._frame, self._frame_s = frame, time_s
        if before is None:
            before, before_s, self._next_s = frame, time_s, time_s
        said = []
        gap_s = time_s - before_s
        while self._next_s <= time_s:
            part = (self._next_s - before_s) / gap_s if gap_s > 0.0 else 1.0
            missing = gap_s > _MAX_GAP_S and part < 1.0
            now = before if missing else before + part * (frame - before)
            said.append((self._next_s, self._tell(now, missing)))
            self._next_s += _STEP_S
        return said

    def _tell(self, now: Array, missing: bool) -> Told:
        features = self._features.make(
            now[None, :, :2], now[None, :, 2:5], now[None, :, 5], np.array([float(missing)])
        )
        told = self._stream.step(features[0])
        self.times_s.append(self._next_s)
        self._told.append(np.array([*told.classes, told.inside, told.cosine]))
        if self.times_s[0] < self._next_s - 1.5 * _KEPT_S:
            gone = bisect_left(self.times_s, self._next_s - _KEPT_S)
            del self.times_s[:gone], self._told[:gone]
        return told

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
