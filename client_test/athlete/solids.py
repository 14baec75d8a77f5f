"""Collects the solids, materials and frames of a picture as the rows that the tracer reads."""

import numpy as np
from numpy.typing import NDArray

from . import distance
from .geometry import Rotation, Vector, axes_along, vector
from .material import Kind


class Solids:
    """The solids of one picture."""

    def __init__(self) -> None:
        self._solids: list[NDArray[np.float64]] = []
        self._materials: list[list[float]] = []
        self._frames: list[NDArray[np.float64]] = []
        self.owners: list[int] = []
        """For each group, whose body it belongs to (the person's index)."""

    def frame(self, origin: Vector, rotation: Rotation, scale: float) -> int:
        """Add a frame to paint patterns in; returns its number."""
        self._frames.append(np.concatenate([origin, rotation.T.ravel(), [scale]]))
        return len(self._frames) - 1

    def group(
        self,
        owner: int,
        kind: Kind,
        colour: Vector,
        frame: int,
        *,
        colour_2: Vector | None = None,
        shine: float = 0.05,
        amount: float = 0.0,
    ) -> int:
        """Add a group of solids of one material; returns its number."""
        second = colour if colour_2 is None else colour_2
        self._materials.append([*colour, int(kind), *second, shine, frame, amount])
        self.owners.append(owner)
        return len(self._materials) - 1

    def ellipsoid(
        self,
        group: int,
        centre: Vector,
        axes: Rotation,
        radii: tuple[float, float, float],
        *,
        blend: float = 0.02,
        subtract: bool = False,
    ) -> None:
        row = np.zeros(distance.COLUMNS)
        row[distance.ORIGIN : distance.ORIGIN + 3] = centre
        row[distance.AXES : distance.AXES + 9] = axes.T.ravel()
        row[distance.SCALE : distance.SCALE + 3] = radii
        row[distance.BOUND_CENTRE : distance.BOUND_CENTRE + 3] = centre
        row[distance.BOUND_RADIUS] = max(radii)
        row[distance.BLEND] = blend
        row[distance.SUBTRACT] = subtract
        row[distance.GROUP] = group
        self._solids.append(row)

    def cone(
        self,
        group: int,
        start: Vector,
        end: Vector,
        radius_1: float,
        radius_2: float,
        *,
        blend: float = 0.02,
        towards: Vector | None = None,
        width: float = 1.0,
        depth: float = 1.0,
    ) -> None:
        """A cone with round ends; `depth` flattens it along `towards`, `width` across that."""
        length = float(np.linalg.norm(end - start))
        along = (end - start) / length
        if towards is None:
            towards = vector(0, 0, 1) if abs(along[2]) < 0.9 else vector(1, 0, 0)
        # The end caps must not swallow each other, or the distance has no meaning.
        radius_2 = min(max(radius_2, radius_1 - 0.95 * length), radius_1 + 0.95 * length)
        row = np.zeros(distance.COLUMNS)
        row[distance.ORIGIN : distance.ORIGIN + 3] = start
        row[distance.AXES : distance.AXES + 9] = axes_along(along, towards).T.ravel()
        row[distance.SCALE : distance.SCALE + 3] = (width, 1.0, depth)
        row[distance.LENGTH] = length
        row[distance.RADIUS_1] = radius_1
        row[distance.RADIUS_2] = radius_2
        row[distance.BOUND_CENTRE : distance.BOUND_CENTRE + 3] = (start + end) / 2.0
        row[distance.BOUND_RADIUS] = length / 2.0 + max(radius_1, radius_2) * max(1.0, width, depth)
        row[distance.BLEND] = blend
        row[distance.GROUP] = group
        self._solids.append(row)

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Solids (N, COLUMNS) sorted by group, materials (G, 10) and frames (F, 13)."""
        solids = np.array(self._solids)
        solids = solids[np.argsort(solids[:, distance.GROUP], kind="stable")]
        return solids, np.array(self._materials, dtype=np.float64), np.array(self._frames)
