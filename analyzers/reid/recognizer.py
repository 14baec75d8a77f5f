"""Looks at a frame: who is there, and what each of them looks like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, pair
from analyzers.networks.margins import with_margins
from analyzers.networks.runtime import CPU, Runtime
from analyzers.reid.models import Detector, FeatureExtractor, make_detector, make_extractor
from analyzers.reid.sightings import PosedPerson
from analyzers.reid.tracks import Sighting

# In the result, for boxes that come from pose.
POSE = "pose"

# Of a person who is smaller there is nothing to tell them by.
_MIN_HEIGHT_PX = 32
_MIN_WIDTH_PX = 8

# A detected box and the one around someone's landmarks are of one person from here on.
_SAME_PERSON = 0.3

# Whom pose alone sees counts when their torso is mostly visible.
_LEAST_VISIBLE = 0.5

# Around someone who fills the picture; the detector then finds 99 % of CUHK03's crops.
_MARGIN_ABOVE, _MARGIN_SHAPE = 0.5, 1.7


class Recognizer:
    """Finds people and describes them.

    Parameters
    ----------
    model : str, optional
        What describes them, by name or path; see `make_extractor`.
    detector : str, optional
        What finds them, by name or path; by default the detector in the user's
        cache. Without one, people are those that pose sees.
    device, precision : str
        See `Runtime`.

    Attributes
    ----------
    extractor : FeatureExtractor
        What describes them.
    detector_name : str
        What finds them.

    Raises
    ------
    AnalyzerUnavailable, ValueError
        When what was asked for is not there, or is not what it should be.
    """

    def __init__(
        self,
        model: str | None = None,
        detector: str | None = None,
        *,
        device: str = CPU,
        precision: str = "auto",
    ) -> None:
        def make_runtime() -> Runtime:
            return Runtime(device, precision)

        self.extractor: FeatureExtractor = make_extractor(model, make_runtime)
        named = make_detector(detector, make_runtime)
        self.detector_name = named[0] if named else POSE
        self._detector = named[1] if named else None

    def look(
        self, rgb: NDArray[np.uint8], posed: Sequence[PosedPerson] = (), *, fills: bool = False
    ) -> list[Sighting]:
        """Find and describe everyone.

        Whom only one of detector and pose sees counts as well: those who lie
        or are close to the camera are mostly pose's alone.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        posed
            Whom pose sees in it.
        fills
            Where nobody is found, look for someone who fills the picture.

        Returns
        -------
        list of Sighting
            The surest first.
        """
        height, width = rgb.shape[:2]
        seen = [person.box for person in posed]
        boxes = [
            inside
            for box in self._people(rgb, seen, fills)
            if _is_large_enough(inside := _clip(box, width, height))
        ]
        boxes.sort(key=lambda box: -box.score)
        same = pair(seen, boxes, _SAME_PERSON)
        return [
            Sighting(
                box,
                self.extractor.describe(
                    rgb, box, posed[same[index]].landmarks if index in same else None
                ),
            )
            for index, box in enumerate(boxes)
        ]

    def _people(self, rgb: NDArray[np.uint8], seen: list[Box], fills: bool) -> list[Box]:
        if self._detector is None:
            return seen
        found = self._detector.find(rgb)
        if fills and not found and not seen:
            found = _filling(self._detector, rgb)
        return found + _others(seen, found)


def _filling(detector: Detector, rgb: NDArray[np.uint8]) -> list[Box]:
    """Return whom the detector finds when there is room around the picture."""
    roomy = with_margins(rgb, above=_MARGIN_ABOVE, shape=_MARGIN_SHAPE)
    boxes = detector.find(roomy.picture)
    corners = [roomy.back(box.corners()[::2]).ravel().tolist() for box in boxes]
    return [
        Box(x0, y0, x1, y1, box.score) for box, (x0, y0, x1, y1) in zip(boxes, corners, strict=True)
    ]


def _others(seen: Sequence[Box], found: Sequence[Box]) -> list[Box]:
    """Return those whom pose sees and the detector does not."""
    known = pair(found, seen, _SAME_PERSON)
    return [
        box
        for index, box in enumerate(seen)
        if index not in known
        and box.score >= _LEAST_VISIBLE
        and not any(other.holds(*box.middle) for other in found)
    ]


def _clip(box: Box, width: int, height: int) -> Box:
    return Box(
        max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, width), min(box.y1, height), box.score
    )


def _is_large_enough(box: Box) -> bool:
    return box.height >= _MIN_HEIGHT_PX and box.width >= _MIN_WIDTH_PX
