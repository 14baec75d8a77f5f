"""Decoding a picture that came as JPEG or PNG. Slow: never on the event loop."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from server.workers.mailbox import Array


class NotDecodable(ValueError):
    """The picture is damaged, or of a kind that can not be decoded."""


def decode(data: bytes | Array) -> Array:
    """Decode a JPEG or PNG, the first picture of an animated one, turned as its Exif says.

    Parameters
    ----------
    data
        The file: bytes, or an array of shape (N,), uint8.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        RGB. CMYK, grey, 16 bits and transparency are converted.

    Raises
    ------
    NotDecodable
        One line that says so.
    """
    encoded = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    try:
        # Typed as never None, which it is of damaged files.
        rgb = cast(Array | None, cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))
    except cv2.error as error:
        raise NotDecodable("the picture can not be decoded") from error
    if rgb is None:
        raise NotDecodable("the picture can not be decoded")
    return rgb
