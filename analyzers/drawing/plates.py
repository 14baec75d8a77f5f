"""Plates: dark, see-through cards with text. Made once with Pillow, then laid over each picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analyzers.drawing.strokes import OUTLINE, WHITE, Colour, Picture

# Drawn this much larger and scaled down, since Pillow's shapes have hard edges.
_FINER = 4
_OPACITY = 205
_LEAST_TEXT_PX = 11.0


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture to be laid over another.

    Attributes
    ----------
    colours
        Shape (H, W, 3): its own share of each pixel.
    remains
        Shape (H, W, 3): how much of what is below shows through, 0 to 255.
    """

    colours: Picture
    remains: Picture

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.colours.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.colours.shape[0])

    def lay(self, picture: Picture, x: int, y: int) -> None:
        """Lay it on a picture with its corner at x, y; what is outside is cut off."""
        height, width = picture.shape[:2]
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + self.width, width), min(y + self.height, height)
        if left >= right or top >= bottom:
            return
        own = np.s_[top - y : bottom - y, left - x : right - x]
        below = picture[top:bottom, left:right]
        shaded = cv2.multiply(below, self.remains[own], scale=1.0 / 255.0)
        cv2.add(shaded, self.colours[own], dst=below)


Draw = Callable[[ImageDraw.ImageDraw, float], None]


def make(width: float, height: float, draw: Draw, *, radius: float) -> Plate:
    """Make a plate with round corners.

    Parameters
    ----------
    width, height, radius
        In pixels.
    draw
        Draws on it; is told how many of its own units one pixel has.
    """
    size = (max(round(width), 1), max(round(height), 1))
    large = Image.new("RGBA", (size[0] * _FINER, size[1] * _FINER))
    pen = ImageDraw.Draw(large)
    edge = (0, 0, large.width - 1, large.height - 1)
    pen.rounded_rectangle(edge, radius * _FINER, fill=(*OUTLINE, _OPACITY))
    draw(pen, _FINER)
    # Scaled with colours weighted by opacity, or edges would be dark.
    rgba = np.asarray(large.convert("RGBa").resize(size, Image.Resampling.BOX))
    remains = np.repeat(255 - rgba[..., 3:], 3, axis=2)
    return Plate(np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(remains))


def font(size: float) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font; it has the letters of ASCII."""
    return _font(max(round(size), 1))


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text of a size, both in pixels."""
    return font(size * _FINER).getlength(text) / _FINER


@lru_cache(maxsize=256)
def label(text: str, scale: float, colour: Colour = WHITE) -> Plate:
    """Return a plate with one line of text.

    Parameters
    ----------
    text
        ASCII.
    scale
        See `strokes.scale_of`.
    colour
        Of the text.
    """
    size = max(15.0 * scale, _LEAST_TEXT_PX)
    pad = 0.4 * size

    def draw(pen: ImageDraw.ImageDraw, unit: float) -> None:
        at = (pad * unit, 0.72 * size * unit)
        pen.text(at, text, fill=(*colour, 255), font=font(size * unit), anchor="lm")

    return make(text_width(text, size) + 2 * pad, 1.44 * size, draw, radius=0.35 * size)
