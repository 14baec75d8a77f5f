"""Boxes with words, and arrows between them, as SVG in a light and a dark theme."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from xml.sax.saxutils import escape

SANS = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
PADDING = 11

LIGHT = MappingProxyType(
    {
        "ground": "#ffffff",
        "ink": "#1f2328",
        "soft": "#57606a",
        "arrow": "#6e7781",
        "panel": "#f6f8fa #d0d7de",
        "room": "#ffffff #c4ccd4",
        "way": "#dbeefe #3b82c4",
        "outside": "#e3f6e6 #4c9a5c",
        "worker": "#f1e9fd #8a63c9",
        "shared": "#fff3d1 #bf8700",
    }
)
DARK = MappingProxyType(
    {
        "ground": "#0d1117",
        "ink": "#e6edf3",
        "soft": "#a3adb8",
        "arrow": "#8b949e",
        "panel": "#151b23 #343b44",
        "room": "#1f2630 #454d57",
        "way": "#12304d #4c97d8",
        "outside": "#14331f #4fa866",
        "worker": "#2c2145 #9d7bdb",
        "shared": "#3a2d0c #c99a2e",
    }
)


@dataclass(frozen=True, slots=True)
class Font:
    """A size of letters, in pixels, and how wide one is on average, in parts of it.

    That of DejaVu, the widest of the fonts that readers may have.
    """

    name: str
    size: int
    letter: float

    def width(self, text: str) -> float:
        """How wide a text may become, in pixels."""
        return len(text) * self.letter * self.size


TITLE = Font("title", 15, 0.66)
CODE = Font("code", 11, 0.61)
NOTE = Font("note", 13, 0.56)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a box."""

    text: str
    font: Font


def lines(width: float, *, title: str = "", code: str = "", note: str = "") -> list[Line]:
    """What stands in a box of this width: a title, a module's name, and a wrapped note."""
    letters = int((width - 2 * PADDING) / (NOTE.letter * NOTE.size))
    return [
        *([Line(title, TITLE)] if title else []),
        *([Line(code, CODE)] if code else []),
        *(Line(text, NOTE) for text in textwrap.wrap(note, letters)),
    ]


def height_of(content: Sequence[Line]) -> int:
    """How high a box with these lines is, in pixels."""
    return 2 * PADDING + sum(line.font.size + 4 for line in content) - 3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with text, placed by its upper left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    content: Sequence[Line] = ()
    dashed: bool = False

    def svg(self, theme: Mapping[str, str]) -> str:
        """Draw it; the text begins at the top of panels and is centred in other boxes."""
        fill, stroke = theme[self.kind].split()
        dashes = ' stroke-dasharray="5 4"' if self.dashed else ""
        parts = [
            f'<rect x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}"'
            f' rx="8" fill="{fill}" stroke="{stroke}"{dashes}/>'
        ]
        at = self.y
        if self.kind != "panel":
            at += (self.height - height_of(self.content)) / 2
        at += PADDING - 3
        for line in self.content:
            at += line.font.size + 4
            parts.append(
                f'<text x="{self.x + PADDING:g}" y="{at - 3:g}" class="{line.font.name}">'
                f"{escape(line.text)}</text>"
            )
        return "\n".join(parts)

    @property
    def overflow(self) -> float:
        """By how many pixels its text may be too wide or too high; 0 or less if it fits."""
        if not self.content:
            return 0
        wide = max(line.font.width(line.text) for line in self.content)
        return max(wide + 2 * PADDING - self.width, height_of(self.content) - self.height)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line through points, with a head at its end."""

    points: Sequence[tuple[float, float]]

    def svg(self, theme: Mapping[str, str]) -> str:
        """Draw it."""
        way = " L ".join(f"{x:g} {y:g}" for x, y in self.points)
        return (
            f'<path d="M {way}" fill="none" stroke="{theme["arrow"]}" stroke-width="1.6"'
            ' stroke-linejoin="round" marker-end="url(#head)"/>'
        )


@dataclass(frozen=True, slots=True)
class Caption:
    """Text beside boxes."""

    x: float
    y: float
    text: str
    turned: bool = False

    def svg(self, theme: Mapping[str, str]) -> str:
        """Draw it; turned text reads from below."""
        turn = f' transform="rotate(-90 {self.x:g} {self.y:g})"' if self.turned else ""
        return f'<text x="{self.x:g}" y="{self.y:g}" class="note"{turn}>{escape(self.text)}</text>'


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn, the first below the others."""

    name: str
    title: str
    width: int
    height: int
    shapes: Sequence[Box | Arrow | Caption]

    def svg(self, theme: Mapping[str, str]) -> str:
        """The file's text."""
        shapes = "\n".join(shape.svg(theme) for shape in self.shapes)
        return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" \
width="{self.width}" height="{self.height}" role="img">
<title>{escape(self.title)}</title>
<style>
text {{ font-family: {SANS}; fill: {theme["ink"]} }}
.title {{ font-size: {TITLE.size}px; font-weight: 600 }}
.code {{ font-family: {MONO}; font-size: {CODE.size}px; fill: {theme["soft"]} }}
.note {{ font-size: {NOTE.size}px; fill: {theme["soft"]} }}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" \
orient="auto"><path d="M0 0 8 4 0 8z" fill="{theme["arrow"]}"/></marker></defs>
<rect width="{self.width}" height="{self.height}" rx="10" fill="{theme["ground"]}"/>
{shapes}
</svg>
"""
