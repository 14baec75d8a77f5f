"""How sure it is that a movement is a repetition: by an exercise's conditions and by the network.

The conditions say whether a movement looks as that exercise does; what they do not know is what
else looks so. The network was shown other movements too, and bodies as BlazePose sees them when it
errs, but of bodies that are partly out of the picture it is sure too easily. Each by itself is
wrong on other clips than the other: docs/accuracy.md has what each would give.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analyzers.exercise.network.classes import NONE

# What the network counts at least: alone it does not rule a movement out.
_LEAST_LIKELY = 0.04


@dataclass(frozen=True, slots=True)
class Judgement:
    """How conditions and network are weighed, and how sure a repetition has to be.

    The values were chosen on the clips of bench/exercise.py, which prints, too, what they would
    give if each source's clips had not been there to choose them.

    Attributes
    ----------
    conditions_weigh : float
        How much the conditions weigh, 0 to 1; the network has the rest.
    something : float
        How much of what the network gives to other exercises counts for this one: it knows that
        something is done better than what.
    least_fit : float
        What the conditions count at least.
    sure, sure_by_phase : float
        The least for a cycle on the exercise's own signal, and for one on the phase alone.
    """

    conditions_weigh: float = 0.5
    something: float = 0.35
    least_fit: float = 0.25
    sure: float = 0.45
    sure_by_phase: float = 0.55

    def sureness(self, fit: float, likely: Mapping[str, float], name: str) -> float:
        """Return how sure it is that a movement is of an exercise, 0 to 1.

        Parameters
        ----------
        fit : float
            How well it fits the exercise's conditions, 0 to 1.
        likely : mapping of str to float
            How likely the network finds each class, on average over the movement. Of an exercise
            that it does not know the conditions alone decide.
        name : str
            Of the exercise.
        """
        if name not in likely:
            return fit
        own = likely[name]
        network = own + self.something * (1.0 - own - likely[NONE])
        by_fit, by_network = max(fit, self.least_fit), max(network, _LEAST_LIKELY)
        weigh = self.conditions_weigh
        return math.exp(weigh * math.log(by_fit) + (1.0 - weigh) * math.log(by_network))

    def evidence(self, fit: float, likely: Mapping[str, float], name: str) -> float:
        """Return how much a repetition speaks for its set's being an exercise, -1 to 1.

        Parameters are as for `sureness`. It is what the network gives to the exercise less what
        it gives to none, and the less the worse the conditions fit.
        """
        if name not in likely:
            return 1.0
        own, none = likely[name], likely[NONE]
        balance = own + self.something * (1.0 - own - none) - none
        return balance * max(fit, self.least_fit) if balance > 0.0 else balance


CHOSEN = Judgement()
