"""What the camera looks at: a picture that tells whether it was read right."""

import numpy as np

# Grey from left to right, and the last columns white: what lies behind them is padding.
DARKEST, BRIGHTEST, EDGE = 40, 180, 235
EDGE_COLUMNS = 8
PADDING = 0
# A square that moves from picture to picture.
SQUARE = 220


def draw(memory, name, width, height, stride, number):
    """Write a picture into a buffer.

    Parameters
    ----------
    memory
        The buffer.
    name
        The pixel format.
    width, height
        In pixels.
    stride
        The length of a row with its padding, in bytes.
    number
        Of the picture, from 1.
    """
    buffer = np.frombuffer(memory, np.uint8)
    grey = _grey(width, height, number)
    if name in ("YUV420", "NV12", "NV21", "YVU420"):
        buffer[: stride * height].reshape(height, stride)[:, width:] = PADDING
        buffer[: stride * height].reshape(height, stride)[:, :width] = grey
        # No colour.
        buffer[stride * height :] = 128
        return
    rows = buffer.reshape(height, stride)
    rows[:] = PADDING
    if name in ("YUYV", "UYVY"):
        rows[:, : 2 * width] = 128
        rows[:, (name == "UYVY") : 2 * width : 2] = grey
        return
    channels = 3 if name in ("BGR888", "RGB888") else 4
    pixels = np.repeat(grey, channels).reshape(height, width, channels)
    # Blue is brighter, so that a mistaken order of the channels shows.
    pixels[..., 0 if name in ("RGB888", "XRGB8888") else 2] = 250
    rows[:, : width * channels] = pixels.reshape(height, width * channels)


def _grey(width, height, number):
    row = np.linspace(DARKEST, BRIGHTEST, width).astype(np.uint8)
    row[-EDGE_COLUMNS:] = EDGE
    grey = np.broadcast_to(row, (height, width)).copy()
    size = height // 8
    left = number * 8 % (width - size - EDGE_COLUMNS)
    grey[height // 2 : height // 2 + size, left : left + size] = SQUARE
    return grey
