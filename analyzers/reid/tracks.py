"""Follows people between looks, and averages what each of them looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from analyzers.networks.boxes import Box
from analyzers.reid.embedding import Embedding

# How long someone may be out of sight and be taken up again.
_MEMORY_MS = 3000.0

# How far someone may go: half their height at once (boxes jitter, and looks are 0.2 s apart), and
# another 1.5 heights a second, which is a person of 1.8 m who runs at 2.7 m/s.
_MOVE_AT_ONCE = 0.5
_MOVE_PER_S = 1.5

# Boxes of one person do not double their height from one look to the next.
_MAX_GROWTH = 2.0

# Someone whose looks differ by more than this many thresholds is somebody else, near or not. On
# TUD-Campus, at 5 Hz, someone's number then changes in 7 % of looks; with 0.5 in 16 to 44 %.
_MAX_DIFFERENCE = 1.5

# Each look weighs this much less than the next: some ten of them count, two seconds at 5 Hz.
_FADING = 0.9

# Someone of whom less can be seen is followed, but what covers them is not averaged in.
_LEAST_VISIBLE = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person in one frame.

    Attributes
    ----------
    box : Box
        Where, pixels.
    embedding : Embedding
        What they look like there.
    """

    box: Box
    embedding: Embedding


class Track:
    """A person who is followed.

    Attributes
    ----------
    number : int
        Theirs, from 1.
    box : Box
        Where they were seen last, pixels.
    seen_ms : float
        When that was.
    """

    def __init__(self, number: int, seen: Sighting, visible: float, seen_ms: float) -> None:
        self.number = number
        self.box = seen.box
        self.seen_ms = seen_ms
        self._model = seen.embedding.model
        self._sum = _weight(visible) * seen.embedding.vector.astype(np.float64)
        # Of someone who was covered from the start there is nothing better yet.
        if not self._sum.any():
            self._sum += 1e-3 * seen.embedding.vector

    @property
    def embedding(self) -> Embedding:
        """What they look like, averaged over the last looks."""
        return Embedding(self._model, self._sum.astype(np.float32))

    def see(self, seen: Sighting, visible: float, seen_ms: float) -> None:
        """Take in the next look."""
        self.box, self.seen_ms = seen.box, seen_ms
        weight = _weight(visible)
        if weight:
            self._sum = _FADING * self._sum + weight * seen.embedding.vector


class Tracks:
    """The people of one video.

    Parameters
    ----------
    threshold : float
        The cosine distance up to which two looks show one person.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = max(threshold, 1e-3)
        self._tracks: list[Track] = []
        self.count = 0

    def update(self, sightings: Sequence[Sighting], seen_ms: float) -> list[Track]:
        """Take in everyone in a frame.

        Whoever is near where someone was and looks like them is them, the
        most alike first. Someone who looks like nobody near is new.

        Returns
        -------
        list of Track
            One for each of `sightings`.
        """
        self._tracks = [t for t in self._tracks if seen_ms - t.seen_ms <= _MEMORY_MS]
        visible = visible_parts([sighting.box for sighting in sightings])
        matched = self._match(sightings, seen_ms)
        answer = []
        for index, sighting in enumerate(sightings):
            track = matched.get(index)
            if track is None:
                self.count += 1
                track = Track(self.count, sighting, visible[index], seen_ms)
                self._tracks.append(track)
            else:
                track.see(sighting, visible[index], seen_ms)
            answer.append(track)
        return answer

    def _match(self, sightings: Sequence[Sighting], seen_ms: float) -> dict[int, Track]:
        pairs = sorted(
            (cost, index, position)
            for position, track in enumerate(self._tracks)
            for index, sighting in enumerate(sightings)
            if (cost := self._cost(track, sighting, seen_ms)) is not None
        )
        matched: dict[int, Track] = {}
        taken: set[int] = set()
        for _, index, position in pairs:
            if index not in matched and position not in taken:
                matched[index] = self._tracks[position]
                taken.add(position)
        return matched

    def _cost(self, track: Track, sighting: Sighting, seen_ms: float) -> float | None:
        """Say how unlikely it is that they are the same; None when they can not be."""
        gap_s = max(seen_ms - track.seen_ms, 0.0) / 1000
        moved = _move(track.box, sighting.box) / (_MOVE_AT_ONCE + _MOVE_PER_S * gap_s)
        low, high = sorted((track.box.height, sighting.box.height))
        if moved > 1.0 or high > _MAX_GROWTH * low:
            return None
        difference = track.embedding.distance(sighting.embedding) / self._threshold
        return None if difference > _MAX_DIFFERENCE else moved + difference


def visible_parts(boxes: Sequence[Box]) -> list[float]:
    """Say which part of each box, 0..1, no nearer person's box covers.

    Whose feet are lower in the picture is nearer. Where several cover one,
    the largest counts.
    """
    return [
        1.0 - max((_covered(box, o) for o in boxes if o is not box and o.y1 > box.y1), default=0.0)
        for box in boxes
    ]


def _covered(box: Box, other: Box) -> float:
    if not box.meets(other):
        return 0.0
    width = min(box.x1, other.x1) - max(box.x0, other.x0)
    height = min(box.y1, other.y1) - max(box.y0, other.y0)
    return width * height / (box.width * box.height)


def _move(before: Box, now: Box) -> float:
    """Return how far the middle moved, in heights of the lower box."""
    (x0, y0), (x1, y1) = before.middle, now.middle
    return hypot(x1 - x0, y1 - y0) / max(min(before.height, now.height), 1.0)


def _weight(visible: float) -> float:
    return visible if visible >= _LEAST_VISIBLE else 0.0
