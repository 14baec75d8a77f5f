"""Colour spaces."""

import enum


class ColorSpace:
    """Made of another one, or of its four parts."""

    Primaries = enum.Enum("Primaries", "Raw Smpte170m Rec709 Rec2020")
    TransferFunction = enum.Enum("TransferFunction", "Linear Srgb Rec709")
    YcbcrEncoding = enum.Enum("YcbcrEncoding", "Null Rec601 Rec709 Rec2020")
    Range = enum.Enum("Range", "Full Limited")

    def __init__(self, *parts):
        if isinstance(parts[0], ColorSpace):
            other = parts[0]
            parts = (other.primaries, other.transferFunction, other.ycbcrEncoding, other.range)
        self.primaries, self.transferFunction, self.ycbcrEncoding, self.range = parts

    def __str__(self):
        return f"<ColorSpace {self.primaries.name}>"

    def __hash__(self):
        return hash((self.primaries, self.transferFunction, self.ycbcrEncoding, self.range))

    @classmethod
    def _named(cls, primaries, transfer, encoding, range_):
        return cls(
            cls.Primaries[primaries],
            cls.TransferFunction[transfer],
            cls.YcbcrEncoding[encoding],
            cls.Range[range_],
        )

    @classmethod
    def Raw(cls):
        """What a sensor gives."""
        return cls._named("Raw", "Linear", "Null", "Full")

    @classmethod
    def Sycc(cls):
        """Of stills."""
        return cls._named("Rec709", "Srgb", "Rec601", "Full")

    @classmethod
    def Smpte170m(cls):
        """Of small video."""
        return cls._named("Smpte170m", "Rec709", "Rec601", "Limited")

    @classmethod
    def Rec709(cls):
        """Of large video."""
        return cls._named("Rec709", "Rec709", "Rec709", "Limited")
