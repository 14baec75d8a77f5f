"""BlazePose's detector: where in a picture people are, near the camera and at any angle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.runtime import Picture, Runtime
from analyzers.pose.on_openvino.anchors import make_anchors, merge_overlapping
from analyzers.pose.on_openvino.region import Region

# MediaPipe's defaults: min_pose_detection_confidence, and NonMaxSuppressionCalculator's
# min_suppression_threshold in pose_detector_graph.cc.
_MIN_SCORE = 0.5
_MIN_OVERLAP = 0.5

# bf16 moves the best score by up to 0.19 (614 real frames, of which 598 show somebody): no one was
# missed with 0.3 here.
_DOUBTFUL_SCORE = 0.2

# Pixels as -1..1, TensorsToDetectionsCalculator's and ImageToTensorCalculator's options.
_PICTURE = Picture("NHWC", mean=127.5, std=127.5)
_COORDINATES = 12
# The scores are logits; beyond this MediaPipe clips them.
_MAX_LOGIT = 100.0


class PoseDetector:
    """Finds regions with people in them.

    Parameters
    ----------
    runtime
        What computes it.
    model
        The network, as the runtime read it.
    quick
        Look first with the quick network; where it sees anybody, look again
        with the exact one.

    Raises
    ------
    ValueError
        When the network is no pose detector.
    """

    def __init__(self, runtime: Runtime, model: Any, *, quick: bool) -> None:
        names = {tuple(output.shape)[1:]: output.any_name for output in model.outputs}
        try:
            self._boxes = names[(2254, _COORDINATES)]
            self._scores = names[(2254, 1)]
        except KeyError:
            raise ValueError(f"it has outputs of shapes {sorted(names)}") from None
        self._network = runtime.compile(model, _PICTURE)
        self._quick = None
        if quick:
            self._quick = runtime.compile_quick(model, _PICTURE, into=self._network.picture)
        self._anchors = make_anchors()

    def find(
        self,
        rgb: NDArray[np.uint8],
        within: Region | None = None,
        *,
        nobody_is_likely: bool = True,
    ) -> list[Region]:
        """Find people.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        within : Region, optional
            Where to look; the whole frame by default.
        nobody_is_likely : bool
            Look quickly first, which is for nothing where somebody is.

        Returns
        -------
        list of Region
            One for each person, the surest first.
        """
        within = within or Region.whole(rgb)
        within.cut(rgb, self._network.picture[0])
        if self._quick is not None and nobody_is_likely:
            self._quick.run()
            if self._quick.outputs[self._scores].max() < _logit(_DOUBTFUL_SCORE):
                return []
        self._network.run()
        return [
            Region.around(*within.to_frame(keypoints[:2]))
            for keypoints in self._keypoints(
                self._network.outputs[self._boxes][0],
                self._network.outputs[self._scores].reshape(-1),
            )
        ]

    def _keypoints(
        self, boxes: NDArray[np.float32], logits: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return each person's four key points, in 0..1 of the picture: (people, 4, 2).

        The first is the middle of the hips, the second the edge of the circle
        around the body.
        """
        sure = np.flatnonzero(logits >= _logit(_MIN_SCORE))
        if not len(sure):
            return np.empty((0, 4, 2))
        scores = 1.0 / (1.0 + np.exp(-logits[sure].astype(float).clip(-_MAX_LOGIT, _MAX_LOGIT)))
        # x, y, width, height, then four points, relative to the anchor, in pixels.
        raw = boxes[sure].astype(float).reshape(len(sure), 6, 2) / self._network.picture.shape[1]
        anchors = self._anchors[sure]
        middle, extent = raw[:, 0] + anchors, raw[:, 1]
        points = raw[:, 2:] + anchors[:, None]
        corners = np.stack([middle - extent / 2, middle + extent / 2], axis=1)
        boxes_and_points = np.concatenate([corners, points], axis=1)
        people = merge_overlapping(boxes_and_points, scores, _MIN_OVERLAP)
        return people[:, 2:]


def _logit(score: float) -> float:
    return math.log(score / (1.0 - score))
