"""The bar code survives the codecs that it is sent through."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av import VideoFrame

from bench.harness import barcode

HEIGHT, WIDTH = 480, 640
FRAMES = 60


def moving_scene(number: int) -> np.ndarray:
    """An I420 picture, hard to compress: sliding texture under the bar code."""
    rows, columns = np.mgrid[0 : HEIGHT * 3 // 2, 0:WIDTH]
    texture = 128 + 60 * np.sin((columns + 7 * number) / 5) * np.cos((rows - 3 * number) / 4)
    return texture.astype(np.uint8)


def through_codec(frames: list[np.ndarray], codec: str, bit_rate: int) -> list[np.ndarray]:
    """The same frames, encoded and decoded; (H, W, 3) RGB."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate = bit_rate
    # libvpx's spin while they wait for each other.
    encoder.thread_count = 1
    encoder.framerate, encoder.time_base = Fraction(30), Fraction(1, 30)
    encoder.options = (
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        if codec == "libvpx"
        else {"preset": "ultrafast", "tune": "zerolatency"}
    )
    decoder = av.CodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    decoded = []
    for number, array in enumerate(frames):
        frame = VideoFrame.from_ndarray(array, format="yuv420p")
        frame.pts = number
        decoded += [f for packet in encoder.encode(frame) for f in decoder.decode(packet)]
    decoded += [f for packet in encoder.encode(None) for f in decoder.decode(packet)]
    decoded += decoder.decode(None)
    return [frame.to_ndarray(format="rgb24") for frame in decoded]


@pytest.mark.parametrize("number", [0, 1, 255, 256, 40_000, barcode.NUMBERS - 1])
def test_reads_what_was_stamped_into_rgb(number: int) -> None:
    image = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    barcode.stamp(image, number)
    assert barcode.read(image) == number


@pytest.mark.parametrize(
    ("codec", "bit_rate"), [("libvpx", 250_000), ("libvpx", 1_500_000), ("libx264", 500_000)]
)
def test_survives_compression(codec: str, bit_rate: int) -> None:
    numbers = [(number * 977) % barcode.NUMBERS for number in range(FRAMES)]
    frames = [moving_scene(number) for number in range(FRAMES)]
    for frame, number in zip(frames, numbers, strict=True):
        barcode.stamp(frame, number)
    decoded = through_codec(frames, codec, bit_rate)
    assert len(decoded) == FRAMES
    assert [barcode.read(image) for image in decoded] == numbers


@pytest.mark.parametrize("level", [0, 16, 128, 235, 255])
def test_plain_corner_is_no_number(level: int) -> None:
    assert barcode.read(np.full((HEIGHT, WIDTH, 3), level, np.uint8)) is None


def test_one_wrong_cell_is_noticed() -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for row in range(barcode.ROWS):
        for column in range(barcode.COLUMNS):
            barcode.stamp(image, 12_345)
            cell = np.s_[
                row * barcode.CELL_PX : (row + 1) * barcode.CELL_PX,
                column * barcode.CELL_PX : (column + 1) * barcode.CELL_PX,
            ]
            image[cell] = 251 - image[cell]
            assert barcode.read(image) is None


def test_small_picture_holds_no_number() -> None:
    assert barcode.read(np.zeros((16, 16, 3), np.uint8)) is None


@pytest.mark.parametrize("number", [-1, barcode.NUMBERS])
def test_refuses_what_does_not_fit(number: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        barcode.stamp(np.zeros((HEIGHT, WIDTH, 3), np.uint8), number)
