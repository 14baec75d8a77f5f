"""What a body has to be like for an exercise, whatever it moves: nobody does a push-up standing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.exercise.signals import INDEX


@dataclass(frozen=True, slots=True)
class Posture:
    """How far the trunk may be off upright during a repetition, degrees.

    The bounds are wide: they rule out another posture, and are no matter of form.

    Attributes
    ----------
    least, most : float
        Of the mean.
    lowest : float
        What it has to come down to, for who stands up in every repetition.
    highest : float
        What it has to get up to, for who lies down in every repetition.
    """

    least: float = 0.0
    most: float = 180.0
    lowest: float = 180.0
    highest: float = 0.0

    def allows(self, statistics: dict[str, NDArray[np.float64]]) -> bool:
        """Tell whether a repetition was done in it; statistics as `History.during` has them."""
        trunk = INDEX["trunk"]
        mean = float(statistics["mean"][trunk])
        return (
            self.least <= mean <= self.most
            and float(statistics["min"][trunk]) <= self.lowest
            and float(statistics["max"][trunk]) >= self.highest
        )


ANY = Posture()
# Hanging from a bar too. Who leans on a high bench still does no push-up at less.
UPRIGHT = Posture(most=50.0)
STANDING_UP = Posture(most=75.0, lowest=50.0)
PRONE = Posture(least=32.0)
LYING = Posture(highest=50.0)
