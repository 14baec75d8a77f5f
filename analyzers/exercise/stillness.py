"""Tells whether somebody in a stream of pictures moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.network.features import POINTS

# Still is who was where they are now, to so many trunks' lengths on average over the body, at any
# time in the last second. On the same picture again and again pose trembles by less than a third of
# it; a squat at its turn is further within half a second.
_WITHIN, _SECONDS = 0.06, 1.0
_TRUNK = ((1, 2), (7, 8))


class Stillness:
    """Follows one person."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, NDArray[np.float64]]] = deque()

    def look(self, person: Mapping[str, Any], time_s: float) -> bool:
        """Take a frame's person, with `landmarks`, and tell whether they have not moved."""
        landmarks = person["landmarks"]
        now = np.array([(landmarks[point]["x"], landmarks[point]["y"]) for point in POINTS])
        while self._past and self._past[0][0] < time_s - _SECONDS:
            self._past.popleft()
        shoulders, hips = (now[list(pair)].mean(0) for pair in _TRUNK)
        within = _WITHIN * max(float(np.hypot(*(shoulders - hips))), 1e-3)
        moved = any(float(np.hypot(*(now - then).T).mean()) > within for _, then in self._past)
        self._past.append((time_s, now))
        return not moved
