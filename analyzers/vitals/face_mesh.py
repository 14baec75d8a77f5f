"""The mesh of 468 points on a face."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.runtime import Picture, Runtime
from analyzers.pose.on_openvino.region import Region

POINTS = 468
_PICTURE = Picture("NHWC", std=255.0)
_SIDE_PX = 192
# face_landmark_landmarks_to_roi.pbtxt: half as much again as the points' box, turned by the eyes'
# outer corners.
_MARGIN = 1.5
RIGHT_EYE, LEFT_EYE = 33, 263
_NOSE, _RIGHT_EDGE, _LEFT_EDGE = 1, 234, 454


# Without slots: what is asked of it at every frame is computed once.
@dataclass(frozen=True)
class Face:
    """One face in a frame.

    Attributes
    ----------
    score : float
        That there is one, 0..1.
    points : ndarray, shape (468, 2)
        Pixels of the frame.
    """

    score: float
    points: NDArray[np.float64]

    @cached_property
    def region(self) -> Region:
        """Where to look for it in the next frame."""
        dx, dy = self.points[LEFT_EYE] - self.points[RIGHT_EYE]
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        x, y = (low + high) / 2.0
        side = float((high - low).max())
        return Region(float(x), float(y), _MARGIN * side, math.atan2(dy, dx))

    @cached_property
    def width(self) -> float:
        """From ear to ear as seen, pixels."""
        return float(np.linalg.norm(self.points[_LEFT_EDGE] - self.points[_RIGHT_EDGE]))

    @cached_property
    def turned(self) -> float:
        """How far it is turned aside: 0 for a face seen from the front, 1 for a profile."""
        axis = self.points[_LEFT_EDGE] - self.points[_RIGHT_EDGE]
        along = (self.points[_NOSE] - self.points[_RIGHT_EDGE]) @ axis / max(axis @ axis, 1e-9)
        return float(min(1.0, abs(2.0 * along - 1.0)))


class FaceMesh:
    """Finds the points of a face in a region.

    Raises
    ------
    ValueError
        When the network is none for this.
    """

    def __init__(self, runtime: Runtime, model: Any) -> None:
        sizes = {int(np.prod(tuple(output.shape))): output.any_name for output in model.outputs}
        try:
            self._points, self._score = sizes[POINTS * 3], sizes[1]
        except KeyError:
            raise ValueError(f"it has outputs of sizes {sorted(sizes)}") from None
        self._network = runtime.compile(model, _PICTURE)

    def look(self, rgb: NDArray[np.uint8], region: Region) -> Face:
        """Return what is in a region of a frame, shape (H, W, 3)."""
        region.cut(rgb, self._network.picture[0])
        self._network.run()
        logit = float(self._network.outputs[self._score].flat[0])
        points = self._network.outputs[self._points].reshape(POINTS, 3)[:, :2].astype(float)
        score = 1.0 / (1.0 + math.exp(-min(max(logit, -80.0), 80.0)))
        return Face(score, region.to_frame(points / _SIDE_PX))
