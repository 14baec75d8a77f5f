"""Pictures as OpenCV has I420: the planes of Y, U and V behind each other in one array."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from server.media.decoding import Array


class I420Frame(Protocol):
    """What is needed of an ``av.VideoFrame`` in the format yuv420p."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def planes(self) -> Any: ...


def even(length: int) -> int:
    """A length in pixels, rounded up to what planes of half the size can have."""
    return length + (length & 1)


def planes_bytes(width: int, height: int) -> int:
    """How many bytes the planes of a picture take."""
    return even(width) * even(height) * 3 // 2


def planes_of(frame: I420Frame) -> Array:
    """Copy a frame's planes.

    Returns
    -------
    ndarray, shape (height * 3 / 2, width), uint8
        Both rounded up to even.
    """
    planes = np.empty((even(frame.height) * 3 // 2, even(frame.width)), np.uint8)
    store_planes(planes.reshape(-1), frame)
    return planes


def store_planes(target: Array, frame: I420Frame) -> None:
    """Copy Y, U and V without the decoder's padding; odd edges are repeated to an even size.

    Parameters
    ----------
    target
        As many bytes as `planes_bytes` says, in one row.
    """
    even_width, even_height = even(frame.width), even(frame.height)
    luma_bytes = even_width * even_height
    luma = target[:luma_bytes].reshape(even_height, even_width)
    luma[: frame.height, : frame.width] = _plane(frame.planes[0], frame.width, frame.height)
    if frame.width != even_width:
        luma[:, -1] = luma[:, -2]
    if frame.height != even_height:
        luma[-1] = luma[-2]
    half_width, half_height = even_width // 2, even_height // 2
    chroma = target[luma_bytes:].reshape(2, half_height, half_width)
    for i in (0, 1):
        chroma[i] = _plane(frame.planes[1 + i], half_width, half_height)


def _plane(plane: Any, width: int, height: int) -> Array:
    rows = np.frombuffer(plane, np.uint8)[: plane.line_size * height]
    return rows.reshape(height, plane.line_size)[:, :width]
