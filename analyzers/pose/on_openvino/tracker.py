"""Follows the people of one video from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzers.pose.clock import RisingClock
from analyzers.pose.engine import Person
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.filters import PersonSmoother
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork, Sight
from analyzers.pose.on_openvino.region import Region, overlap
from analyzers.pose.on_openvino.scene import EmptySceneWatch

# MediaPipe's defaults: min_pose_presence_confidence, and min_tracking_confidence, which is how far
# the regions of two people may overlap.
_MIN_PRESENCE = 0.5
_MAX_OVERLAP = 0.5


# Browsers adapt a video's size and keep its shape, but for rounding.
_SAME_SHAPE = 0.02


@dataclass(slots=True)
class _Track:
    """Someone who is followed."""

    region: Region
    smoother: PersonSmoother = field(default_factory=PersonSmoother)


class Tracker:
    """Follows the people of one video.

    Parameters
    ----------
    detector, landmark_network
        Shared with other videos.
    num_poses
        How many people at most.
    """

    def __init__(
        self, detector: PoseDetector, landmark_network: LandmarkNetwork, num_poses: int
    ) -> None:
        self.num_poses = num_poses
        self._detector = detector
        self._landmark_network = landmark_network
        self._clock = RisingClock()
        self._empty_scene = EmptySceneWatch()
        self._tracks: list[_Track] = []
        self._frame_size: tuple[int, int] | None = None

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of the next frame; see `PoseTracker`."""
        time_ms = self._clock.tick(timestamp_ms)
        self._adapt_to_size(rgb)
        if not self._tracks and self._empty_scene.wants_search(rgb, time_ms):
            self._tracks = [_Track(region) for region in self._search(rgb)]
        people, followed = [], []
        for track in self._tracks:
            sight = self._landmark_network.look(rgb, track.region)
            if sight.score < _MIN_PRESENCE or not sight.region.is_usable:
                continue
            track.region = sight.region
            followed.append(track)
            people.append(_person(track, sight, rgb, time_ms))
        self._tracks = followed
        if followed:
            self._empty_scene.somebody()
        return people

    def close(self) -> None:
        """Nothing is held that Python does not give back by itself."""

    def _adapt_to_size(self, rgb: NDArray[np.uint8]) -> None:
        height, width = rgb.shape[:2]
        before, self._frame_size = self._frame_size, (height, width)
        if before is None or before == self._frame_size:
            return
        factor = height / before[0]
        if abs(factor * before[1] / width - 1.0) > _SAME_SHAPE:
            # Turned or cut: nobody is where they were.
            self._tracks = []
            self._empty_scene.somebody()
        self._tracks = [_Track(track.region.scaled(factor)) for track in self._tracks]

    def _search(self, rgb: NDArray[np.uint8]) -> list[Region]:
        kept: list[Region] = []
        for region in self._detector.find(rgb):
            # The later one of two that overlap is kept, as in MediaPipe.
            kept = [other for other in kept if overlap(other, region) <= _MAX_OVERLAP] + [region]
        return [region for region in kept if region.is_usable][: self.num_poses]


def _person(track: _Track, sight: Sight, rgb: NDArray[np.uint8], time_ms: int) -> Person:
    landmarks, world = track.smoother(
        sight.landmarks, sight.world_landmarks, time_ms / 1000, sight.region.size
    )
    height, width = rgb.shape[:2]
    return Person(
        landmarks=landmarks / (width, height, width, 1.0),
        world_landmarks=np.column_stack([world, landmarks[:, 3]]),
    )
