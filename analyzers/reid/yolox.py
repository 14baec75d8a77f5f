"""Finds people with a network of the YOLOX family."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, overlap
from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar

# YOLOX: Exceeding YOLO Series in 2021 (arXiv 2107.08430), and its repository's demo
# (yolox/data/data_augment.py, yolox/utils/demo_utils.py): the picture in the upper left corner on
# grey of 114, cells of three sizes, a row of 4 + 1 + classes for each cell.
_GREY = 114
_STRIDES = (8, 16, 32)
_OBJECTNESS = 4
_PERSON = 5  # COCO's first class

# As in the demo.
_MAX_OVERLAP = 0.45

# bench/reid.py, TUD-Campus: the demo's 0.3 finds 3 % more, and three times as many who are not
# there.
_MIN_SCORE = 0.5


class YoloxDetector:
    """A network that answers with a row for each cell of three grids.

    Parameters
    ----------
    runtime
        What computes it.
    path
        Its file, .xml (with the .bin beside it) or .onnx, exported without decoding.
    sidecar
        How it wants its picture.
    min_score
        Boxes with less are left out.

    Raises
    ------
    ValueError
        When it is no network, or none of this kind.
    """

    def __init__(
        self,
        runtime: Runtime,
        path: Path,
        sidecar: Sidecar,
        *,
        min_score: float = _MIN_SCORE,
    ) -> None:
        model = runtime.read(path)
        width, height = sidecar.size
        self._cells, self._strides = _grids(width, height)
        runtime.set_picture_size(model, width, height, path)
        answer = [int(length) for length in model.outputs[0].get_partial_shape().get_min_shape()]
        if len(answer) != 3 or answer[1] != len(self._cells) or answer[2] <= _PERSON:
            raise ValueError(
                f"{path} is no detector of the YOLOX family: it answers {answer}, not"
                f" [1, {len(self._cells)}, 5 + classes]"
            )
        self._network = runtime.compile(model, sidecar.picture, quick=runtime.has_quick)
        self._output = model.outputs[0].any_name
        self._min_score = min_score

    def find(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Find people.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.

        Returns
        -------
        list of Box
            The surest first, none of which covers much of another.
        """
        scale = self._show(rgb)
        self._network.run()
        rows = self._network.outputs[self._output][0]
        scores = rows[:, _OBJECTNESS] * rows[:, _PERSON]
        sure = np.flatnonzero(scores >= self._min_score)
        rows, scores, strides = rows[sure], scores[sure], self._strides[sure]
        middles = (rows[:, :2] + self._cells[sure]) * strides
        halves = np.exp(rows[:, 2:4]) * strides / 2
        corners = np.hstack([middles - halves, middles + halves]) / scale
        found = [
            Box(x0, y0, x1, y1, score)
            for (x0, y0, x1, y1), score in zip(corners.tolist(), scores.tolist(), strict=True)
        ]
        return _without_doubles(found)

    def _show(self, rgb: NDArray[np.uint8]) -> float:
        """Put the frame into the network's picture; returns its scale there."""
        picture = self._network.picture[0]
        height, width = rgb.shape[:2]
        scale: float = min(picture.shape[0] / height, picture.shape[1] / width)
        rows, columns = max(int(height * scale), 1), max(int(width * scale), 1)
        picture[rows:] = _GREY
        picture[:, columns:] = _GREY
        picture[:rows, :columns] = cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_LINEAR)
        return scale


def _grids(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each cell's column and row, shape (N, 2), and its size in pixels, shape (N, 1)."""
    cells, strides = [], []
    for stride in _STRIDES:
        columns, rows = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        grid = np.stack([columns, rows], axis=-1).reshape(-1, 2)
        cells.append(grid)
        strides.append(np.full((len(grid), 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _without_doubles(boxes: list[Box]) -> list[Box]:
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(overlap(box, other) <= _MAX_OVERLAP for other in kept):
            kept.append(box)
    return kept
