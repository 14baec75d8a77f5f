"""Turns the picture of a person into a vector that is alike for pictures of the same person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.networks import loading
from analyzers.networks.boxes import Box
from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar


class Embedder:
    """A re-identification network.

    Parameters
    ----------
    runtime
        What computes it.
    path
        Its file, .xml (with the .bin beside it) or .onnx.
    sidecar
        How it wants its picture.
    quick
        Compute it quickly.

    Attributes
    ----------
    name : str
        The network's.
    size : int
        Length of its vectors.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is no network, or none of this kind.
    """

    def __init__(self, runtime: Runtime, path: Path, sidecar: Sidecar, *, quick: bool) -> None:
        if sidecar.task != "re-identification":
            raise ValueError(f"{path} is for {sidecar.task}, not for re-identification")
        model = loading.read(runtime, path, "re-identification network")
        width, height = sidecar.size
        # ONNX leaves the number of pictures open.
        set_picture_size(model, path, width, height)
        shape = [int(length) for length in model.outputs[0].get_partial_shape().get_min_shape()]
        if len(model.outputs) != 1 or len(shape) < 2 or max(shape) != int(np.prod(shape)):
            raise ValueError(
                f"{path} is no re-identification network: it has {len(model.outputs)} outputs,"
                f" the first of shape {shape}, not one of shape [1, N]"
            )
        self._network = loading.compile_network(runtime, model, sidecar.picture, quick=quick)
        self._output = model.outputs[0].any_name
        self.name = sidecar.name or path.stem
        self.size = max(shape)

    def embed(self, rgb: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Embed one person.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        box
            Where they are; what is outside the frame is left out.

        Returns
        -------
        ndarray, shape (N,), float32
            Of length 1.

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
        return _unit(total + self._run())

    def _run(self) -> NDArray[np.float32]:
        self._network.run()
        return _unit(self._network.outputs[self._output].reshape(-1))


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = max(float(np.linalg.norm(vector)), float(np.finfo(np.float32).tiny))
    return (vector / length).astype(np.float32)


def set_picture_size(model: Any, path: Path, width: int, height: int) -> None:
    """Make a network take one picture of this size.

    Raises
    ------
    ValueError
        When it does not take pictures of three channels, or not this size.
    """
    shapes = [port.get_partial_shape() for port in model.inputs]
    if len(shapes) == 1 and shapes[0].compatible(type(shapes[0])([-1, 3, height, width])):
        try:
            model.reshape([1, 3, height, width])
            return
        except RuntimeError:
            pass
    takes = ", ".join(map(str, shapes))
    raise ValueError(f"{path} takes {takes}, no picture of {width}x{height} in three channels")


def cut(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the part of a frame that a box covers, without copying it.

    Raises
    ------
    ValueError
        When nothing of the box is in the frame.
    """
    height, width = rgb.shape[:2]
    x0, y0 = max(round(box.x0), 0), max(round(box.y0), 0)
    x1, y1 = min(round(box.x1), width), min(round(box.y1), height)
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"nothing of {box} is in the frame of {width}x{height}")
    return rgb[y0:y1, x0:x1]
