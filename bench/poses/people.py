"""How many of several people a pose engine finds, against boxes that were drawn by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzers.pose.engine import Person
from analyzers.pose.results import bounding_box
from bench.poses.clips import Floats

# Poses that an engine is asked for at most.
NUM_POSES = 8

# Someone is found where a pose's box and theirs have this much in common (intersection over
# union), as in PASCAL VOC and MOTChallenge.
LEAST_IOU = 0.5


@dataclass(frozen=True, slots=True)
class PeopleFigures:
    """What one engine found of a clip with several people.

    Attributes
    ----------
    detector
        Whether it had the person detector.
    found_percent
        Of those in the ground truth, over all frames.
    extra_per_frame
        Poses that are nobody's, on average.
    mean_ms, cpu_ms
        A frame, by the clock and of all threads.
    """

    engine: str
    detector: bool
    found_percent: float
    extra_per_frame: float
    mean_ms: float
    cpu_ms: float


def read_boxes(path: Path) -> dict[int, Floats]:
    """Read ground truth in MOTChallenge's format.

    Lines of `frame, id, left, top, width, height, ...`, frames from 1, in pixels.

    Returns
    -------
    By the frame's index from 0: x0, y0, x1, y1 of each person, shape (P, 4).
    """
    rows = np.loadtxt(path, delimiter=",", ndmin=2)[:, :6]
    rows[:, 4:] += rows[:, 2:4]
    frames = rows[:, 0].astype(int) - 1
    return {int(frame): rows[frames == frame, 2:] for frame in np.unique(frames)}


def landmark_boxes(people: Sequence[Person], width: int, height: int) -> Floats:
    """The boxes around people's landmarks, clipped to the frame, in pixels; shape (P, 4)."""
    boxes = [bounding_box(person.landmarks[:, :2]) for person in people]
    return np.array(boxes, dtype=np.float64).reshape(-1, 4) * (width, height, width, height)


def intersection_over_union(boxes: Floats, others: Floats) -> Floats:
    """Of each box with each other one.

    Parameters
    ----------
    boxes, others
        x0, y0, x1, y1; shapes (A, 4) and (B, 4).

    Returns
    -------
    Shape (A, B), 0 to 1.
    """
    one, other = boxes[:, None, :], others[None, :, :]
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:], other[..., 2:])
    common = np.clip(high - low, 0.0, None).prod(axis=-1)
    either = _area(one) + _area(other) - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0.0)


def count_matches(overlaps: Floats, least: float = LEAST_IOU) -> int:
    """How many pairs there are one to one, the best overlap first.

    Parameters
    ----------
    overlaps
        Of each person with each pose, shape (A, B).
    """
    left = overlaps.copy()
    count = 0
    while left.size and left.max() >= least:
        person, pose = np.unravel_index(left.argmax(), left.shape)
        left[person, :] = left[:, pose] = -1.0
        count += 1
    return count


def count_people(
    truth: dict[int, Floats], answers: Iterable[Sequence[Person]], width: int, height: int
) -> tuple[int, int, int]:
    """Hold an engine's answers against the ground truth.

    Returns
    -------
    there, found, extra
        People in all frames, those of them that were found, and poses that are nobody's.
    """
    nobody = np.empty((0, 4))
    there = found = extra = 0
    for index, people in enumerate(answers):
        boxes = truth.get(index, nobody)
        overlaps = intersection_over_union(boxes, landmark_boxes(people, width, height))
        matches = count_matches(overlaps)
        there += len(boxes)
        found += matches
        extra += len(people) - matches
    return there, found, extra


def _area(boxes: Floats) -> Floats:
    return (boxes[..., 2:] - boxes[..., :2]).prod(axis=-1)
