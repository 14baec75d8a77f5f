"""Pictures as they are decoded in a worker: of whatever kind, or an error that says so."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.media.decoding import NotDecodable, decode
from tests.support import pictures

LEFT, RIGHT = (200, 60, 30), (20, 120, 220)
# As bright as these are, by ITU-R BT.601.
GREYS = (98,) * 3, (102,) * 3
REDS = (LEFT[0],) * 3, (RIGHT[0],) * 3


@pytest.fixture(scope="module")
def rgb():
    made = np.empty((48, 64, 3), np.uint8)
    made[:, :32], made[:, 32:] = LEFT, RIGHT
    return made


def colours(picture):
    """Well inside of each half."""
    return picture[24, 8].tolist(), picture[24, -8].tolist()


@pytest.mark.parametrize(
    "encode",
    [
        pictures.jpeg,
        lambda rgb: pictures.jpeg(rgb, progressive=True),
        pictures.png,
        pictures.cmyk_jpeg,
        pictures.deep_png,
        lambda rgb: pictures.animated_png((rgb, 255 - rgb, rgb)),
    ],
    ids=["jpeg", "progressive", "png", "cmyk", "16 bits", "animated"],
)
@pytest.mark.parametrize("as_array", [False, True], ids=["bytes", "array"])
def test_every_kind_becomes_rgb(rgb, encode, as_array):
    data = encode(rgb)
    picture = decode(np.frombuffer(data, np.uint8) if as_array else data)
    assert picture.shape == rgb.shape
    assert picture.dtype == np.uint8
    left, right = colours(picture)
    assert left == pytest.approx(LEFT, abs=6)
    assert right == pytest.approx(RIGHT, abs=6)


def test_grey_and_transparent_ones_have_three_channels_too(rgb):
    grey = decode(pictures.png(rgb[..., 0]))
    assert grey.shape == (48, 64, 3)
    assert colours(grey) == ([LEFT[0]] * 3, [RIGHT[0]] * 3)
    see_through = np.dstack([rgb, np.full((48, 64), 128, np.uint8)])
    assert colours(decode(pictures.png(see_through))) == (list(LEFT), list(RIGHT))


@pytest.mark.parametrize(
    ("kind", "mode", "seen"),
    [
        *(("JPEG", mode, (LEFT, RIGHT)) for mode in ("RGB", "CMYK")),
        *(("PNG", mode, (LEFT, RIGHT)) for mode in ("RGB", "RGBA", "P")),
        *((kind, "L", GREYS) for kind in ("JPEG", "PNG")),
        ("PNG", "I;16", REDS),
    ],
)
def test_exif_turns_every_kind(rgb, kind, mode, seen):
    picture = decode(pictures.turned(rgb, kind, mode))
    assert picture.shape == rgb.shape
    # The palette has the nearest of 216 colours.
    for colour, expected in zip(colours(picture), seen, strict=True):
        assert colour == pytest.approx(expected, abs=40 if mode == "P" else 6)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xd9", b"GIF89a", bytes(1000)])
def test_what_is_no_picture(data):
    with pytest.raises(NotDecodable, match="can not be decoded"):
        decode(data)


@pytest.mark.parametrize("encode", [pictures.jpeg, pictures.png, pictures.cmyk_jpeg])
@given(changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=20))
@settings(max_examples=150, deadline=None)
def test_damaged_ones_decode_or_say_so(rgb, encode, changes):
    data = bytearray(encode(rgb))
    for part, value in changes:
        data[int(part * len(data))] = value
    try:
        picture = decode(bytes(data))
    except NotDecodable:
        return
    assert picture.ndim == 3
    assert picture.shape[2] == 3


def test_the_decoders_have_a_bound_of_their_own(tmp_path):
    """For a header that they read in another way than we do."""
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(pictures.jpeg(np.zeros((100, 200, 3), np.uint8)))
    code = (
        "import sys; from server.media.picture import limit_decoders\n"
        "limit_decoders(int(sys.argv[2])); from server.media import decoding\n"
        "print(decoding.decode(open(sys.argv[1], 'rb').read()).shape)"
    )
    run = partial(subprocess.run, capture_output=True, text=True, timeout=60)
    allowed = run([sys.executable, "-c", code, str(picture), "20000"])
    assert allowed.stdout.strip() == "(100, 200, 3)", allowed.stderr
    refused = run([sys.executable, "-c", code, str(picture), "19999"])
    assert "NotDecodable" in refused.stderr


def test_a_picture_that_turns_out_larger_than_it_said_is_not_taken(monkeypatch):
    monkeypatch.setattr("server.media.decoding.read_size", lambda data: (8, 8))
    for data in (
        encode(np.zeros((32, 64, 3), np.uint8)) for encode in (pictures.jpeg, pictures.png)
    ):
        with pytest.raises(NotDecodable):
            decode(data)
