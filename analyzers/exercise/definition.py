"""What an exercise is made of, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzers.exercise.posture import ANY, Posture
from analyzers.exercise.signals import INDEX

STATISTICS = ("start", "turn", "min", "max", "mean", "range", "change")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a signal has to be like during a repetition for it to be of this exercise.

    Attributes
    ----------
    signal : str
        One of `signals.NAMES`.
    statistic : str
        ``start``, ``turn`` (values there), ``min``, ``max``, ``mean``, ``range`` over the
        repetition, or ``change`` (turn less start).
    low, high : float
        Where it belongs.
    soft : float
        How far outside it may be before the exercise is ruled out.
    """

    signal: str
    statistic: str
    low: float = -1e9
    high: float = 1e9
    soft: float = 10.0

    def __post_init__(self) -> None:
        if self.signal not in INDEX:
            raise ValueError(f"there is no signal {self.signal!r}")
        if self.statistic not in STATISTICS:
            raise ValueError(f"there is no statistic {self.statistic!r}")

    def fit(self, value: float) -> float:
        """Return 1 inside, 0 beyond the soft edge, and in between between."""
        outside = max(self.low - value, value - self.high, 0.0)
        return max(0.0, 1.0 - outside / self.soft)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the form.

    Attributes
    ----------
    code : str
        Stable, for translation.
    text : str
        What to change, as a trainer says it.
    signal, statistic : str
        What shows it: ``live`` at every moment, or a statistic over a repetition.
    above, below : float
        The fault is there outside of these.
    part : str
        Which part of the score suffers: ``depth`` or ``alignment``.
    min_side_on, max_side_on : float
        From where it can be seen: `side_on` is 0 from in front and 1 from the side.
    """

    code: str
    text: str
    signal: str
    statistic: str
    above: float = 1e9
    below: float = -1e9
    part: str = "alignment"
    min_side_on: float = 0.0
    max_side_on: float = 1.0

    def __post_init__(self) -> None:
        if self.signal not in INDEX:
            raise ValueError(f"there is no signal {self.signal!r}")
        if self.statistic != "live" and self.statistic not in STATISTICS:
            raise ValueError(f"there is no statistic {self.statistic!r}")

    def shows(self, value: float, side_on: float) -> bool:
        """Tell whether a value is a fault, seen from where the camera is."""
        if not self.min_side_on <= side_on <= self.max_side_on:
            return False
        return value > self.above or value < self.below


@dataclass(frozen=True, slots=True)
class Definition:
    """One exercise.

    Attributes
    ----------
    name, title : str
        As in results, and as people say it.
    conditions : tuple of Condition
        What tells it from other exercises and from none.
    posture : Posture
        What it can not be done outside of.
    signal : str
        What repetitions are counted on; empty for an exercise that is held.
    direction : int
        1 when the signal rises in a repetition's first half, -1 when it falls.
    min_amplitude : float
        The least change that is a repetition, in the signal's units.
    min_s, max_s : float
        How long a repetition takes.
    from_turn : bool
        Whether a video may begin at the first repetition's turn, as with a bar on the floor.
    alike : float
        The least part of the amplitude of a set's other repetitions that is one.
    full : float
        The signal's value at the turn that is full depth; half the depth part of the score is
        lost `full_soft` short of it.
    difference : str
        The signal of how much left and right differ, for symmetry; empty if they should.
    out : str
        What the way out is: ``down`` or ``up``.
    out_s, back_s : float
        The least time that the way out and the way back take when done with control.
    faults : tuple of Fault
        What can be wrong.
    good : tuple of (code, text)
        What to say of depth and of alignment when they are right.
    advice : str
        One sentence for who has no fault.
    """

    name: str
    title: str
    conditions: tuple[Condition, ...]
    good: tuple[tuple[str, str], tuple[str, str]]
    advice: str
    posture: Posture = ANY
    signal: str = ""
    direction: int = 1
    min_amplitude: float = 0.0
    min_s: float = 0.4
    max_s: float = 12.0
    from_turn: bool = False
    alike: float = 0.35
    full: float = 0.0
    full_soft: float = 1.0
    difference: str = ""
    out: str = "down"
    out_s: float = 0.0
    back_s: float = 0.0
    faults: tuple[Fault, ...] = field(default=())

    @property
    def held(self) -> bool:
        """Whether seconds are counted and not repetitions."""
        return not self.signal
