"""Whether people keep their numbers: identity switches and IDF1.

Switches are those of CLEAR MOT (Bernardin and Stiefelhagen, 2008): someone is found under another
number than when they were found last; who was matched before stays matched while both overlap
enough. IDF1 is that of Ristani et al. (2016): of the best one-to-one assignment of numbers to
people over the whole video.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from analyzers.networks.boxes import overlap
from analyzers.pose import Pose
from analyzers.reid.sightings import posed_people
from bench.people.truth import LEAST_IOU, Labelled, frame_ms, frames, read_truth, within

MAX_POSES = 8


@dataclass(frozen=True, slots=True)
class IdentityFigures:
    """How well numbers stay with people.

    Attributes
    ----------
    switches
        Times that someone's number changed.
    idf1
        0..1; people who are not found at all count against it.
    most
        What it would be if nobody's number ever changed.
    """

    switches: int
    idf1: float
    most: float


def measure_identities(pose: Pose, video: Path, every: int = 1) -> IdentityFigures:
    """Follow everyone in a video, of which only every so many frames are shown."""
    truth, step_ms = read_truth(video), frame_ms(video)
    expected, followed = [], []
    pose.start("bench", 0, options={"num_poses": MAX_POSES})
    try:
        for index, frame in enumerate(frames(video)):
            if index % every:
                continue
            height, width = frame.shape[:2]
            said = pose.frame("bench", frame, index * step_ms)
            people = posed_people(said, width, height)
            followed.append([Labelled(person.number, person.box) for person in people])
            expected.append(
                [
                    Labelled(one.identity, within(one.box, width, height))
                    for one in truth.get(index + 1, [])
                ]
            )
    finally:
        pose.end("bench")
    return compare(expected, followed)


def compare(
    truth: Sequence[Sequence[Labelled]], followed: Sequence[Sequence[Labelled]]
) -> IdentityFigures:
    """Hold numbers against people, frame by frame."""
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    together: dict[tuple[int, int], int] = {}
    switches = matches = 0
    for there, seen in zip(truth, followed, strict=True):
        before, near = _matched(there, seen, before)
        for both in near:
            together[both] = together.get(both, 0) + 1
        matches += len(before)
        switches += sum(last.get(who, number) != number for who, number in before.items())
        last |= before
    boxes = sum(map(len, truth)) + sum(map(len, followed))
    return IdentityFigures(
        switches, 2 * _best_assignment(together) / max(boxes, 1), 2 * matches / max(boxes, 1)
    )


def _matched(
    there: Sequence[Labelled], seen: Sequence[Labelled], before: dict[int, int]
) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Who is found under which number in a frame, and all pairs that overlap enough."""
    overlaps = np.array([[overlap(a.box, b.box) for b in seen] for a in there]).reshape(
        len(there), len(seen)
    )
    enough = overlaps >= LEAST_IOU
    near = [(there[i].identity, seen[j].identity) for i, j in np.argwhere(enough)]
    stays = np.array([[before.get(a.identity) == b.identity for b in seen] for a in there])
    gain = enough * (1.0 + overlaps + 100.0 * stays.reshape(enough.shape))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    found = {
        there[i].identity: seen[j].identity
        for i, j in zip(rows, columns, strict=True)
        if enough[i, j]
    }
    return found, near


def _best_assignment(together: dict[tuple[int, int], int]) -> int:
    """In how many frames numbers are right, each being given to one person."""
    people = sorted({who for who, _ in together})
    numbers = sorted({number for _, number in together})
    table = np.array([[together.get((who, number), 0) for number in numbers] for who in people])
    if not table.size:
        return 0
    return int(table[linear_sum_assignment(table, maximize=True)].sum())
