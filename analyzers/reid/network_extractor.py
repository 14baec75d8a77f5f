"""Describes people with a re-identification network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, cut
from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar
from analyzers.reid.embedding import Embedding

# For networks whose sidecar names none: between those of the networks we know.
_THRESHOLD = 0.5


class NetworkExtractor:
    """Turns the picture of a person into a vector, alike for pictures of the same person.

    Parameters
    ----------
    runtime
        What computes it.
    path
        Its file, .xml (with the .bin beside it) or .onnx.
    sidecar
        How it wants its picture.

    Attributes
    ----------
    name : str
        The network's.
    size : int
        Length of its vectors.
    threshold : float
        The largest cosine distance at which two pictures show one person.

    Raises
    ------
    ValueError
        When it is no network, or none of this kind.
    """

    is_fallback = False

    def __init__(self, runtime: Runtime, path: Path, sidecar: Sidecar) -> None:
        model = runtime.read(path)
        width, height = sidecar.size
        # ONNX leaves the number of pictures open.
        runtime.set_picture_size(model, width, height, path)
        shape = [int(length) for length in model.outputs[0].get_partial_shape().get_min_shape()]
        if len(model.outputs) != 1 or len(shape) < 2 or max(shape) != int(np.prod(shape)):
            raise ValueError(
                f"{path} is no re-identification network: it has {len(model.outputs)} outputs,"
                f" the first of shape {shape}, not one of shape [1, N]"
            )
        self._network = runtime.compile(model, sidecar.picture, quick=runtime.has_quick)
        self._output = model.outputs[0].any_name
        self.name = sidecar.name or path.stem
        self.size = max(shape)
        self.threshold = _THRESHOLD if sidecar.threshold is None else sidecar.threshold

    def describe(
        self, rgb: NDArray[np.uint8], box: Box, landmarks: NDArray[np.float64] | None = None
    ) -> Embedding:
        """Describe one person.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        box
            Where they are; what is outside the frame is left out.

        Raises
        ------
        ValueError
            When nothing of the box is in the frame.
        """
        picture = self._network.picture[0]
        cv2.resize(cut(rgb, box), picture.shape[1::-1], dst=picture, interpolation=cv2.INTER_LINEAR)
        # A person is the same in a mirror, and the mean of both says so better than either.
        total = self._run()
        picture[:] = picture[:, ::-1].copy()
        return Embedding(self.name, total + self._run())

    def _run(self) -> NDArray[np.float32]:
        self._network.run()
        vector = self._network.outputs[self._output].reshape(-1)
        length = max(float(np.linalg.norm(vector)), float(np.finfo(np.float32).tiny))
        return (vector / length).astype(np.float32)
