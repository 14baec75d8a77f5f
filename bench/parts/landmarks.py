"""How far apart engines' landmarks are, from MediaPipe's and from the truth, over all clips."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzers.pose.landmarks import INDEX
from bench.parts.clips import Floats, PoseClip
from bench.parts.turns import Answers

ALL = "all"


def _both_sides(first: str, corner: str, last: str) -> Iterator[tuple[int, int, int]]:
    for side in ("left", "right"):
        yield INDEX[f"{side}_{first}"], INDEX[f"{side}_{corner}"], INDEX[f"{side}_{last}"]


# Each joint's angle is that at the middle one of three landmarks.
JOINTS = (
    *_both_sides("shoulder", "elbow", "wrist"),
    *_both_sides("hip", "knee", "ankle"),
    *_both_sides("shoulder", "hip", "knee"),
    *_both_sides("elbow", "shoulder", "hip"),
)


def angles_deg(points: Floats) -> Floats:
    """Elbows', knees', hips' and shoulders' angles in points (N, 33, 2) in pixels, shape (N, 8).

    NaN where a landmark is, or where two of a joint's fall together.
    """
    first, corner, last = (points[:, list(indices)] for indices in zip(*JOINTS, strict=True))
    one, other = first - corner, last - corner
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    lengths[lengths == 0.0] = np.nan
    cosine = (one * other).sum(axis=-1) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile, and what they are of another's."""

    median: float
    p95: float
    median_ratio: float = float("nan")
    p95_ratio: float = float("nan")

    def __str__(self) -> str:
        ratios = f"({self.median_ratio:.2f}, {self.p95_ratio:.2f})"
        return f"{self.median:.2f}, {self.p95:.2f} {ratios}"


def spread(values: Floats, of: Floats) -> Spread:
    """Of those that are not NaN, and in relation to another's."""
    (median, p95), (of_median, of_p95) = (np.nanpercentile(each, (50, 95)) for each in (values, of))
    ratios = (a / b if b else np.nan for a, b in ((median, of_median), (p95, of_p95)))
    return Spread(*map(float, (median, p95, *ratios)))


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an engine's answers are from MediaPipe's on the same frames, or from the truth.

    `found` are frames in which both found someone, only MediaPipe, and only this one, `spreads` are
    in pixels, centimetres and degrees, in relation to MediaPipe's on noisy frames. Against the
    truth: frames in which all engines did, pixels and degrees, in relation to MediaPipe's.
    """

    clips: str
    engine: str
    found: tuple[int, ...]
    spreads: tuple[Spread, ...]


class Accuracy:
    """Takes in clips one by one, and says what they come to.

    It is given names: MediaPipe's, that of MediaPipe on noisy frames, and the others'.
    """

    def __init__(self, reference: str, noisy: str, engines: Sequence[str]) -> None:
        self._reference, self._noisy = reference, noisy
        self._names = (noisy, *engines)
        # By clips and engine, and the errors by engine; an array for each unit.
        self._distances: dict[tuple[str, str], list[tuple[Floats, ...]]] = defaultdict(list)
        self._found: dict[tuple[str, str], Floats] = defaultdict(lambda: np.zeros(3, int))
        self._errors: dict[str, list[tuple[Floats, ...]]] = defaultdict(list)
        self._true_frames = 0

    def add(self, clip: PoseClip, answers: dict[str, Answers]) -> None:
        """Take in what all of the engines said to a clip."""
        height, width = clip.frames.shape[1:3]
        px = {name: each.landmarks_px(width, height) for name, each in answers.items()}
        found = {name: ~np.isnan(points[:, 0, 0]) for name, points in px.items()}
        theirs, there = answers[self._reference].world_cm(), found[self._reference]
        for name in self._names:
            pixels, degrees = _apart(px[name], px[self._reference])
            world_cm = np.linalg.norm(answers[name].world_cm() - theirs, axis=-1).ravel()
            here = found[name]
            for clips in (clip.source, ALL):
                both = (there & here, there & ~here, here & ~there)
                self._found[clips, name] += [each.sum() for each in both]
                self._distances[clips, name].append((pixels, world_cm, degrees))
        if clip.truth_px is not None:
            by_all = np.logical_and.reduce(list(found.values()))
            self._true_frames += int(by_all.sum())
            for name in (self._reference, *self._names):
                self._errors[name].append(_apart(px[name][by_all], clip.truth_px[by_all]))

    def differences(self) -> list[Difference]:
        """From MediaPipe, for each kind of clips there was, and for all."""
        return [
            Difference(clips, name, tuple(found), _spreads(self._distances, (clips, name), floor))
            for (clips, name), found in sorted(self._found.items(), key=lambda f: f[0][0] == ALL)
            for floor in [(clips, self._noisy)]
        ]

    def errors(self) -> list[Difference]:
        """Against the truth; nothing if there was no clip with it."""
        frames = (self._true_frames,)
        return [
            Difference("rendered", name, frames, _spreads(self._errors, name, self._reference))
            for name in self._errors
        ]


def _spreads(parts: dict[Any, list[tuple[Floats, ...]]], key: Any, of: Any) -> tuple[Spread, ...]:
    mine, others = (
        [np.concatenate(unit) for unit in zip(*parts[each], strict=True)] for each in (key, of)
    )
    return tuple(map(spread, mine, others))


def _apart(points: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Distances of landmarks and differences of angles, of points in pixels, both (N, 33, 2)."""
    angles = np.abs(angles_deg(points) - angles_deg(others))
    return np.linalg.norm(points - others, axis=-1).ravel(), angles.ravel()
