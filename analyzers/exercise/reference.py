"""Reads from re-identification who the person to score is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.pose.landmarks import INDEX

# The only person's id, when pose follows one and numbers nobody.
ALONE = 0

_TORSO = tuple(
    INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "hip")
)


def named_by(
    reid: Mapping[str, Any],
    people: Sequence[Mapping[str, Any]] | None,
    landmarks: Sequence[Mapping[str, float]],
    width: int,
    height: int,
) -> tuple[int | None, ...] | None:
    """Return the ids of those who match the reference, the nearest first.

    Parameters
    ----------
    reid : mapping
        The result of the analyzer reid: `matches`, and `reid` with `has_reference`.
    people : sequence of mapping or None
        Pose's people; None when it follows one person only.
    landmarks : sequence of mapping
        That one's, x and y in 0..1 of the frame.
    width, height : int
        Of the frame, pixels.

    Returns
    -------
    tuple of int or None, or None
        None in the tuple is somebody whom pose does not see; None when there is no reference.
    """
    if not reid["reid"]["has_reference"]:
        return None
    matches = reid["matches"]
    if people is not None:
        return tuple(match["person_id"] for match in matches)
    x, y = (sum(landmarks[index][axis] for index in _TORSO) / len(_TORSO) for axis in "xy")
    return tuple(
        ALONE if _is_inside(match["bbox"], x * width, y * height) else None for match in matches
    )


def _is_inside(bbox: Sequence[float], x: float, y: float) -> bool:
    x0, y0, x1, y1 = bbox
    return x0 <= x <= x1 and y0 <= y <= y1
