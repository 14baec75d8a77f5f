"""Re-identification in one video: looks now and then, and an answer for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzers.kept_state import BadState, StateFormat
from analyzers.networks.boxes import Box, pair
from analyzers.reid.embedding import Embedding
from analyzers.reid.recognizer import Recognizer
from analyzers.reid.sightings import PosedPerson
from analyzers.reid.tracks import Sighting, Track, Tracks

# A frame that comes this much before its time is looked at; thirty frames a second are not quite
# 33.3 ms apart.
_EARLY_MS = 5.0

# How long boxes are shown after the look they come from; someone who has left is still there until
# the next look.
_HOLD_MS = 1000.0

# The box of a look and the one around someone's landmarks are of one person from here on.
_SAME_PERSON = 0.3

_DECIMALS = 4
# Of distances: with more, a hundred answers about references that are made up tell what somebody
# else looks like to the network, number by number.
_DISTANCE_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class _Found:
    """Someone in the last look, with the person of pose's whom their box moves with."""

    track: Track
    sighting: Sighting
    anchor: PosedPerson | None

    @property
    def box(self) -> Box:
        return self.sighting.box


@dataclass(slots=True)
class _Matched:
    """When a track was the reference."""

    first_ms: float
    last_ms: float
    best_distance: float


@dataclass(slots=True)
class _Memory:
    """What is known of the video so far.

    Attributes
    ----------
    model
        Of the network that embeddings are of.
    found, found_ms
        Everybody in the last look, and when that was.
    looks
        How many there were.
    matched
        By number of the track.
    """

    model: str
    tracks: Tracks
    found: list[_Found] = field(default_factory=list)
    found_ms: float | None = None
    looks: int = 0
    matched: dict[int, _Matched] = field(default_factory=dict)


_STATE = StateFormat(
    "reid 1",
    dict.fromkeys(
        (_Memory, _Matched, _Found, Tracks, Track, Sighting, Embedding, PosedPerson, Box)
    ),
)


@dataclass(slots=True)
class _Look:
    """A look that has been asked for."""

    people: Future[list[Sighting]]
    timestamp_ms: float
    posed: Sequence[PosedPerson]


class ReidSession:
    """One video.

    Parameters
    ----------
    recognizer
        What looks.
    thread
        Where it looks; nobody waits for it.
    threshold : float
        The largest cosine distance of a match.
    interval_ms : float
        Between two looks.

    Attributes
    ----------
    reference : Embedding or None
        Who is looked for. Without anyone, nobody is looked at.
    threshold : float
        See above.
    every_frame : bool
        Look at every frame and wait for it, so that the answer is of that frame.
    enrol : bool
        Look at every frame, and hand out what each person looks like.
    """

    def __init__(
        self, recognizer: Recognizer, thread: Executor, threshold: float, interval_ms: float
    ) -> None:
        self.reference: Embedding | None = None
        self.threshold = threshold
        self.every_frame = False
        self.enrol = False
        self._recognizer = recognizer
        self._thread = thread
        self._interval_ms = interval_ms
        self._memory = self._remember_nothing()
        self._look: _Look | None = None
        self._asked_ms: float | None = None

    def save(self) -> bytes:
        """Return what is known so far; a look that is on its way is not in it."""
        return _STATE.dump(self._memory)

    def restore(self, state: bytes) -> None:
        """Go on with what is known.

        Raises
        ------
        BadState
            It is no state of this version's, or another network's.
        """
        memory = self._remember_nothing()
        _STATE.fill(memory, state)
        if memory.model != self._memory.model:
            raise BadState(f"it is of {memory.model!r}, and not of {self._memory.model!r}")
        self._memory = memory

    def _remember_nothing(self) -> _Memory:
        extractor = self._recognizer.extractor
        return _Memory(extractor.name, Tracks(extractor.threshold))

    @property
    def is_looking(self) -> bool:
        """Whether there is anything to look for."""
        return self.enrol or self.reference is not None

    def frame(
        self, rgb: NDArray[np.uint8], timestamp_ms: float, posed: Sequence[PosedPerson]
    ) -> dict[str, Any]:
        """Say where the reference is in a frame."""
        self._look_at(rgb, timestamp_ms, posed)
        height, width = rgb.shape[:2]
        answer: dict[str, Any] = {
            "matches": self._matches(timestamp_ms, posed, width, height),
            "reid": {
                **self._who_looks(),
                "threshold": self.threshold,
                "has_reference": self.reference is not None,
                "people": len(self._memory.found),
                "looked_at_ms": self._memory.found_ms,
            },
        }
        if self.enrol:
            answer["reid_people"] = self._people(width, height)
        return answer

    def _look_at(
        self, rgb: NDArray[np.uint8], timestamp_ms: float, posed: Sequence[PosedPerson]
    ) -> None:
        at_once = self.enrol or (self.every_frame and self.reference is not None)
        if self._look is not None and (at_once or self._look.people.done()):
            self._take(self._look)
        if at_once:
            self._take(self._ask(rgb, timestamp_ms, posed))
        elif self._look is None and self.reference is not None and self._is_due(timestamp_ms):
            self._look = self._ask(rgb, timestamp_ms, posed)

    def _ask(
        self, rgb: NDArray[np.uint8], timestamp_ms: float, posed: Sequence[PosedPerson]
    ) -> _Look:
        self._asked_ms = timestamp_ms
        # Even what is waited for: networks compute for one at a time, and sessions share them.
        people = self._thread.submit(self._recognizer.look, rgb, posed, fills=self.enrol)
        return _Look(people, timestamp_ms, posed)

    def end(self) -> dict[str, Any]:
        """Say who was seen in all of the video."""
        if self._look is not None and not self._look.people.cancel():
            self._take(self._look)
        return {
            "reid_summary": {
                **self._who_looks(),
                "looks": self._memory.looks,
                "people": self._memory.tracks.count,
                "matched": [
                    {
                        "track_id": number,
                        "first_ms": matched.first_ms,
                        "last_ms": matched.last_ms,
                        "best_distance": round(matched.best_distance, _DISTANCE_DECIMALS),
                    }
                    for number, matched in sorted(self._memory.matched.items())
                ],
            }
        }

    def _who_looks(self) -> dict[str, Any]:
        extractor = self._recognizer.extractor
        return {
            "model": extractor.name,
            "fallback": extractor.is_fallback,
            "detector": self._recognizer.detector_name,
        }

    def _is_due(self, timestamp_ms: float) -> bool:
        if self._asked_ms is None:
            return True
        # A clock that was set back is no reason never to look again.
        return abs(timestamp_ms - self._asked_ms) >= self._interval_ms - _EARLY_MS

    def _take(self, look: _Look) -> None:
        """Take in a look that is over; raises what it raised."""
        self._look = None
        sightings = look.people.result()
        tracks = self._memory.tracks.update(sightings, look.timestamp_ms)
        boxes = [sighting.box for sighting in sightings]
        anchors = pair([person.box for person in look.posed], boxes, _SAME_PERSON)
        self._memory.found = [
            _Found(track, sighting, look.posed[anchors[index]] if index in anchors else None)
            for index, (track, sighting) in enumerate(zip(tracks, sightings, strict=True))
        ]
        self._memory.found_ms = look.timestamp_ms
        self._memory.looks += 1
        for found, distance in self._within_threshold():
            matched = self._memory.matched.setdefault(
                found.track.number, _Matched(look.timestamp_ms, look.timestamp_ms, distance)
            )
            matched.last_ms = look.timestamp_ms
            matched.best_distance = min(matched.best_distance, distance)

    def _within_threshold(self) -> list[tuple[_Found, float]]:
        reference = self.reference
        if reference is None:
            return []
        distances = [reference.distance(found.track.embedding) for found in self._memory.found]
        return [
            (found, distance)
            for found, distance in zip(self._memory.found, distances, strict=True)
            if distance <= self.threshold
        ]

    def _matches(
        self, timestamp_ms: float, posed: Sequence[PosedPerson], width: int, height: int
    ) -> list[dict[str, Any]]:
        held_ms = max(_HOLD_MS, 2 * self._interval_ms)
        if self._memory.found_ms is None or abs(timestamp_ms - self._memory.found_ms) > held_ms:
            return []
        return [
            {
                "bbox": _as_pixels(_moved(found, posed), width, height),
                "distance": round(distance, _DISTANCE_DECIMALS),
                "confidence": round(found.box.score, _DECIMALS),
                "track_id": found.track.number,
                "person_id": found.anchor.number or None if found.anchor else None,
            }
            for found, distance in sorted(self._within_threshold(), key=lambda entry: entry[1])
        ]

    def _people(self, width: int, height: int) -> list[dict[str, Any]]:
        largest_first = sorted(self._memory.found, key=lambda found: -found.box.area)
        return [
            {
                "bbox": _as_pixels(found.box, width, height),
                "confidence": round(found.box.score, _DECIMALS),
                "embedding": found.sighting.embedding.token(),
            }
            for found in largest_first
        ]


def _moved(found: _Found, posed: Sequence[PosedPerson]) -> Box:
    """Return someone's box where they are now."""
    box, anchor = found.box, found.anchor
    now = next((p for p in posed if anchor is not None and p.number == anchor.number), None)
    if anchor is None or now is None:
        return box
    dx, dy = now.middle[0] - anchor.middle[0], now.middle[1] - anchor.middle[1]
    # Pose of one person may have gone over to somebody else.
    if abs(dx) > box.height or abs(dy) > box.height:
        return box
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy, box.score)


def _as_pixels(box: Box, width: int, height: int) -> list[int]:
    x0, x1 = (min(max(round(x), 0), width) for x in (box.x0, box.x1))
    y0, y1 = (min(max(round(y), 0), height) for y in (box.y0, box.y1))
    return [x0, y0, x1, y1]
