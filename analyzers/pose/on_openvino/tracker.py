"""Follows the people of one video from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, overlap
from analyzers.pose.clock import RisingClock
from analyzers.pose.engine import Person
from analyzers.pose.on_openvino.filters import PersonSmoother
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork, LandmarkResult
from analyzers.pose.on_openvino.region import Region
from analyzers.pose.on_openvino.scene import EmptySceneWatch
from analyzers.pose.on_openvino.search import Followed, Newcomer, Search

# MediaPipe's default: min_pose_presence_confidence.
_MIN_PRESENCE = 0.5

# Between searches while somebody is followed, and fewer than wanted: every fifth frame at 30 frames
# per second, and sooner when someone was lost.
_PAUSE_MS = 160
_PAUSE_AFTER_LOSS_MS = 80

# Two whose landmarks' boxes overlap by more are one person.
_DOUBLE = 0.6

# Browsers adapt a video's size and keep its shape, but for rounding.
_SAME_SHAPE = 0.02


@dataclass(slots=True)
class _Track:
    """Someone who is followed, as seen in the last frame."""

    sight: LandmarkResult
    smoother: PersonSmoother = field(default_factory=PersonSmoother)

    @property
    def body(self) -> Box:
        return Box.around(self.sight.landmarks[:, :2])


class Tracker:
    """Follows the people of one video.

    Parameters
    ----------
    search
        Its own.
    landmark_network
        Shared with other videos.
    num_poses
        How many people at most.
    """

    def __init__(self, search: Search, landmark_network: LandmarkNetwork, num_poses: int) -> None:
        self.num_poses = num_poses
        self._search = search
        self._landmark_network = landmark_network
        self._clock = RisingClock()
        self._empty_scene = EmptySceneWatch()
        self._searched_ms = 0
        self._lost_someone = False
        self._tracks: list[_Track] = []
        self._frame_size: tuple[int, int] | None = None

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: float) -> list[Person]:
        """Find the people of the next frame; see `PoseTracker`."""
        time_ms = self._clock.tick(timestamp_ms)
        self._adapt_to_size(rgb)
        before = len(self._tracks)
        self._follow(rgb)
        if self._is_search_due(rgb, time_ms, before):
            self._searched_ms = time_ms
            self._lost_someone = False
            followed = [Followed(track.sight.region, track.body) for track in self._tracks]
            self._welcome(rgb, self._search.find(rgb, followed, time_ms))
        if self._tracks:
            self._empty_scene.somebody()
        return [_person(track, rgb, time_ms) for track in self._tracks]

    def close(self) -> None:
        """Nothing is held that Python does not give back by itself."""

    def _is_search_due(self, rgb: NDArray[np.uint8], time_ms: int, before: int) -> bool:
        if not before:
            return self._empty_scene.wants_search(rgb, time_ms)
        now = len(self._tracks)
        self._lost_someone |= now < before
        # One person who is lost is looked for in the next frame, as in MediaPipe.
        if now >= self.num_poses or self.num_poses == 1:
            return False
        pause_ms = _PAUSE_AFTER_LOSS_MS if self._lost_someone else _PAUSE_MS
        return time_ms - self._searched_ms >= pause_ms

    def _follow(self, rgb: NDArray[np.uint8]) -> None:
        bodies = [track.body for track in self._tracks]
        # Who was followed for longest comes first: of two on one person it stays.
        before, self._tracks = self._tracks, []
        for track, body in zip(before, bodies, strict=True):
            others = [other for other in bodies if other is not body]
            points = track.sight.landmarks[:, :2]
            sight = self._look(rgb, track.sight.region, body, points, others)
            if sight is not None:
                track.sight = sight
                self._tracks.append(track)

    def _welcome(self, rgb: NDArray[np.uint8], newcomers: Sequence[Newcomer]) -> None:
        for newcomer in newcomers:
            if len(self._tracks) >= self.num_poses:
                return
            others = [track.body for track in self._tracks]
            others += [other.box for other in newcomers if other.box and other is not newcomer]
            box = newcomer.box
            sight = self._look(rgb, newcomer.region, box, box.corners() if box else None, others)
            if sight is not None:
                self._tracks.append(_Track(sight))

    def _look(
        self,
        rgb: NDArray[np.uint8],
        region: Region,
        body: Box | None,
        points: NDArray[np.float64] | None,
        others: Sequence[Box],
    ) -> LandmarkResult | None:
        """Return what is seen of someone, None if they are not there or followed already."""
        beside = body is not None and any(body.meets(other) for other in others)
        sight = self._landmark_network.look(rgb, region, points if beside else None)
        # Written so that a score which is no number is none.
        if not (sight.score >= _MIN_PRESENCE and sight.region.is_usable):
            return None
        seen = Box.around(sight.landmarks[:, :2])
        if any(overlap(seen, track.body) >= _DOUBLE for track in self._tracks):
            return None
        return sight

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
        for track in self._tracks:
            track.sight = track.sight.scaled(factor)
            track.smoother.rescale(factor)


def _person(track: _Track, rgb: NDArray[np.uint8], time_ms: int) -> Person:
    landmarks, world = track.smoother(
        track.sight.landmarks,
        track.sight.world_landmarks,
        time_ms / 1000,
        track.sight.region.size,
    )
    height, width = rgb.shape[:2]
    return Person(
        landmarks=landmarks / (width, height, width, 1.0),
        world_landmarks=np.column_stack([world, landmarks[:, 3]]),
    )
