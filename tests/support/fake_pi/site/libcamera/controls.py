"""What can be set and read of a camera."""

import enum
from types import SimpleNamespace

ControlType = enum.Enum(
    "ControlType", "Null Bool Byte Integer32 Integer64 Float String Rectangle Size"
)


class ControlId:
    """One of them."""

    def __init__(self, name, type=ControlType.Integer32):
        self.name, self.type = name, type

    def __repr__(self):
        return f"ControlId({self.name})"


class ControlInfo:
    """What it can be set to."""

    def __init__(self, smallest, largest, default):
        self.min, self.max, self.default = smallest, largest, default


AeEnable = ControlId("AeEnable", ControlType.Bool)
AfMode = ControlId("AfMode")
AfRange = ControlId("AfRange")
AfSpeed = ControlId("AfSpeed")
AfTrigger = ControlId("AfTrigger")
AnalogueGain = ControlId("AnalogueGain", ControlType.Float)
AnalogueGainMode = ControlId("AnalogueGainMode")
ColourTemperature = ControlId("ColourTemperature")
ExposureTime = ControlId("ExposureTime")
ExposureTimeMode = ControlId("ExposureTimeMode")
FrameDuration = ControlId("FrameDuration", ControlType.Integer64)
FrameDurationLimits = ControlId("FrameDurationLimits", ControlType.Integer64)
FrameWallClock = ControlId("FrameWallClock", ControlType.Integer64)
Lux = ControlId("Lux", ControlType.Float)
NoiseReductionMode = ControlId("NoiseReductionMode")
ScalerCrop = ControlId("ScalerCrop", ControlType.Rectangle)
SensorTimestamp = ControlId("SensorTimestamp", ControlType.Integer64)

draft = SimpleNamespace(
    NoiseReductionModeEnum=enum.IntEnum(
        "NoiseReductionModeEnum", "Off Fast HighQuality Minimal ZSL", start=0
    )
)
