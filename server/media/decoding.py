"""Decoding a picture that came as JPEG or PNG. Slow: never on the event loop."""

from __future__ import annotations

import io
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from server.media.picture import BadPicture, read_size

Array = NDArray[np.uint8]

_PNG = b"\x89PNG\r\n\x1a\n"


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
    file = encoded.tobytes()
    try:
        size = read_size(file)
    except BadPicture as error:
        raise NotDecodable(f"the picture can not be decoded: {error}") from error
    rgb = _decode_png(file, size) if file.startswith(_PNG) else _decode_jpeg(encoded)
    # Exif may have turned it.
    if rgb is None or rgb.shape[:2] not in (size, size[::-1]):
        raise NotDecodable("the picture can not be decoded")
    return rgb


def _decode_jpeg(encoded: Array) -> Array | None:
    try:
        # Typed as never None, which it is of damaged files.
        return cast(Array | None, cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))
    except cv2.error:
        return None


def _decode_png(file: bytes, size: tuple[int, int]) -> Array | None:
    """Decode with Pillow: OpenCV 4.11 spends ten seconds on a damaged PNG of a kilobyte."""
    try:
        with Image.open(io.BytesIO(file), formats=("PNG",)) as opened:
            # Before it makes room for the pixels.
            if opened.size != size:
                return None
            image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255.
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return np.repeat(grey[..., np.newaxis], 3, axis=2)
        return np.asarray(image.convert("RGB"))
    # What Pillow raises of damaged files is anything from OSError to SyntaxError.
    except Exception:
        return None
