"""A double of libcamera's Python bindings: as much of them as picamera2 0.3 touches.

picamera2's own code runs on it as it is: its configuration, its allocator, its threads, its
requests and its encoders. What libcamera and the sensor do is done here, the way a Pi does it:
planes have padded rows, pictures come at the pace of FrameDurationLimits with the sensor's times, a
picture for which no buffer is free is lost, a camera that somebody holds can not be opened again.
What goes wrong is set from outside; see `libcamera.faults`.

Alignments and the ranges of the controls are read off picamera2's source, not off a sensor.
"""

import sys

from libcamera import controls, properties
from libcamera.buffers import FrameBuffer, FrameBufferAllocator, FrameMetadata
from libcamera.camera import Camera
from libcamera.colour import ColorSpace
from libcamera.configuration import (
    CameraConfiguration,
    SensorConfiguration,
    StreamConfiguration,
    StreamRole,
)
from libcamera.controls import ControlId, ControlType
from libcamera.formats import PixelFormat
from libcamera.geometry import Orientation, Rectangle, Size, Transform
from libcamera.manager import CameraManager
from libcamera.request import Request

__all__ = [
    "Camera",
    "CameraConfiguration",
    "CameraManager",
    "ColorSpace",
    "ControlId",
    "ControlType",
    "FrameBuffer",
    "FrameBufferAllocator",
    "FrameMetadata",
    "Orientation",
    "PixelFormat",
    "Rectangle",
    "Request",
    "SensorConfiguration",
    "Size",
    "StreamConfiguration",
    "StreamRole",
    "Transform",
    "controls",
    "properties",
]

# The bindings are a compiled module inside of the package; picamera2 names it in its type checks.
_libcamera = sys.modules[__name__]
