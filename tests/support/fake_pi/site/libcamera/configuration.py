"""What is asked of a camera, and what it makes of it."""

import enum
from types import SimpleNamespace

from libcamera import faults, formats
from libcamera.colour import ColorSpace
from libcamera.formats import PixelFormat
from libcamera.geometry import Orientation, Size

StreamRole = enum.Enum("StreamRole", "Raw StillCapture VideoRecording Viewfinder")

# What the sensor (an IMX708) can be read out as.
RAW_FORMAT = "SBGGR10_CSI2P"
RAW_SIZES = ((1536, 864), (2304, 1296), (4608, 2592))


class SensorConfiguration:
    """Which of these is wanted."""

    bit_depth = 0
    output_size = None


class Stream:
    """The pictures of one size and format."""

    configuration = None


class StreamConfiguration:
    """What is asked of one stream."""

    def __init__(self, role):
        self.role = role
        self.size = Size(*RAW_SIZES[0])
        self.pixel_format = PixelFormat(RAW_FORMAT if self.is_raw else "YUV420")
        self.color_space = ColorSpace.Sycc()
        self.buffer_count = 4
        self.stride = 0
        self.stream = Stream()

    @property
    def is_raw(self):
        return self.role is StreamRole.Raw

    @property
    def frame_size(self):
        if self.is_raw:
            return self.stride * self.size.height
        return formats.frame_bytes(str(self.pixel_format), self.size.height, self.stride)

    @property
    def formats(self):
        names = (RAW_FORMAT,) if self.is_raw else formats.KNOWN
        return SimpleNamespace(
            pixel_formats=[PixelFormat(name) for name in names],
            sizes=lambda _: [Size(*size) for size in RAW_SIZES],
        )

    def adjust(self):
        """Make something of it that the camera can give."""
        if self.is_raw:
            width, height = min(RAW_SIZES, key=lambda size: abs(size[0] - self.size.width))
            self.size, self.pixel_format = Size(width, height), PixelFormat(RAW_FORMAT)
            # Four pixels of 10 bits in five bytes.
            self.stride = width * 5 // 4
        else:
            row_bytes = formats.row_bytes(str(self.pixel_format), self.size.width)
            self.stride = max(self.stride, row_bytes)


class CameraConfiguration:
    """What is asked of all streams."""

    Status = enum.Enum("Status", "Valid Adjusted Invalid")

    def __init__(self, roles):
        self._streams = [StreamConfiguration(role) for role in roles]
        self.orientation = Orientation.Rotate0
        self.sensor_config = None

    def at(self, index):
        return self._streams[index]

    def __iter__(self):
        return iter(self._streams)

    def __len__(self):
        return len(self._streams)

    def validate(self):
        replaced = faults.get(faults.FORMAT)
        if replaced is not None:
            self._streams[0].pixel_format = PixelFormat(replaced)
        for stream in self._streams:
            stream.adjust()
        return CameraConfiguration.Status.Adjusted
