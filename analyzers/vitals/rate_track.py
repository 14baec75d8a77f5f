"""Follows a rate over time: the likeliest way through what each moment's spectrum says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.vitals.spectrum import BPM

# How far a heart's rate goes in a second: after exercise it falls by 20 to 40 in the first minute
# (Cole and others, New England Journal of Medicine 341, 1999), by fits and starts.
_DRIFT_BPM = 3.0
# It was something else all the time: so likely in a second.
_JUMP = 0.02
# Spectra 0.9 s apart see mostly the same: each counts as a part of one.
_TEMPER = 0.5
_FLOOR = 0.2 / len(BPM)


class RateTrack:
    """Viterbi's forward pass over rates one a minute apart."""

    def __init__(self) -> None:
        self._log: NDArray[np.float64] | None = None
        self._steps = BPM[:, None] - BPM[None, :]

    def forget(self) -> None:
        """What was is of no more use."""
        self._log = None

    def follow(self, likely: NDArray[np.float64], after_s: float) -> float:
        """Take one moment's likeness of each rate, sum 1, and return the rate of the best way.

        Parameters
        ----------
        likely : ndarray, shape (R,)
            For each rate of `BPM`.
        after_s : float
            Seconds since the last one.
        """
        seen = _TEMPER * np.log(likely + _FLOOR)
        if self._log is None:
            self._log = seen
        else:
            spread = _DRIFT_BPM * max(after_s, 0.1)
            step = np.maximum(-0.5 * (self._steps / spread) ** 2, np.log(_JUMP * max(after_s, 0.1)))
            self._log = (self._log[None, :] + step).max(axis=1) + seen
        self._log = self._log - self._log.max()
        return float(BPM[int(self._log.argmax())])
