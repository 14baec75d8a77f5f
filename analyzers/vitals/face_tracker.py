"""Follows one face from frame to frame: where it is, how it moves, what colour its skin has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.on_openvino.region import Region
from analyzers.vitals.alignment import Template
from analyzers.vitals.face_mesh import Face, FaceMesh
from analyzers.vitals.skin import Skin

_MIN_SCORE = 0.5
# From then on a face is turned so far that one cheek is away.
_MAX_TURNED = 0.55
# So often the network says whether the square is still on a face.
_CHECK_EVERY_S = 3.0
# What looks less like the piece than this is another.
_MIN_LIKENESS = 0.75
# How far the square may be from where the network sees the face before it is put there, in parts of
# its side.
_MAX_OFF = 0.08
# Around the mesh.
_MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class Reading:
    """One frame of a face.

    Attributes
    ----------
    colors : ndarray, shape (K, 3)
        Of K places of skin, 0..255; K stays the same while `anchor` does.
    place : ndarray, shape (4,)
        x and y of the face's middle, its size and its angle (radians); the
        first three in widths that the face had when the places were chosen.
    width_px : float
        From ear to ear.
    clipped : float
        The part of the skin that is as bright as can be.
    anchor : int
        Another one when the places are chosen anew.
    region : Region
        Where it is.
    turned : float
        0 for a face from the front, 1 for a profile.
    """

    colors: NDArray[np.float64]
    place: NDArray[np.float64]
    width_px: float
    clipped: float
    anchor: int
    region: Region
    turned: float


class FaceTracker:
    """One face."""

    def __init__(self, mesh: FaceMesh) -> None:
        self._mesh = mesh
        self._template: Template | None = None
        self._skin: Skin | None = None
        self._region: Region | None = None
        self._face: Face | None = None
        self._unit = 1.0
        self._checked_s = float("-inf")
        self._anchor = 0

    @property
    def region(self) -> Region | None:
        """Where the face was last; None when it is lost."""
        return self._region

    def look(self, rgb: NDArray[np.uint8], time_s: float, start: Region | None) -> Reading | None:
        """Find the face in a frame.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        time_s : float
            When; rises.
        start : Region, optional
            Where to look when it is lost.
        """
        if self._template is not None and self._region is not None:
            aligned = self._template.find(rgb, self._region)
            if aligned.likeness >= _MIN_LIKENESS and aligned.region.is_usable:
                self._region = aligned.region
                if time_s - self._checked_s >= _CHECK_EVERY_S and not self._holds(rgb, time_s):
                    self._template = None
            else:
                self._template = None
        if self._template is None and not self._begin(rgb, time_s, start):
            return None
        return self._reading(rgb)

    def _holds(self, rgb: NDArray[np.uint8], time_s: float) -> bool:
        """Ask the network whether the square is where the face is."""
        assert self._region is not None
        self._checked_s = time_s
        face = self._mesh.look(rgb, Region(*self._beside(), self._region.angle))
        if face.score < _MIN_SCORE:
            return False
        self._face = face
        square = _square(face)
        off = np.hypot(square.x - self._region.x, square.y - self._region.y)
        grown = abs(square.size / self._region.size - 1.0)
        return bool(off < _MAX_OFF * self._region.size and grown < 2.0 * _MAX_OFF)

    def _beside(self) -> tuple[float, float, float]:
        """Return the middle and side of what the network wants to see."""
        assert self._region is not None
        return self._region.x, self._region.y, self._region.size * 1.5 / _MARGIN

    def _begin(self, rgb: NDArray[np.uint8], time_s: float, start: Region | None) -> bool:
        face = None
        for place in (self._region, start):
            if place is not None and place.is_usable:
                face = self._mesh.look(rgb, place)
                if face.score >= _MIN_SCORE:
                    # The first look is from where the face was, or a box that others drew.
                    face = self._mesh.look(rgb, face.region)
                if face.score >= _MIN_SCORE:
                    break
        self._region = self._skin = None
        if face is None or face.score < _MIN_SCORE or not face.region.is_usable:
            return False
        self._face, self._checked_s = face, time_s
        self._region = _square(face)
        # The network trembles: by what it says later, a face that is still would seem to move.
        self._unit = max(face.width, 1.0)
        self._template = Template(rgb, self._region)
        self._skin = Skin(rgb, self._region, face.points)
        self._anchor += 1
        return True

    def _reading(self, rgb: NDArray[np.uint8]) -> Reading:
        assert self._region is not None
        assert self._face is not None
        assert self._skin is not None
        region = self._region
        unit = self._unit
        colors = self._skin.colors(rgb, region)
        return Reading(
            colors=colors.places,
            place=np.array([region.x / unit, region.y / unit, region.size / unit, region.angle]),
            width_px=max(self._face.width, 1.0),
            clipped=colors.clipped,
            anchor=self._anchor,
            region=region,
            turned=self._face.turned,
        )


def _square(face: Face) -> Region:
    region = face.region
    return Region(region.x, region.y, region.size * _MARGIN / 1.5, region.angle)


def is_turned_away(reading: Reading) -> bool:
    """Tell whether too little of the face is seen."""
    return reading.turned > _MAX_TURNED or len(reading.colors) < 2
