"""Encoded pictures that clients send: what their headers say, read before anything is decoded."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from signaling.errors import BadMessage, SignalingError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">II")
_JPEG = b"\xff\xd8"
_JPEG_END = b"\xff\xd9"
# length, precision, height, width (ITU-T T.81, B.2.2)
_FRAME_HEADER = struct.Struct(">HBHH")
_START_OF_SCAN = 0xDA
_SCAN = b"\xff\xda"
# Progressive encoders make some ten. A scan of 33 bytes over 16 megapixels takes 11 ms, so that a
# message full of them would keep a worker busy for an hour.
_MAX_SCANS = 100
# Every start of frame, SOF0 to SOF15, but for the codes among them that are DHT, JPG and DAC.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Codes that stand alone, without a length (B.1.1.3). None belongs before the first scan, and a
# decoder that goes past one reads on elsewhere than this does: it would see another size.
_STANDS_ALONE = frozenset((0x01, *range(0xD0, 0xDA)))
# A camera's picture has some ten segments; going through more is only asked of us to waste time.
_MAX_SEGMENTS = 500


class BadPicture(BadMessage):
    """The bytes are no JPEG or PNG that can be decoded."""


class PictureTooLarge(SignalingError):
    """More pixels or bytes than this server takes."""

    code = 413


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A JPEG or PNG, whole, and of a size that may be decoded.

    Attributes
    ----------
    data
        The file.
    width, height
        As its header says, in pixels. Exif may turn it by 90 degrees.
    """

    data: bytes
    width: int
    height: int

    @classmethod
    def read(cls, data: bytes, *, max_pixels: int) -> EncodedPicture:
        """Look at the header.

        Parameters
        ----------
        data
            What the client sent.
        max_pixels
            The most that may be decoded.

        Raises
        ------
        BadPicture
            It is no JPEG or PNG, or cut off.
        PictureTooLarge
            It has more pixels.
        """
        width, height = read_size(data)
        if width * height > max_pixels:
            raise PictureTooLarge(
                f"the picture has {width} x {height} pixels: send at most {max_pixels}"
            )
        return cls(data, width, height)


def limit_decoders(max_pixels: int) -> None:
    """Have OpenCV decode no larger picture, in this process and in those that it starts.

    For a header that it reads in another way than `read_size`. It reads this when it is imported,
    so that has to be later.
    """
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(max_pixels)


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, as the only header of a JPEG or PNG says.

    Raises
    ------
    BadPicture
        It is no JPEG or PNG, cut off, or says more than one thing.
    """
    if data.startswith(_PNG):
        width, height = _read_png(data)
    elif data.startswith(_JPEG):
        width, height = _read_jpeg(data)
    else:
        raise BadPicture("this is no picture: send a JPEG or a PNG")
    if not width or not height:
        raise BadPicture("the picture has no width or no height")
    return width, height


def _read_png(data: bytes) -> tuple[int, int]:
    # The header comes first (ISO 15948, 5.6): after length and name, width and height.
    if data[12:16] != b"IHDR" or len(data) < 24:
        raise BadPicture("the PNG has no header")
    if b"IEND" not in data:
        raise BadPicture("the PNG is cut off")
    width, height = _PNG_SIZE.unpack_from(data, 16)
    # Each chunk before the pixels, by its length (5.3): a second header is nobody's mistake.
    position = 33
    for _ in range(_MAX_SEGMENTS):
        name = data[position + 4 : position + 8]
        if name == b"IHDR":
            raise BadPicture("the PNG has two headers")
        if name in (b"IDAT", b"IEND", b""):
            return width, height
        position += 12 + int.from_bytes(data[position : position + 4])
    raise BadPicture("the PNG's header is damaged")


def _read_jpeg(data: bytes) -> tuple[int, int]:
    size: tuple[int, int] | None = None
    position = 2
    for _ in range(_MAX_SEGMENTS):
        if position + 4 > len(data) or data[position] != 0xFF:
            break
        code = data[position + 1]
        if code == 0xFF:  # A fill byte, any number of which may stand before a code (B.1.1.2).
            position += 1
            continue
        if code in _STANDS_ALONE:
            break
        if code in _START_OF_FRAME and position + 2 + _FRAME_HEADER.size <= len(data):
            if size is not None:
                raise BadPicture("the JPEG has two headers")
            _, _, height, width = _FRAME_HEADER.unpack_from(data, position + 2)
            size = (width, height)
        if code == _START_OF_SCAN:
            if size is None:
                break
            # Within what is coded, 0xFF is always followed by a zero or a restart's code.
            if data.find(_JPEG_END, position) < 0:
                raise BadPicture("the JPEG is cut off")
            if data.count(_SCAN, position) > _MAX_SCANS:
                raise BadPicture("the JPEG has too many scans")
            return size
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    raise BadPicture("the JPEG's header is damaged")
