"""A number in the corner of a frame that survives video compression.

A measurement has to know which frame a result speaks of whatever server made it, so the frame
itself says so: 24 cells of black or white, 16 bits of number and 8 bits of checksum. A cell is
16 x 16 pixels, a macroblock of VP8 and H264, so that one block of the codec holds one bit.
"""

import time
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel

CELL_PX = 16
COLUMNS, ROWS = 8, 3
NUMBER_BITS = 16
NUMBERS = 1 << NUMBER_BITS
WIDTH_PX, HEIGHT_PX = COLUMNS * CELL_PX, ROWS * CELL_PX

# Limited-range luma, so that nothing is clipped on the way to RGB and back.
BLACK, WHITE = 16, 235
# Blurred edges of a cell are left out when it is read.
MARGIN_PX = 4
# CRC-8 of ITU-T I.432.1: x^8 + x^2 + x + 1.
CRC_POLYNOMIAL = 0x07

Image = NDArray[Any]

ANALYZER = "bench.harness.barcode:BarcodeReader"
"""Below, as ``--analyzers`` takes it."""
ANALYZER_NAME = "barcode_reader"


def stamp(image: Image, number: int) -> None:
    """Write a number below `NUMBERS` into the top left corner, in place.

    `image` is uint8, (H, W, 3) of RGB, (H, W) of luma, or (H * 3 / 2, W) of I420, at least
    `HEIGHT_PX` by `WIDTH_PX`.
    """
    if not 0 <= number < NUMBERS:
        raise ValueError(f"{number} does not fit into {NUMBER_BITS} bits")
    bits = _bits(number << 8 | _checksum(number))
    cells = np.where(bits, WHITE, BLACK).astype(np.uint8)
    pixels = np.kron(cells, np.ones((CELL_PX, CELL_PX), np.uint8))
    corner = image[:HEIGHT_PX, :WIDTH_PX]
    corner[:] = pixels[..., None] if image.ndim == 3 else pixels


def read(image: Image) -> int | None:
    """The number in the top left corner of RGB or luma of its size; None if none can be read."""
    if image.shape[0] < HEIGHT_PX or image.shape[1] < WIDTH_PX:
        return None
    corner = image[:HEIGHT_PX, :WIDTH_PX].reshape(ROWS, CELL_PX, COLUMNS, CELL_PX, -1)
    inner = slice(MARGIN_PX, CELL_PX - MARGIN_PX)
    levels = corner[:, inner, :, inner].mean(axis=(1, 3, 4))
    word = 0
    for bit in (levels > (BLACK + WHITE) / 2).flat:
        word = word << 1 | int(bit)
    return number_in(word)


def number_in(word: int) -> int | None:
    """The number that 24 bits are; None if their checksum is wrong."""
    number, checksum = word >> 8, word & 0xFF
    return number if checksum == _checksum(number) else None


def stamp_time(rgb: Image) -> Image:
    """A camera hook: write the time into a picture, in ms modulo what the bar code holds."""
    stamp(rgb, round(time.time() * 1000) % NUMBERS)
    return rgb


class BarcodeReader(BaseModel):
    """An analyzer: ``{"barcode": number}``, the number None where none can be read."""

    # Not because it reads the pose: being in pose's lane, the number arrives when the landmarks
    # of that very frame do, and so measures their latency instead of its own.
    requires: ClassVar[tuple[str, ...]] = ("pose",)

    def frame(
        self, sid: str, frame: Image, timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Read the number."""
        return {"barcode": read(frame)}


def _bits(word: int) -> Image:
    count = ROWS * COLUMNS
    return np.array([word >> (count - 1 - i) & 1 for i in range(count)]).reshape(ROWS, COLUMNS)


def _checksum(number: int) -> int:
    # Starts from all ones, or an all-black corner would read as a valid 0.
    crc = 0xFF
    for byte in number.to_bytes(NUMBER_BITS // 8, "big"):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ CRC_POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc
