"""BlazeFace: where in a picture faces are, within some two metres of the camera."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.runtime import Picture, Runtime
from analyzers.pose.on_openvino.anchors import make_anchors, merge_overlapping
from analyzers.pose.on_openvino.region import Region

# MediaPipe's face_detection_short_range_common.pbtxt.
_SIDE_PX = 128
_LAYERS = ((8, 2), (16, 6))
_MIN_SCORE = 0.5
_MIN_OVERLAP = 0.3
_PICTURE = Picture("NHWC", mean=127.5, std=127.5)
_BOXES, _COORDINATES = 896, 16
_MAX_LOGIT = 100.0
# face_detection_front_detection_to_roi.pbtxt: half as much again as the box, turned by the eyes.
_MARGIN = 1.5


class FaceDetector:
    """Finds regions with faces in them.

    Raises
    ------
    ValueError
        When the network is no face detector.
    """

    def __init__(self, runtime: Runtime, model: Any) -> None:
        names = {tuple(output.shape)[1:]: output.any_name for output in model.outputs}
        try:
            self._boxes = names[(_BOXES, _COORDINATES)]
            self._scores = names[(_BOXES, 1)]
        except KeyError:
            raise ValueError(f"it has outputs of shapes {sorted(names)}") from None
        self._network = runtime.compile(model, _PICTURE)
        self._anchors = make_anchors(_SIDE_PX, _LAYERS)

    def find(self, rgb: NDArray[np.uint8]) -> list[Region]:
        """Return a region for each face of a frame, shape (H, W, 3), the largest first."""
        whole = Region.whole(rgb)
        whole.cut(rgb, self._network.picture[0])
        self._network.run()
        logits = self._network.outputs[self._scores].reshape(-1)
        sure = np.flatnonzero(logits >= math.log(_MIN_SCORE / (1.0 - _MIN_SCORE)))
        if not len(sure):
            return []
        scores = 1.0 / (1.0 + np.exp(-logits[sure].astype(float).clip(-_MAX_LOGIT, _MAX_LOGIT)))
        raw = self._network.outputs[self._boxes][0, sure].astype(float)
        raw = raw.reshape(len(sure), 8, 2) / _SIDE_PX
        anchors = self._anchors[sure]
        middle, half = raw[:, 0] + anchors, raw[:, 1] / 2.0
        points = raw[:, 2:] + anchors[:, None]
        corners = np.stack([middle - half, middle + half], axis=1)
        faces = merge_overlapping(np.concatenate([corners, points], axis=1), scores, _MIN_OVERLAP)
        regions = [_around(whole.to_frame(face)) for face in faces]
        return sorted(regions, key=lambda region: -region.size)


def _around(points: NDArray[np.float64]) -> Region:
    """Return the region of a face by its box's corners, its right eye and its left one."""
    x, y = points[:2].mean(axis=0)
    side = float((points[1] - points[0]).max())
    dx, dy = points[3] - points[2]
    return Region(float(x), float(y), _MARGIN * side, math.atan2(dy, dx))
