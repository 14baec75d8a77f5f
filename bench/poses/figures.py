"""What the speed measurements come to."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.poses.turns import Answers


@dataclass(frozen=True, slots=True)
class SpeedFigures:
    """How long an engine takes for a frame of a clip, or of an empty scene.

    Attributes
    ----------
    median_ms, mean_ms
        By the clock.
    cpu_ms
        The mean of what all threads took together.
    found
        Frames that someone was found in.
    """

    clip: str
    engine: str
    frames: int
    median_ms: float
    mean_ms: float
    cpu_ms: float
    found: int


@dataclass(frozen=True, slots=True)
class ProcessesFigures:
    """What two processes do together.

    Attributes
    ----------
    frames_per_s
        Of both; the median of the rounds.
    slowest_per_s, fastest_per_s
        Of the rounds.
    cpu_ms
        A frame's.
    """

    engine: str
    frames_per_s: float
    slowest_per_s: float
    fastest_per_s: float
    cpu_ms: float


def speed(clip: str, engine: str, parts: Iterable[Answers]) -> SpeedFigures:
    """The figures of an engine's answers to one or several clips."""
    parts = list(parts)
    wall_ms = np.concatenate([part.wall_ms for part in parts])
    cpu_ms = np.concatenate([part.cpu_ms for part in parts])
    return SpeedFigures(
        clip,
        engine,
        len(wall_ms),
        float(np.median(wall_ms)),
        float(wall_ms.mean()),
        float(cpu_ms.mean()),
        sum(part.found for part in parts),
    )
