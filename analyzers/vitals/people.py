"""Who is measured in a session, and where each one's face is looked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.on_openvino.region import Region, overlap
from analyzers.vitals.background import Background
from analyzers.vitals.chest import Chest
from analyzers.vitals.face_detector import FaceDetector
from analyzers.vitals.face_mesh import FaceMesh
from analyzers.vitals.face_tracker import FaceTracker
from analyzers.vitals.history import Moment
from analyzers.vitals.pulse import PersonPulse, Told

# So often a face is looked for that is not there.
_SEARCH_EVERY_S = 0.35
# Who was gone for so long is somebody else when they come back.
_KEPT_S = 5.0
_SAME_FACE = 0.2
# BlazePose's nose, eyes' middles and mouth's corners.
_EYES, _MOUTH = (2, 5), (9, 10)
_SEEN = 0.5
# The mesh's region, in distances from eyes to mouth or between the eyes.
_FACE_SIZE = 3.4


class Measuring(Protocol):
    """What takes one person's moments; `PersonPulse` is the one that measures them."""

    def see(self, moment: Moment) -> Told:
        """Take one."""

    def nobody(self) -> Told:
        """The face is not there."""


@dataclass(slots=True)
class Person:
    """One who is measured."""

    id: int
    face: FaceTracker
    pulse: Measuring
    chest: Chest = field(default_factory=Chest)
    background: Background | None = None
    anchor: int = 0
    searched_s: float = float("-inf")
    seen_s: float = float("-inf")

    def look(self, rgb: NDArray[np.uint8], time_s: float, start: Region | None) -> Told:
        """Take a frame, in which the face may be at `start` when it was lost."""
        reading = self.face.look(rgb, time_s, start)
        if reading is None:
            return self.pulse.nobody()
        self.seen_s = time_s
        if self.background is None or not (
            self.anchor == reading.anchor and self.background.fits(rgb)
        ):
            self.background, self.anchor = Background(rgb, reading.region), reading.anchor
        chest = self.chest.rise(rgb, reading.region, time_s)
        return self.pulse.see(Moment(time_s, reading, self.background.color(rgb), chest))

    def may_search(self, time_s: float) -> bool:
        """Tell whether to look for the face, which is lost; if so, it counts as looked for."""
        if self.face.region is not None or time_s - self.searched_s < _SEARCH_EVERY_S:
            return False
        self.searched_s = time_s
        return True


class People:
    """Those of one session.

    Parameters
    ----------
    detector, mesh
        The networks.
    pulse
        Makes what measures one person.
    """

    def __init__(
        self,
        detector: FaceDetector,
        mesh: FaceMesh,
        pulse: Callable[[], Measuring] = PersonPulse,
    ) -> None:
        self._detector = detector
        self._mesh = mesh
        self._pulse = pulse
        self._people: dict[int, Person] = {}
        self._next = 1
        self._searched_s = float("-inf")

    def by_pose(
        self,
        rgb: NDArray[np.uint8],
        time_s: float,
        posed: Mapping[int, Sequence[Mapping[str, Any]]],
    ) -> dict[int, Told]:
        """Look at those whom pose has found, by their ids; no detector runs.

        Parameters
        ----------
        posed
            Each one's 33 landmarks.
        """
        height, width = rgb.shape[:2]
        told = {}
        for number, landmarks in posed.items():
            person = self._people.get(number) or self._add(number)
            start = None
            if person.may_search(time_s):
                start = face_of(landmarks, width, height)
            told[number] = person.look(rgb, time_s, start)
        self._drop(time_s, set(posed))
        return told

    def by_detector(self, rgb: NDArray[np.uint8], time_s: float, count: int) -> dict[int, Told]:
        """Look at up to `count` people, whose faces are found here.

        Where they are more, since fewer are asked for than before, those with the smallest faces
        are measured no more.
        """
        while len(self._people) > count:
            del self._people[min(self._people, key=self._size)]
        known = [each.face.region for each in self._people.values() if each.face.region]
        starts: list[Region] = []
        if len(known) < count and time_s - self._searched_s >= _SEARCH_EVERY_S:
            self._searched_s = time_s
            found = self._detector.find(rgb)
            starts = [
                face for face in found if all(overlap(face, old) < _SAME_FACE for old in known)
            ]
        # Who was lost a moment ago is whoever is there now.
        lost = [each for each in self._people.values() if each.face.region is None]
        new = starts[len(lost) : len(lost) + count - len(self._people)]
        lost.extend([self._add(self._next) for _ in new])
        told = {}
        for number, person in list(self._people.items()):
            start = starts.pop(0) if person in lost and starts else None
            told[number] = person.look(rgb, time_s, start)
        self._drop(time_s, set())
        return told

    def _add(self, number: int) -> Person:
        person = self._people[number] = Person(number, FaceTracker(self._mesh), self._pulse())
        self._next = max(self._next, number + 1)
        return person

    def largest(self, told: Mapping[int, Told]) -> int | None:
        """Return who of those told of has the largest face, None when there is nobody."""
        there = (each for each in told if each in self._people)
        return max(there, key=self._size, default=None)

    def _size(self, number: int) -> float:
        region = self._people[number].face.region
        return 0.0 if region is None else region.size

    def _drop(self, time_s: float, there: set[int]) -> None:
        for number, person in list(self._people.items()):
            if number not in there and time_s - person.seen_s > _KEPT_S:
                del self._people[number]


def face_of(landmarks: Sequence[Mapping[str, Any]], width: int, height: int) -> Region | None:
    """Return where pose's landmarks have the face; None when it is not seen."""
    if min(landmarks[point]["visibility"] for point in (*_EYES, *_MOUTH)) < _SEEN:
        return None
    points = np.array([(each["x"] * width, each["y"] * height) for each in landmarks[:11]])
    eyes, mouth = points[list(_EYES)], points[list(_MOUTH)].mean(axis=0)
    # A person's left eye is on the right of the picture.
    dx, dy = eyes[0] - eyes[1]
    middle = eyes.mean(axis=0)
    unit = max(float(np.hypot(dx, dy)), float(np.hypot(*(mouth - middle))))
    x, y = (middle + mouth) / 2.0
    region = Region(float(x), float(y), _FACE_SIZE * unit, math.atan2(dy, dx))
    return region if region.is_usable else None
