"""Encoded pictures to send to a server."""

import io
import struct
import zlib
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from client_test.athlete.clip import Clip
from tests.support.server import ROOT

Array = NDArray[np.uint8]

QUALITY = 80
BOMB_SIZE = (30_000, 30_000)


@cache
def sample_frames(count: int) -> tuple[Array, ...]:
    """The first frames of the sample video, in which one person moves; (H, W, 3), RGB."""
    with av.open(ROOT / "sample-video.mp4") as clip:
        frames = clip.decode(video=0)
        return tuple(next(frames).to_ndarray(format="rgb24") for _ in range(count))


@cache
def sample_jpegs(count: int) -> tuple[bytes, ...]:
    """The same as a browser's canvas encodes them."""
    return tuple(jpeg(frame) for frame in sample_frames(count))


@cache
def rendered_jpeg(clip: Clip, *, at_turn: bool = True) -> bytes:
    """The athlete in a clip of one shot: at the first turn, or getting ready."""
    turn_s = clip.shots[0].performances[0].repetitions()[0].turn_s
    return jpeg(clip.picture(round(turn_s * clip.fps) if at_turn else 0).rgb)


def jpeg(rgb: Array, **options: Any) -> bytes:
    """A JPEG; options as Pillow has them."""
    return _encode(Image.fromarray(rgb), "JPEG", quality=QUALITY, **options)


def png(rgb: Array, **options: Any) -> bytes:
    """A PNG; options as Pillow has them."""
    return _encode(Image.fromarray(rgb), "PNG", **options)


def _encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain_jpeg(rgb: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    """A JPEG of one colour."""
    width, height = size
    return jpeg(np.full((height, width, 3), rgb, np.uint8))


def jpeg_cut_inside() -> bytes:
    """A JPEG whose header and end are fine, and that has no tables to decode the rest with."""
    data = jpeg(np.zeros((48, 64, 3), np.uint8))
    begin = data.index(b"\xff\xdb")
    return data[:begin] + data[data.index(b"\xff\xc0") :]


def cmyk_jpeg(rgb: Array) -> bytes:
    """A JPEG in the colours of print."""
    return _encode(Image.fromarray(rgb).convert("CMYK"), "JPEG", quality=QUALITY)


def deep_png(rgb: Array) -> bytes:
    """A PNG of 16 bits a channel."""
    deep = rgb[..., ::-1].astype(np.uint16) * 257
    return cv2.imencode(".png", deep)[1].tobytes()


def animated_png(frames: tuple[Array, ...]) -> bytes:
    """A PNG that moves."""
    first, *others = (Image.fromarray(frame) for frame in frames)
    return _encode(first, "PNG", save_all=True, append_images=others, duration=100)


def turned_jpeg(rgb: Array) -> bytes:
    """A picture that lies on its side, with a note that says so: as phones write them."""
    return turned(rgb, "JPEG", "RGB")


def turned(rgb: Array, kind: str, mode: str) -> bytes:
    """The same as JPEG or PNG, in one of Pillow's modes; I;16 is the red channel alone."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # To be shown turned by 90 degrees clockwise.
    on_its_side = np.rot90(rgb).copy()
    if mode == "I;16":
        image = Image.fromarray(on_its_side[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(on_its_side).convert(mode)
    options = {"quality": QUALITY} if kind == "JPEG" else {}
    return _encode(image, kind, exif=exif, **options)


@cache
def bomb_png() -> bytes:
    """A whole PNG of 110 kB which decodes to 2.7 GB."""
    width, height = BOMB_SIZE
    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb_jpeg() -> bytes:
    """A JPEG that says to be of the same size: a decoder fills up what is not there."""
    data = bytearray(jpeg(np.zeros((16, 16, 3), np.uint8)))
    size = struct.pack(">HH", 16, 16)
    at = data.index(b"\xff\xc0") + 5
    assert data[at : at + 4] == size
    data[at : at + 4] = struct.pack(">HH", *BOMB_SIZE)
    return bytes(data)
