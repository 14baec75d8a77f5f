"""Draws where the reference person is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzers.drawing import plates, strokes
from analyzers.drawing.strokes import GREEN, Picture


def draw_matches(picture: Picture, result: Mapping[str, Any]) -> None:
    """Draw a box, the number and the distance of everyone in a result's `matches`."""
    scale = round(strokes.scale_of(picture), 3)
    # The nearest last, on top.
    for match in reversed(result["matches"]):
        x0, _, _, y1 = match["bbox"]
        strokes.box(picture, match["bbox"], GREEN)
        plate = plates.label(f"#{match['track_id']}  {match['distance']:.2f}", scale, GREEN)
        # Below: pose's number is above. Someone who fills the picture has it inside their box.
        gap = round(5 * scale)
        fits = y1 + gap + plate.height <= picture.shape[0]
        plate.lay(picture, x0, y1 + gap if fits else y1 - gap - plate.height)
