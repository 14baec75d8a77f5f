"""Sizes, rectangles, and how a picture is turned."""

import enum
from dataclasses import dataclass

Orientation = enum.Enum(
    "Orientation",
    "Rotate0 Rotate0Mirror Rotate180 Rotate180Mirror"
    " Rotate90Mirror Rotate270 Rotate270Mirror Rotate90",
)


@dataclass
class Size:
    """In pixels."""

    width: int = 0
    height: int = 0


@dataclass
class Rectangle:
    """In pixels."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0


class Transform:
    """Mirrored and turned; made of another one, or of its three parts."""

    def __init__(self, other=None, hflip=0, vflip=0, transpose=0):
        if other is not None:
            hflip, vflip, transpose = other.hflip, other.vflip, other.transpose
        self.hflip, self.vflip, self.transpose = bool(hflip), bool(vflip), bool(transpose)

    def __str__(self):
        return f"<Transform {self.hflip} {self.vflip} {self.transpose}>"

    def __hash__(self):
        return hash((self.hflip, self.vflip, self.transpose))
