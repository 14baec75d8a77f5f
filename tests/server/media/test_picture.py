"""What a picture's header says, before anything is decoded."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.media.decoding import decode
from server.media.picture import BadPicture, EncodedPicture, PictureTooLarge
from tests.support import pictures

MAX_PIXELS = 4096 * 4096

sizes = st.tuples(st.integers(1, 700), st.integers(1, 700))


def blank(size):
    width, height = size
    rgb = np.full((height, width, 3), 90, np.uint8)
    rgb[: height // 2] = 200
    return rgb


ENCODERS = {
    "pillow jpeg": pictures.jpeg,
    "pillow jpeg, progressive": lambda rgb: pictures.jpeg(rgb, progressive=True),
    "pillow jpeg, with a thumbnail": lambda rgb: pictures.jpeg(
        rgb, exif=b"Exif\x00\x00" + pictures.jpeg(blank((32, 16)))
    ),
    "pillow jpeg, restarts": lambda rgb: pictures.jpeg(rgb, restart_marker_rows=1),
    "pillow png": pictures.png,
    "cv2 jpeg": lambda rgb: cv2.imencode(".jpg", rgb)[1].tobytes(),
    "cv2 jpeg, progressive": lambda rgb: cv2.imencode(
        ".jpg", rgb, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    )[1].tobytes(),
    "cv2 png": lambda rgb: cv2.imencode(".png", rgb)[1].tobytes(),
    "cmyk": pictures.cmyk_jpeg,
    "16 bits": pictures.deep_png,
}


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS.keys())
@given(size=sizes)
@settings(max_examples=25, deadline=None)
def test_the_size_is_that_of_what_is_decoded(encoder, size):
    data = encoder(blank(size))
    picture = EncodedPicture.read(data, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == size
    assert decode(data).shape == (size[1], size[0], 3)
    assert picture.data == data


def test_what_does_not_belong_to_the_coded_picture_may_follow_it():
    """Some cameras append a second picture, or a video."""
    data = pictures.jpeg(blank((64, 48))) + pictures.jpeg(blank((32, 24))) + b"\x00" * 100
    picture = EncodedPicture.read(data, max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == (64, 48)


def test_fill_bytes_before_a_marker():
    data = pictures.jpeg(blank((64, 48)))
    picture = EncodedPicture.read(data[:2] + b"\xff" * 7 + data[2:], max_pixels=MAX_PIXELS)
    assert (picture.width, picture.height) == (64, 48)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_too_many_pixels_are_refused_one_more_than_are_taken(kind):
    data = ENCODERS[f"pillow {kind}"](blank((64, 48)))
    assert EncodedPicture.read(data, max_pixels=64 * 48).width == 64
    with pytest.raises(PictureTooLarge, match="64 x 48 pixels: send at most 3071") as refused:
        EncodedPicture.read(data, max_pixels=64 * 48 - 1)
    assert refused.value.code == 413


@pytest.mark.parametrize("make", [pictures.bomb_png, pictures.bomb_jpeg])
def test_a_bomb_is_refused_by_its_header(make):
    with pytest.raises(PictureTooLarge, match="30000 x 30000 pixels"):
        EncodedPicture.read(make(), max_pixels=MAX_PIXELS)


def test_a_jpeg_of_endless_scans_is_refused():
    """Each takes a pass over all of the picture and some bytes of the message."""
    data = pictures.jpeg(blank((640, 480)), progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]
    assert EncodedPicture.read(data[:-2] + 50 * last + data[-2:], max_pixels=MAX_PIXELS)
    with pytest.raises(BadPicture, match="too many scans"):
        EncodedPicture.read(data[:-2] + 200 * last + data[-2:], max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS.keys())
@given(part=st.floats(0, 0.999))
@settings(max_examples=25, deadline=None)
def test_what_is_cut_off_is_refused(encoder, part):
    data = encoder(blank((96, 64)))
    # Of a PNG's last chunk, the checksum is not missed.
    data = data[: int((len(data) - 7) * part)]
    with pytest.raises(BadPicture):
        EncodedPicture.read(data, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no picture"),
        (b"GIF89a" + bytes(50), "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no header"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x0dIDAT" + bytes(40), "no header"),
        (b"\xff\xd8", "damaged"),
        (b"\xff\xd8\xff\xd9", "damaged"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 1000, "damaged"),
        (b"\xff\xd8" + b"\xff" * 1000, "damaged"),
        # A scan of which nobody has said how large it is.
        (b"\xff\xd8\xff\xda\x00\x02\xff\xd9", "damaged"),
        # 0 x 16
        (
            b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x00\x01\x01\x11\x00\xff\xda\x00\x02\xff\xd9",
            "no width",
        ),
    ],
)
def test_what_is_no_picture_is_told_apart(data, says):
    with pytest.raises(BadPicture, match=says) as refused:
        EncodedPicture.read(data, max_pixels=MAX_PIXELS)
    assert refused.value.code == 400


def refuses_or_reads(data: bytes) -> None:
    try:
        picture = EncodedPicture.read(data, max_pixels=MAX_PIXELS)
    except (BadPicture, PictureTooLarge):
        return
    assert 0 < picture.width * picture.height <= MAX_PIXELS


@given(
    start=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"\xff\xd8\xff\xc2\x00\x11\x08"]
    ),
    rest=st.binary(max_size=300),
)
@example(b"\xff\xd8", b"\xff\xe0\x00\x00" * 50)
@settings(max_examples=500, deadline=None)
def test_random_bytes_raise_nothing_else(start, rest):
    refuses_or_reads(start + rest)


@pytest.mark.parametrize("encoder", [pictures.jpeg, pictures.png])
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20))
@settings(max_examples=200, deadline=None)
def test_changed_bytes_raise_nothing_else(encoder, changes):
    data = bytearray(encoder(blank((96, 64))))
    for part, value in changes:
        data[int(part * len(data))] = value
    refuses_or_reads(bytes(data))


def _segment(code, body):
    return bytes([0xFF, code]) + (len(body) + 2).to_bytes(2) + body


def _start_of_frame(width, height):
    return _segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + bytes(9))


@pytest.mark.parametrize("code", [0x01, 0xD0, 0xD7, 0xD8, 0xD9])
def test_a_code_without_length_does_not_hide_a_header(code):
    """A decoder goes past it and on; who takes what follows for a length reads on elsewhere."""
    small = pictures.jpeg(np.zeros((64, 64, 3), np.uint8))
    at = small.index(b"\xff\xdb")
    # Read as a length, it leads into a comment that holds a frame header of another size.
    hidden = bytes([0xFF, code]) + _segment(0xFE, b"\0" * 4 + _start_of_frame(8, 8))
    with pytest.raises(BadPicture, match="damaged"):
        EncodedPicture.read(small[:at] + hidden + small[at:], max_pixels=100 * 100)


def test_two_frame_headers_are_one_too_many():
    small = pictures.jpeg(np.zeros((64, 64, 3), np.uint8))
    at = small.index(b"\xff\xc0")
    with pytest.raises(BadPicture, match="two headers"):
        EncodedPicture.read(small[:at] + _start_of_frame(32, 32) + small[at:], max_pixels=100 * 100)


def test_two_headers_of_a_png_are_one_too_many():
    small = pictures.png(np.zeros((64, 64, 3), np.uint8))
    header = bytearray(small[8:33])
    header[8:16] = struct.pack(">II", 10_000, 10_000)
    header[21:25] = zlib.crc32(header[4:21]).to_bytes(4)
    with pytest.raises(BadPicture, match="two headers"):
        EncodedPicture.read(small[:33] + bytes(header) + small[33:], max_pixels=100 * 100)
