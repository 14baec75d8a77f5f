"""Finds people in pictures that have nothing to do with each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.margins import Roomy, with_margins
from analyzers.pose.engine import Person, PoseEngine

# An engine looks for further people now and then; a still picture is shown to it until it did.
_SHOWN_MS = (0, 400, 800)

# Margins for someone who fills the picture, tried in turn: above and below, in heights, and width
# over height. They find 92 % of CUHK03's crops; the crop as it is, 52 % (docs/accuracy.md).
_MARGINS = ((0.5, 1.0), (0.15, 1.7))

# Landmarks end at the eyes and at the ankles: those of someone who fills the picture are this high.
_FILLS = 0.6


class StillImages:
    """Takes every frame for a picture of its own; a `PoseTracker`.

    Nobody is followed. Where nobody is found, or somebody who fills the
    picture, it is looked at once more with room around it: those who fill theirs
    are found so, and where their joints are is seen better.

    Parameters
    ----------
    engine
        What finds people.
    num_poses
        How many people at most.
    """

    def __init__(self, engine: PoseEngine, num_poses: int) -> None:
        self.num_poses = num_poses
        self._engine = engine

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of a picture; see `PoseTracker`. Its time does not matter."""
        people = self._find(rgb)
        if len(people) > 1 or (people and not _fills(people[0])):
            return people
        for above, shape in _MARGINS:
            roomy = with_margins(rgb, above=above, shape=shape)
            found = [_placed_back(person, roomy, rgb) for person in self._find(roomy.picture)]
            if found:
                return found
        return people

    def close(self) -> None:
        """Nothing is held."""

    def _find(self, rgb: NDArray[np.uint8]) -> list[Person]:
        tracker = self._engine.open(self.num_poses)
        try:
            people: list[Person] = []
            for time_ms in _SHOWN_MS:
                people = tracker.detect(rgb, time_ms)
                if len(people) >= self.num_poses:
                    break
            return people
        finally:
            tracker.close()


def _fills(person: Person) -> bool:
    return bool(np.ptp(person.landmarks[:, 1]) >= _FILLS)


def _placed_back(person: Person, roomy: Roomy, rgb: NDArray[np.uint8]) -> Person:
    """Return someone of the roomy picture as they are in the one it was made of."""
    height, width = rgb.shape[:2]
    high, wide = roomy.picture.shape[:2]
    landmarks = person.landmarks.copy()
    landmarks[:, :2] = roomy.back(landmarks[:, :2] * (wide, high)) / (width, height)
    # z is in the scale of x.
    landmarks[:, 2] *= wide / (roomy.scale * width)
    return Person(landmarks, person.world_landmarks)
