"""An exercise: the pose at every phase of a repetition, and how fast the phases go by.

A phase runs from 0 (the start) over 0.5 (the turning point: lowest, or highest, or closest) to 1
(the start again). The n-th repetition may differ from the one before, as lunges change sides.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .geometry import ease
from .people import Person
from .skeleton import Pose

PoseAtPhase = Callable[[Person, float, int], Pose]


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long the parts of a repetition take, in seconds."""

    out_s: float
    hold_s: float
    back_s: float
    rest_s: float = 0.1

    @property
    def repetition_s(self) -> float:
        return self.out_s + self.hold_s + self.back_s

    def phase(self, time_s: float) -> float:
        """The phase at a time since the repetition's start."""
        if time_s < self.out_s:
            return 0.5 * ease(time_s / self.out_s)
        back = (time_s - self.out_s - self.hold_s) / self.back_s
        return 0.5 + 0.5 * ease(back)


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise done in one way.

    Attributes
    ----------
    label
        Its name in the ground truth; exercises that differ in a fault alone share it.
    fault
        What is wrong with the form, None if nothing is.
    on_floor
        Whether it is done lying: then the body does not sway.
    """

    label: str
    pose: PoseAtPhase
    tempo: Tempo
    fault: str | None = None
    on_floor: bool = False


def depth_of(phase: float) -> float:
    """0 at the start and the end of a repetition, 1 at its turning point."""
    return 1.0 - abs(2.0 * phase - 1.0)
