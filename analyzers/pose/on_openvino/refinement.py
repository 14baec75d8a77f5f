"""Moves landmarks to where the heat maps are hottest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# RefineLandmarksFromHeatmapCalculator's options in pose_landmarks_detector_graph.cc.
_KERNEL = np.arange(-3, 4)
_MIN_CONFIDENCE = 0.5


def refine(points: NDArray[np.float64], heat_maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each point moved to the heat's centre of mass in the window of 7 x 7 cells around it.

    A point stays where it is when it is outside the map, or when nothing in
    its window is hot enough.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        x and y in 0..1 of the picture.
    heat_maps : ndarray, shape (S, S, M)
        Logits; of M maps the first N are those of the points.

    Returns
    -------
    ndarray, shape (N, 2)
    """
    count, side = len(points), heat_maps.shape[0]
    # Towards 0, so that a point a little outside counts as in the first cell, as in MediaPipe.
    cells = np.trunc(points * side).astype(int)
    inside = ((cells >= 0) & (cells < side)).all(axis=1)
    columns, rows = cells[:, 0, None] + _KERNEL, cells[:, 1, None] + _KERNEL
    window = heat_maps[
        rows.clip(0, side - 1)[:, :, None],
        columns.clip(0, side - 1)[:, None, :],
        np.arange(count)[:, None, None],
    ]
    in_map = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[
        :, None
    ]
    heat = in_map / (1.0 + np.exp(-window.astype(np.float64).clip(-80, 80)))
    hot = inside & (heat.max(axis=(1, 2)) >= _MIN_CONFIDENCE)
    total = np.where(hot, heat.sum(axis=(1, 2)), 1.0)
    centres = np.stack(
        [
            (heat.sum(axis=1) * columns).sum(axis=1) / total,
            (heat.sum(axis=2) * rows).sum(axis=1) / total,
        ],
        axis=1,
    )
    return np.where(hot[:, None], centres / side, points)
