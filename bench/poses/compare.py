"""How far apart two engines' landmarks are: distances, angles, and their spread."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzers.pose.landmarks import INDEX
from bench.poses.clips import Floats


def _both_sides(first: str, corner: str, last: str) -> Iterator[tuple[int, int, int]]:
    for side in ("left", "right"):
        yield INDEX[f"{side}_{first}"], INDEX[f"{side}_{corner}"], INDEX[f"{side}_{last}"]


# Each joint's angle is that at the middle one of three landmarks.
JOINTS = (
    *_both_sides("shoulder", "elbow", "wrist"),
    *_both_sides("hip", "knee", "ankle"),
    *_both_sides("shoulder", "hip", "knee"),
    *_both_sides("elbow", "shoulder", "hip"),
)


def angles_deg(points: Floats) -> Floats:
    """Elbows', knees', hips' and shoulders' angles, 0 to 180 degrees.

    Parameters
    ----------
    points
        Shape (N, 33, 2), in pixels.

    Returns
    -------
    Shape (N, 8); NaN where a landmark is, or where two of a joint's fall together.
    """
    first, corner, last = (points[:, list(indices)] for indices in zip(*JOINTS, strict=True))
    one, other = first - corner, last - corner
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    lengths[lengths == 0.0] = np.nan
    cosine = (one * other).sum(axis=-1) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile."""

    median: float
    p95: float

    def over(self, other: "Spread") -> "Spread":
        """Both, divided by another's."""
        return Spread(_ratio(self.median, other.median), _ratio(self.p95, other.p95))


def spread(values: Floats) -> Spread:
    """Of those that are not NaN; NaN if there are none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Spread(float("nan"), float("nan"))
    median, p95 = np.percentile(known, (50, 95))
    return Spread(float(median), float(p95))


@dataclass(slots=True)
class Distances:
    """How far points are from others, frame by frame, over any number of clips.

    Attributes
    ----------
    px, angle_deg, world_cm
        Arrays of any length: a distance per landmark, an angle's difference per joint.
    """

    px: list[Floats] = field(default_factory=list)
    angle_deg: list[Floats] = field(default_factory=list)
    world_cm: list[Floats] = field(default_factory=list)

    def add_px(self, points: Floats, others: Floats) -> None:
        """Take in points in pixels, both (N, 33, 2), and the angles that they make."""
        self.px.append(np.linalg.norm(points - others, axis=-1).ravel())
        self.angle_deg.append(np.abs(angles_deg(points) - angles_deg(others)).ravel())

    def add_world_cm(self, points: Floats, others: Floats) -> None:
        """Take in points in centimetres, both (N, 33, 3)."""
        self.world_cm.append(np.linalg.norm(points - others, axis=-1).ravel())

    def spreads(self) -> dict[str, Spread]:
        """By unit; only those that something was taken in for."""
        units = {"px": self.px, "world_cm": self.world_cm, "angle_deg": self.angle_deg}
        return {unit: spread(np.concatenate(parts)) for unit, parts in units.items() if parts}


@dataclass(slots=True)
class Agreement:
    """How many frames each of two engines found someone in."""

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    neither: int = 0

    def add(self, first: Iterable[bool], second: Iterable[bool]) -> None:
        """Take in whether either found someone, frame by frame."""
        for one, other in zip(first, second, strict=True):
            if one and other:
                self.both += 1
            elif one:
                self.only_first += 1
            elif other:
                self.only_second += 1
            else:
                self.neither += 1


def _ratio(value: float, of: float) -> float:
    return value / of if of else float("nan")
