"""A movement that may be a repetition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.cycles import Cycle
from analyzers.exercise.definition import Definition

# Times the least movement of an exercise.
SMALL = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A cycle that may be a repetition of an exercise.

    Attributes
    ----------
    exercise, cycle
        Of what, and when.
    sure : float
        How sure it is, 0 to 1; see `sureness.Judgement`.
    statistics : dict of ndarray
        As `History.during` has them.
    found_s : float
        When it was found, seconds.
    by_phase : bool
        Whether the network's phase showed it, and not the exercise's own signal.
    evidence : float
        How much it speaks for its set's being that exercise, -1 to 1; see `sets.Sets`.
    """

    exercise: Definition
    cycle: Cycle
    sure: float
    statistics: dict[str, NDArray[np.float64]]
    found_s: float
    by_phase: bool = False
    evidence: float = 1.0

    @property
    def is_small(self) -> bool:
        """Whether it is hardly more than the least movement that is a repetition."""
        return self.cycle.amplitude < SMALL * self.exercise.min_amplitude
