"""Finds people by boxes, also those far from the camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box
from analyzers.networks.runtime import Picture, Runtime

DEFAULT_NAME = "person-detection-retail-0013"

# Open Model Zoo, person-detection-retail-0013: BGR, 0..255, not letterboxed; the answer is rows of
# image, label, confidence, x0, y0, x1, y1 in 0..1, ended by an image of -1.
_PICTURE = Picture("NCHW", channels="BGR")
_ROW = 7


class PersonDetector:
    """A network of the SSD family that answers with boxes.

    Parameters
    ----------
    runtime
        What computes it.
    path
        Its file, .xml (with the .bin beside it) or .onnx.
    quick
        Compute it quickly: bf16 moves this one's boxes by less than a pixel.
    min_score
        Boxes with less are left out.

    Raises
    ------
    ValueError
        When it is no network, or none of this kind.
    """

    def __init__(
        self, runtime: Runtime, path: Path, *, quick: bool, min_score: float = 0.5
    ) -> None:
        model = runtime.read(path)
        shapes = [list(port.get_partial_shape().get_min_shape()) for port in model.inputs]
        answer = list(model.outputs[0].get_partial_shape().get_min_shape())
        if [len(shape) for shape in shapes] != [4] or shapes[0][1] != 3 or answer[-1:] != [_ROW]:
            raise ValueError(
                f"{path} is no person detector of a known kind: it takes {shapes} and answers"
                f" {answer}, not [1, 3, H, W] and [1, 1, N, {_ROW}] as {DEFAULT_NAME} does"
            )
        self._network = runtime.compile(model, _PICTURE, quick=quick)
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
            The surest first.
        """
        picture = self._network.picture[0]
        cv2.resize(rgb, picture.shape[1::-1], dst=picture, interpolation=cv2.INTER_LINEAR)
        self._network.run()
        height, width = rgb.shape[:2]
        boxes = []
        for image, _, score, *corners in self._network.outputs[self._output].reshape(-1, _ROW):
            if image < 0:
                break
            if score >= self._min_score:
                x0, y0, x1, y1 = np.multiply(corners, [width, height] * 2).tolist()
                boxes.append(Box(x0, y0, x1, y1, float(score)))
        return sorted(boxes, key=lambda box: -box.score)
