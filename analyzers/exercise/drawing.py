"""Draws what is done, how often, how well, and what to mend."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from PIL import ImageDraw

from analyzers.drawing import plates, strokes
from analyzers.drawing.plates import Plate
from analyzers.drawing.strokes import AMBER, GREEN, RED, WHITE, Colour, Picture
from analyzers.exercise.definitions import definitions
from analyzers.exercise.scorer import NONE

_GOOD, _FAIR = 80.0, 60.0
_GREY: Colour = (176, 182, 192)
_MARGIN = 12.0


def draw_exercise(picture: Picture, result: Mapping[str, Any]) -> None:
    """Draw a result of the exercise analyzer's: a card, and the warning if there is one."""
    name = result["exercise"]
    if name == NONE:
        return
    definition = definitions().get(name)
    title = name.replace("_", " ") if definition is None else definition.title
    scale = strokes.scale_of(picture)
    held = result["phase"] == "hold"
    count = f"{result['held_s']:.0f}" if held else f"{result['reps']}"
    unit = ("second" if held else "repetition") + ("" if count == "1" else "s")
    score = None if result["score"] is None else round(result["score"])
    card = _card(title.capitalize(), count, unit, score, round(scale, 3))
    margin = round(_MARGIN * scale)
    card.lay(picture, margin, margin)
    if result["warnings"]:
        height, width = picture.shape[:2]
        text = result["warnings"][0]["text"]
        note = _note(text, width - 2 * margin, round(scale, 3))
        note.lay(picture, (width - note.width) // 2, height - note.height - margin)


@lru_cache(maxsize=64)
def _card(title: str, count: str, unit: str, score: int | None, scale: float) -> Plate:
    """Return the card: the count, what of, and the score as a ring."""
    count_size, title_size, unit_size = 44 * scale, 19 * scale, 13 * scale
    height, pad, ring = 66 * scale, 14 * scale, 46 * scale
    words_x = pad + plates.text_width(count, count_size) + 0.8 * pad
    words = max(plates.text_width(title, title_size), plates.text_width(unit, unit_size))
    ring_x = words_x + words + pad
    width = ring_x + (ring + 0.8 * pad if score is not None else 0)

    def draw(pen: ImageDraw.ImageDraw, unit_px: float) -> None:
        def write(x: float, y: float, text: str, size: float, colour: Colour, anchor: str) -> None:
            at, font = (x * unit_px, y * unit_px), plates.font(size * unit_px)
            pen.text(at, text, fill=(*colour, 255), font=font, anchor=anchor)

        write(pad, height / 2, count, count_size, WHITE, "lm")
        write(words_x, 0.37 * height, title, title_size, WHITE, "lm")
        write(words_x, 0.70 * height, unit, unit_size, _GREY, "lm")
        if score is None:
            return
        y = (height - ring) / 2
        around = [edge * unit_px for edge in (ring_x, y, ring_x + ring, y + ring)]
        thick = round(4.5 * scale * unit_px)
        pen.arc(around, 0, 360, fill=(*_GREY, 90), width=thick)
        pen.arc(around, -90, -90 + 3.6 * score, fill=(*_colour(score), 255), width=thick)
        write(ring_x + ring / 2, height / 2, f"{score}", 17 * scale, WHITE, "mm")

    return plates.make(width, height, draw, radius=12 * scale)


@lru_cache(maxsize=64)
def _note(text: str, room: int, scale: float) -> Plate:
    """Return the warning, in as many lines as it takes."""
    size = max(17 * scale, 11.0)
    pad, stripe, line_height = 0.7 * size, 0.3 * size, 1.3 * size
    rows = _wrapped(text, size, room - 2 * pad - stripe)
    width = max(plates.text_width(row, size) for row in rows) + 2 * pad + stripe
    height = len(rows) * line_height + 1.1 * pad

    def draw(pen: ImageDraw.ImageDraw, unit: float) -> None:
        bar = [0.45 * pad, 0.55 * pad, 0.45 * pad + stripe, height - 0.55 * pad]
        pen.rounded_rectangle([e * unit for e in bar], stripe * unit / 2, fill=(*AMBER, 255))
        for number, row in enumerate(rows):
            at = ((pad + stripe) * unit, (0.55 * pad + (number + 0.5) * line_height) * unit)
            font = plates.font(size * unit)
            pen.text(at, row, fill=(*WHITE, 255), font=font, anchor="lm")

    return plates.make(width, height, draw, radius=0.5 * size)


def _wrapped(text: str, size: float, room: float) -> list[str]:
    rows = [""]
    for word in text.split():
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and plates.text_width(longer, size) > room:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _colour(score: int) -> Colour:
    return GREEN if score >= _GOOD else AMBER if score >= _FAIR else RED
