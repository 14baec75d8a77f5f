"""Where the detector's 2254 boxes are, and how boxes become people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The strides of the detector's maps and the boxes in each cell: SsdAnchorsCalculator's options in
# MediaPipe's modules/pose_detection/pose_detection_cpu.pbtxt (224 pixels; strides 8, 16, 32, 32
# and 32, two boxes in each, those of equal strides side by side).
_SIDE_PX = 224
_LAYERS = ((8, 2), (16, 2), (32, 6))


def make_anchors(
    side_px: int = _SIDE_PX, layers: Sequence[tuple[int, int]] = _LAYERS
) -> NDArray[np.float64]:
    """Return the middles of a detector's boxes, x and y in 0..1 of its picture.

    Parameters
    ----------
    side_px
        The picture's side.
    layers
        The stride of each map, pixels, and how many boxes a cell of it has.

    Returns
    -------
    ndarray, shape (N, 2)
        2254 for the pose detector.
    """
    middles = []
    for stride_px, per_cell in layers:
        cells = side_px // stride_px
        rows, columns = np.mgrid[0:cells, 0:cells]
        middle = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) / cells
        middles.append(np.repeat(middle, per_cell, axis=0))
    return np.concatenate(middles)


def merge_overlapping(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], min_overlap: float
) -> NDArray[np.float64]:
    """Weighted non-maximum suppression: boxes on the same person become their weighted mean.

    Parameters
    ----------
    boxes : ndarray, shape (N, P, 2)
        Points: the upper left corner, the lower right one, and any others,
        which are averaged as the corners are.
    scores : ndarray, shape (N,)
        The weights.
    min_overlap : float
        Boxes with a larger intersection over union with the best one, 0..1,
        are on the same person.

    Returns
    -------
    ndarray, shape (M, P, 2)
        Best first.
    """
    left = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 1] - boxes[:, 0], axis=1)
    merged = []
    while len(left):
        best = left[0]
        low = np.maximum(boxes[left, 0], boxes[best, 0])
        high = np.minimum(boxes[left, 1], boxes[best, 1])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        union = np.maximum(areas[left] + areas[best] - shared, 1e-12)
        same = shared / union > min_overlap
        # A box without area overlaps nothing, not even itself.
        same[0] = True
        group = left[same]
        merged.append(np.average(boxes[group], axis=0, weights=scores[group]))
        left = left[~same]
    people: NDArray[np.float64] = np.array(merged).reshape(-1, *boxes.shape[1:])
    return people
