"""Puts people into the words of a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.engine import Person
from analyzers.pose.landmarks import NAMES

# A result crosses SCTP in packets of some 1200 bytes, thirty times a second, and full floats would
# double it. 1e-5 of a frame is a fiftieth of a pixel, 1e-4 m a tenth of a millimetre, both below
# what the network can see.
_FRAME_DECIMALS = 5
_WORLD_DECIMALS = 4
_VISIBILITY_DECIMALS = 4

Points = NDArray[np.float64]


def of_one(people: Sequence[Person], numbers: Sequence[int]) -> dict[str, Any]:
    """Return the result of a session that follows one person.

    Parameters
    ----------
    people
        The one, or nobody.
    numbers
        Theirs.
    """
    if not people:
        return {"has_pose": False, "track_id": None, "landmarks": [], "world_landmarks": []}
    return {"has_pose": True, "track_id": numbers[0], **_both_lists(people[0])}


def of_several(
    people: Sequence[Person], numbers: Sequence[int], width: int, height: int
) -> dict[str, Any]:
    """Return the result of a session that follows several people.

    Parameters
    ----------
    people, numbers
        Those of the frame, and a number for each.
    width, height
        Of the frame, pixels.
    """
    entries: list[dict[str, Any]] = [
        {
            "id": number,
            "track_id": number,
            "box": (box := bounding_box(person.landmarks[:, :2])),
            "bbox": _in_pixels(box, width, height),
            **_both_lists(person),
        }
        for number, person in sorted(zip(numbers, people, strict=True), key=lambda pair: pair[0])
    ]
    prominent = max(entries, key=lambda entry: _area(entry["box"]), default=None)
    return {
        "has_pose": bool(entries),
        "track_id": prominent["track_id"] if prominent else None,
        "landmarks": prominent["landmarks"] if prominent else [],
        "world_landmarks": prominent["world_landmarks"] if prominent else [],
        "people": entries,
    }


def bounding_box(points: Points) -> list[float]:
    """Return the box around landmarks: x0, y0, x1, y1 within 0..1 of the frame.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        x and y; those outside the frame are moved to its edge.
    """
    inside = points.clip(0.0, 1.0)
    return [round(float(edge), 5) for edge in (*inside.min(axis=0), *inside.max(axis=0))]


def _in_pixels(box: list[float], width: int, height: int) -> list[int]:
    x0, y0, x1, y1 = box
    return [round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)]


def _area(box: list[float]) -> float:
    """Return the part of the frame, 0..1, that a box covers."""
    x0, y0, x1, y1 = box
    return (x1 - x0) * (y1 - y0)


def _both_lists(person: Person) -> dict[str, list[dict[str, Any]]]:
    return {
        "landmarks": _as_dicts(person.landmarks, _FRAME_DECIMALS),
        "world_landmarks": _as_dicts(person.world_landmarks, _WORLD_DECIMALS),
    }


def _as_dicts(landmarks: Points, decimals: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "name": name,
            "x": round(x, decimals),
            "y": round(y, decimals),
            "z": round(z, decimals),
            "visibility": round(visibility, _VISIBILITY_DECIMALS),
        }
        for index, (name, (x, y, z, visibility)) in enumerate(
            zip(NAMES, landmarks.tolist(), strict=True)
        )
    ]
