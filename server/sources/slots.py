"""Thins a video whose frames come in another order than that of showing."""

from __future__ import annotations

import math

# A frame that is so much before its slot belongs to it: frames of a video that has just as many are
# not quite even. It is no whole part of what is usual, or rounding would decide.
_EARLY_PART = 0.23
_MAX_EARLY_S = 0.0187


class Slots:
    """Lets one frame through of each piece of time, evenly: the first that is shown in it.

    Whether that is so is told of each frame by itself, whatever came before it.

    Parameters
    ----------
    per_s
        Frames a second that are wanted.
    step_s
        From one frame to the next.
    """

    def __init__(self, per_s: float, step_s: float) -> None:
        self._per_s = per_s
        self._step_s = step_s
        self._early_s = min(_EARLY_PART / per_s, _MAX_EARLY_S)
        self._first_s: float | None = None

    def take(self, shown_s: float) -> bool:
        """Whether a frame that is shown at a time is wanted; the first one is."""
        if self._first_s is None:
            self._first_s = shown_s
        at_s = shown_s - self._first_s
        return self._slot(at_s) != self._slot(at_s - self._step_s)

    def _slot(self, at_s: float) -> int:
        return math.floor((at_s + self._early_s) * self._per_s)
