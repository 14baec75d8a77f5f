"""Pixel formats, and how their rows lie in memory."""

# In the first plane, and how many rows all planes have for one of the picture.
_BYTES_PER_PIXEL = {
    "YUV420": 1,
    "YVU420": 1,
    "NV12": 1,
    "NV21": 1,
    "YUYV": 2,
    "UYVY": 2,
    "BGR888": 3,
    "RGB888": 3,
    "XBGR8888": 4,
    "XRGB8888": 4,
}
_PLANAR = ("YUV420", "YVU420", "NV12", "NV21")
# A Pi 4's image processor wants rows aligned to 32 bytes, those of the smaller planes too.
_ALIGNED_TO = 32

KNOWN = tuple(_BYTES_PER_PIXEL)


class PixelFormat:
    """By its name."""

    def __init__(self, name):
        self.name = str(name)

    def __str__(self):
        return self.name

    def __eq__(self, other):
        return str(self) == str(other)

    def __hash__(self):
        return hash(self.name)


def row_bytes(name, width):
    """The length of a row with its padding."""
    aligned_to = 2 * _ALIGNED_TO if name in ("YUV420", "YVU420") else _ALIGNED_TO
    return -(-width * _BYTES_PER_PIXEL[name] // aligned_to) * aligned_to


def frame_bytes(name, height, stride):
    """The size of a picture."""
    return stride * height * 3 // 2 if name in _PLANAR else stride * height
