"""Footage of people in the data folder, and how well they are told apart and followed in it.

Identity switches are those of CLEAR MOT (Bernardin and Stiefelhagen, 2008): someone is found under
another number than when they were found last; who was matched before stays matched while both
overlap enough. IDF1 is that of Ristani et al. (2016): of the best one-to-one assignment of numbers
to people over the whole video. It is done here and not by motmetrics, whose last release is of
2022: that brings pandas, and its distances need a NumPy before 2.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from analyzers.networks import catalogue, sidecar
from analyzers.networks.boxes import Box, overlap
from analyzers.pose import Pose
from analyzers.reid.models import FeatureExtractor
from analyzers.reid.sightings import posed_people

MAX_POSES = 8
Floats = NDArray[np.float64]

VIDEOS = Path("people_videos")
CROPS = Path("reid_images", "cuhk03")
# As in PASCAL VOC and MOTChallenge.
LEAST_IOU = 0.5
# The first crops of each person are camera A's, the others camera B's.
FIRST_OF_CAMERA_B = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Someone in a frame: who, and where."""

    identity: int
    box: Box


def with_truth(data: Path) -> list[Path]:
    """The videos that have their ground truth beside them."""
    videos = [path for path in sorted((data / VIDEOS).glob("*.mp4")) if _truth_of(path).is_file()]
    if not videos:
        raise ValueError(f"there is no video NAME.mp4 with NAME_gt.txt in {data / VIDEOS}")
    return videos


def frames(video: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Each frame's time in ms, by its number and the clip's rate, and its (H, W, 3) RGB."""
    capture = cv2.VideoCapture(str(video))
    step_ms = 1000.0 / (capture.get(cv2.CAP_PROP_FPS) or 30.0)
    count = 0
    try:
        while (read := capture.read())[0]:
            yield count * step_ms, cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
            count += 1
    finally:
        capture.release()
    if not count:
        raise ValueError(f"{video} has no frame that can be decoded; replace the file")


def read_truth(video: Path) -> dict[int, list[Labelled]]:
    """Who is where, by the frame's number from 1."""
    people: dict[int, list[Labelled]] = {}
    try:
        rows = np.loadtxt(_truth_of(video), delimiter=",", ndmin=2)[:, :6]
    except ValueError as error:
        raise ValueError(f"{_truth_of(video)} is not in MOTChallenge's format: {error}") from error
    for frame, identity, left, top, width, height in rows.tolist():
        box = Box(left, top, left + width, top + height)
        people.setdefault(int(frame), []).append(Labelled(int(identity), box))
    return people


def within(box: Box, width: int, height: int) -> Box:
    """The part of a box that is in the frame: what a camera can see of someone."""
    x0, x1 = (min(max(x, 0.0), width) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, 0.0), height) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1, box.score)


def _truth_of(video: Path) -> Path:
    return video.with_name(f"{video.stem}_gt.txt")


@dataclass(frozen=True, slots=True)
class Crop:
    """One picture of one person, RGB."""

    identity: int
    camera_b: bool
    rgb: NDArray[np.uint8]
    landmarks: NDArray[np.float64] | None = None


def read_crops(folder: Path) -> list[Crop]:
    """All pictures of a folder, in the order of their names."""
    crops = [_read_crop(path) for path in sorted(folder.glob("*.jpg"))]
    if len({crop.camera_b for crop in crops}) < 2:
        raise ValueError(
            f"there are no crops IIII_NN.jpg of two cameras (NN 00 to 04, 05 to 09) in {folder}"
        )
    return crops


def _read_crop(path: Path) -> Crop:
    identity, _, number = path.stem.partition("_")
    if not (identity.isdecimal() and number.isdecimal()):
        raise ValueError(f"{path} is not called IIII_NN.jpg: person and number")
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise ValueError(f"{path} is no picture")
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    return Crop(int(identity), int(number) >= FIRST_OF_CAMERA_B, rgb)


def networks(folder: Path, task: catalogue.Task) -> list[Path]:
    """The networks for a task in a folder and those below it: known, or with a sidecar."""
    found = (path for suffix in (".xml", ".onnx") for path in sorted(folder.rglob(f"*{suffix}")))
    return [path for path in found if _task(path) == task]


def _task(path: Path) -> str | None:
    beside, known = sidecar.find(path), catalogue.known(path.stem)
    wants = sidecar.read(beside) if beside else known.sidecar if known else None
    return wants.task if wants else None


MAX_FALSE_ACCEPT = 0.02
"""The share of strangers that a network's threshold lets in."""


def rank(queries: Floats, gallery: Floats, asked: Floats, there: Floats) -> tuple[float, float]:
    """Rank a gallery by distance for each query.

    Both are vectors of length 1, (Q, N) and (G, N), `asked` and `there` is whose they are. Returns
    how often the nearest is right, and the mean average precision, of those who are in the gallery.
    """
    first, precisions = [], []
    for similarities, identity in zip(queries @ gallery.T, asked, strict=True):
        right = there[np.argsort(-similarities, kind="stable")] == identity
        positions = np.flatnonzero(right)
        if len(positions):
            first.append(bool(right[0]))
            precisions.append(float(np.mean(np.arange(1, len(positions) + 1) / (positions + 1))))
    return float(np.mean(first)), float(np.mean(precisions))


def equal_error_threshold(same: Floats, different: Floats) -> float:
    """The distance at which as large a share of `same` lies above as of `different` below."""
    candidates = np.unique(np.concatenate([same, different]))
    refused = 1 - np.searchsorted(np.sort(same), candidates, side="right") / len(same)
    accepted = np.searchsorted(np.sort(different), candidates, side="right") / len(different)
    return float(candidates[np.abs(refused - accepted).argmin()])


def accepting_threshold(different: Floats, share: float) -> float:
    """The distance below which only this share of strangers lies."""
    return float(np.quantile(different, share))


def measure_model(extractor: FeatureExtractor, crops: list[Crop]) -> dict[str, float]:
    """Rank-1, mAP, ms a crop, and the threshold that is chosen on half of the identities.

    Judged by the other half's strangers that it accepts, and right persons that it refuses; all are
    shares in 0..1. With the fallback also the share of crops in which landmarks were found.
    """
    vectors, durations_ms = [], []
    for crop in crops:
        height, width = crop.rgb.shape[:2]
        began = perf_counter()
        embedding = extractor.describe(crop.rgb, Box(0, 0, width, height), crop.landmarks)
        durations_ms.append((perf_counter() - began) * 1000)
        vectors.append(embedding.vector.astype(np.float64))
    table = np.array(vectors)
    whose = np.array([crop.identity for crop in crops])
    camera_b = np.array([crop.camera_b for crop in crops])
    rank1, average = rank(table[~camera_b], table[camera_b], whose[~camera_b], whose[camera_b])
    chosen_on = np.isin(whose, np.unique(whose)[::2])
    same, different = _pairs(table, whose, camera_b, chosen_on)
    # Of several people in a picture the wrong ones must not match. What needs no weights would find
    # next to nobody at that, and is allowed as many errors of one kind as of the other.
    threshold = (
        equal_error_threshold(same, different)
        if extractor.is_fallback
        else accepting_threshold(different, MAX_FALSE_ACCEPT)
    )
    same, different = _pairs(table, whose, camera_b, ~chosen_on)
    figures = {
        "rank1": rank1,
        "map": average,
        "ms": median(durations_ms[1:]),
        "threshold": threshold,
        "false_accept": float(np.mean(different <= threshold)),
        "false_reject": float(np.mean(same > threshold)),
    }
    if extractor.is_fallback:
        figures["posed"] = float(np.mean([crop.landmarks is not None for crop in crops]))
    return figures


def _pairs(
    table: Floats, whose: Floats, camera_b: NDArray[np.bool_], taken: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Distances of camera A's crops from camera B's means: of one person, and of two."""
    identities = np.unique(whose[taken & camera_b])
    means = np.array([table[camera_b & (whose == who)].mean(axis=0) for who in identities])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    asked = taken & ~camera_b
    distances = 1 - table[asked] @ means.T
    same = whose[asked][:, None] == identities[None, :]
    return distances[same], distances[~same]


@dataclass(frozen=True, slots=True)
class IdentityFigures:
    """How often someone's number changed, IDF1 in 0..1, and the most that it could be.

    That is if no number ever changed: people who are not found at all count against both.
    """

    switches: int
    idf1: float
    most: float


def measure_identities(pose: Pose, video: Path, every: int = 1) -> IdentityFigures:
    """Follow everyone in a video, of which only every so many frames are shown."""
    truth = read_truth(video)
    expected, followed = [], []
    pose.start("bench", 0, options={"num_poses": MAX_POSES})
    try:
        for index, (time_ms, frame) in enumerate(frames(video)):
            if index % every:
                continue
            height, width = frame.shape[:2]
            people = posed_people(pose.frame("bench", frame, time_ms), width, height)
            followed.append([Labelled(person.number, person.box) for person in people])
            there = truth.get(index + 1, [])
            seen = [Labelled(one.identity, within(one.box, width, height)) for one in there]
            expected.append(seen)
    finally:
        pose.end("bench")
    return compare(expected, followed)


def compare(
    truth: Sequence[Sequence[Labelled]], followed: Sequence[Sequence[Labelled]]
) -> IdentityFigures:
    """Hold numbers against who is there, frame by frame."""
    last: dict[int, int] = {}
    before: dict[int, int] = {}
    together: Counter[tuple[int, int]] = Counter()
    matches = switches = 0
    for there, seen in zip(truth, followed, strict=True):
        overlaps = np.array([[overlap(a.box, b.box) for b in seen] for a in there])
        overlaps = overlaps.reshape(len(there), len(seen))
        enough = overlaps >= LEAST_IOU
        together.update((there[i].identity, seen[j].identity) for i, j in np.argwhere(enough))
        stays = [[before.get(a.identity) == b.identity for b in seen] for a in there]
        gain = enough * (1.0 + overlaps + 100.0 * np.reshape(stays, enough.shape))
        pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
        before = {there[i].identity: seen[j].identity for i, j in pairs if enough[i, j]}
        matches += len(before)
        switches += sum(last.get(who, number) != number for who, number in before.items())
        last |= before
    boxes = max(sum(map(len, truth)) + sum(map(len, followed)), 1)
    return IdentityFigures(switches, 2 * _best_assignment(together) / boxes, 2 * matches / boxes)


def _best_assignment(together: Counter[tuple[int, int]]) -> int:
    """In how many frames numbers are right, each being given to one person."""
    if not together:
        return 0
    people, numbers = (sorted(set(column)) for column in zip(*together, strict=True))
    table = np.array([[together[who, number] for number in numbers] for who in people])
    return int(table[linear_sum_assignment(table, maximize=True)].sum())
