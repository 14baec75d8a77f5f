"""Who pose sees in a frame, as boxes in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box
from analyzers.pose.landmarks import INDEX

# Landmarks end at the eyes and at the ankles' joints; a person's box goes on to the top of the
# head and around the flesh. In heights of the box around the landmarks.
_ABOVE = 0.10
_AROUND = 0.04

_TORSO = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "hip")]


@dataclass(frozen=True, slots=True)
class PosedPerson:
    """Someone whom pose sees.

    Attributes
    ----------
    number : int
        Pose's for them, from 1; 0 when it gives none.
    landmarks : ndarray, shape (33, 3)
        x and y in pixels, visibility 0..1.
    box : Box
        Around them; its score is how visible the torso is.
    """

    number: int
    landmarks: NDArray[np.float64]
    box: Box

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the torso, pixels: what moves when they move, not when an arm does."""
        x, y = self.landmarks[_TORSO, :2].mean(axis=0).tolist()
        return x, y


def posed_people(pose: Mapping[str, Any] | None, width: int, height: int) -> list[PosedPerson]:
    """Read pose's result.

    Parameters
    ----------
    pose
        What the analyzer pose says of a frame.
    width, height
        Of the frame, pixels.
    """
    if not pose or not pose.get("has_pose"):
        return []
    people = pose.get("people")
    entries = (
        [(int(person["id"]), person["landmarks"]) for person in people]
        if people
        else [(int(pose.get("track_id") or 0), pose["landmarks"])]
    )
    return [_posed(number, points, width, height) for number, points in entries]


def box_around(landmarks: NDArray[np.float64], width: int, height: int) -> Box:
    """Return the box of a person, within the frame.

    Parameters
    ----------
    landmarks : ndarray, shape (33, 3)
        x and y in pixels, visibility 0..1.
    """
    inner = Box.around(landmarks[:, :2])
    around = _AROUND * inner.height
    low = np.array([inner.x0 - around, inner.y0 - _ABOVE * inner.height])
    high = np.array([inner.x1 + around, inner.y1 + around])
    x0, y0 = low.clip(0, (width, height)).tolist()
    x1, y1 = high.clip(0, (width, height)).tolist()
    return Box(x0, y0, x1, y1, score=float(landmarks[_TORSO, 2].mean()))


def _posed(
    number: int, points: Sequence[Mapping[str, float]], width: int, height: int
) -> PosedPerson:
    landmarks = np.array(
        [(point["x"] * width, point["y"] * height, point["visibility"]) for point in points]
    )
    return PosedPerson(number, landmarks, box_around(landmarks, width, height))
