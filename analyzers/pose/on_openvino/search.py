"""Looks for people in a frame whom nobody follows yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, pair
from analyzers.networks.person_detector import PersonDetector
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.region import Region, overlap

# From a person's box to the region of their body: the hips are a little below its middle
# (docs/pose-engine.md has what other numbers find).
_BOX_MARGIN = 1.25
_HIPS = 0.52
# A box is that of someone who is followed if it overlaps their landmarks by this much.
_SAME_PERSON = 0.3
# Hips that are nearer to someone's, in sizes of that one's region, are the same person's.
_SAME_HIPS = 0.2
# min_tracking_confidence, MediaPipe's default: regions that overlap more are the same person's.
_SAME_REGION = 0.5

# The person detector costs two to three times the pose detector: while nobody is there it looks
# less often, and while somebody is, the pose detector does, which finds few more in a crowd.
_BOXES_PAUSE_MS = 160
_REGIONS_PAUSE_MS = 160


@dataclass(frozen=True, slots=True)
class Followed:
    """Someone who is followed already.

    Attributes
    ----------
    region
        Where they will be.
    body
        The box around their landmarks.
    """

    region: Region
    body: Box

    @property
    def is_lying(self) -> bool:
        """Whether the body is nearer to level than to upright."""
        return abs(math.sin(self.region.angle)) > math.sqrt(0.5)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Where someone seems to be.

    Attributes
    ----------
    region
        Of their body.
    box
        Around them, if the person detector saw them.
    """

    region: Region
    box: Box | None = None


class Search:
    """Finds people with two detectors.

    BlazePose's own sees one or two large people in any direction, and says in
    which. The person detector sees many, small ones and crowded ones, but few
    who lie; it is optional.
    """

    def __init__(self, pose_detector: PoseDetector, person_detector: PersonDetector | None) -> None:
        self._pose_detector = pose_detector
        self._person_detector = person_detector
        self._views = 0
        self._boxes_ms = self._regions_ms = -_REGIONS_PAUSE_MS
        # So that the pose detector, which is quicker, begins.
        self._boxes_were_last = True

    def find(
        self, rgb: NDArray[np.uint8], followed: Sequence[Followed], time_ms: int
    ) -> list[Newcomer]:
        """Look for people.

        Parameters
        ----------
        rgb : ndarray, shape (H, W, 3), uint8
            The frame.
        followed
            Who is not new.
        time_ms
            The frame's time; rises.

        Returns
        -------
        list of Newcomer
            Those of each detector, the surest first. Some may be the same
            person, seen by both.
        """
        if self._person_detector is None:
            return self._regions(rgb, followed)
        if not followed:
            # One of them for each frame: an empty scene should cost little.
            if not self._boxes_were_last and time_ms - self._boxes_ms >= _BOXES_PAUSE_MS:
                return self._boxes(rgb, followed, time_ms)
            self._boxes_were_last = False
            return self._regions(rgb, followed)
        found = self._boxes(rgb, followed, time_ms)
        if time_ms - self._regions_ms >= _REGIONS_PAUSE_MS:
            self._regions_ms = time_ms
            found += self._regions(rgb, followed)
        return found

    def _boxes(
        self, rgb: NDArray[np.uint8], followed: Sequence[Followed], time_ms: int
    ) -> list[Newcomer]:
        assert self._person_detector is not None
        self._boxes_ms, self._boxes_were_last = time_ms, True
        return _new_boxes(self._person_detector.find(rgb), followed)

    def _regions(self, rgb: NDArray[np.uint8], followed: Sequence[Followed]) -> list[Newcomer]:
        view = self._next_view(rgb) if followed else None
        regions = self._pose_detector.find(rgb, view, nobody_is_likely=not followed)
        return _new_regions(regions, followed)

    def _next_view(self, rgb: NDArray[np.uint8]) -> Region | None:
        """Return None for the whole frame, and in between its left, middle and right square.

        Of a tall frame the upper, middle and lower one. Where one person is,
        others are mostly smaller: a part of the frame shows them larger.
        """
        self._views += 1
        if self._views % 2:
            return None
        height, width = rgb.shape[:2]
        side = min(height, width)
        at = (self._views // 2 - 1) % 3 / 2
        return Region(side / 2 + at * (width - side), side / 2 + at * (height - side), side)


def _new_regions(regions: list[Region], followed: Sequence[Followed]) -> list[Newcomer]:
    kept: list[Region] = []
    for region in regions:
        # The later one of two that overlap is kept, as in MediaPipe.
        kept = [other for other in kept if overlap(other, region) <= _SAME_REGION] + [region]
    return [
        Newcomer(region)
        for region in kept
        if region.is_usable
        and all(
            overlap(region, other.region) <= _SAME_REGION
            and math.hypot(region.x - other.region.x, region.y - other.region.y)
            > _SAME_HIPS * other.region.size
            for other in followed
        )
    ]


def _new_boxes(boxes: list[Box], followed: Sequence[Followed]) -> list[Newcomer]:
    known = pair([other.body for other in followed], boxes, _SAME_PERSON)
    # Boxes of people who lie are often parts of them.
    lying = [other.body for other in followed if other.is_lying]
    return [
        Newcomer(_region(box), box)
        for index, box in enumerate(boxes)
        if index not in known
        and box.height >= 1
        and not any(body.holds(*box.middle) for body in lying)
    ]


def _region(box: Box) -> Region:
    return Region(box.middle[0], box.y0 + _HIPS * box.height, _BOX_MARGIN * box.height)
