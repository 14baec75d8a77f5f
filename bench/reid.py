"""How well people are told apart and found.

  models     Rank-1 and mean average precision on CUHK03's crops (reid_images/cuhk03, IIII_NN.jpg):
             each of camera A (NN 00 to 04) looks for its person among all of camera B (05 to 09).
             For each re-identification network in the folder with weights, and for the fallback,
             which gets BlazePose's landmarks where it finds any in the crop.
  threshold  The cosine distance of a match is chosen on every second identity and judged on the
             others. As in a video, a reference is one crop (camera A) and a person is the mean of
             some (camera B, all there are). At it, as large a share of the chosen half's right
             persons is refused as of its strangers is accepted; told are both shares in the other
             half.
  detectors  Recall and precision at an intersection over union of 0.5 on each video that has its
             ground truth beside it (people_videos/NAME_gt.txt, MOTChallenge's format).

Milliseconds are those of one thread, a crop or a frame, the first one left out.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue, model_cache, sidecar
from analyzers.networks.boxes import Box, pair
from analyzers.networks.catalogue import Task
from analyzers.networks.runtime import Runtime
from analyzers.pose.engine import PoseTracker
from analyzers.pose.engines import make_engine
from analyzers.reid import appearance
from analyzers.reid.models import Describer, Detector, make_describer, make_detector
from analyzers.reid.recognizer import POSE
from analyzers.reid.sightings import box_around

ROOT = Path(__file__).resolve().parents[1]
DATA_VARIABLE = "KINECAST_DATA"
CROPS = Path("reid_images", "cuhk03")
VIDEOS = Path("people_videos")

# The first crops of each person are camera A's, the others camera B's.
FIRST_OF_CAMERA_B = 5

# As in PASCAL VOC and MOTChallenge.
LEAST_IOU = 0.5

MAX_POSES = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crop:
    """One picture of one person, RGB."""

    identity: int
    camera_b: bool
    rgb: NDArray[np.uint8]
    landmarks: Floats | None = None


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """What a re-identification model reaches.

    Attributes
    ----------
    rank1, map
        Shares in 0..1.
    ms
        A crop.
    threshold
        Cosine distance, chosen on half of the identities.
    false_accept, false_reject
        Shares of the other half's strangers, and of its right persons.
    posed
        The share of crops in which landmarks were found; None where they are not asked for.
    """

    rank1: float
    map: float
    ms: float
    threshold: float
    false_accept: float
    false_reject: float
    posed: float | None = None


@dataclass(frozen=True, slots=True)
class DetectorFigures:
    """What a person detector reaches: shares in 0..1, and milliseconds a frame."""

    recall: float
    precision: float
    ms: float


def rank(queries: Floats, gallery: Floats, asked: Floats, there: Floats) -> tuple[float, float]:
    """Rank a gallery by distance for each query.

    Parameters
    ----------
    queries, gallery
        Vectors of length 1, shapes (Q, N) and (G, N).
    asked, there
        Whose they are, shapes (Q,) and (G,).

    Returns
    -------
    rank1, map
        How often the nearest is the right person, and the mean over queries of the average
        precision at each right one. Queries of people who are not in the gallery do not count.
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


def read_crops(folder: Path) -> list[Crop]:
    """All pictures of a folder, in the order of their names."""
    crops = []
    for path in sorted(folder.glob("*.jpg")):
        identity, _, number = path.stem.partition("_")
        bgr = cv2.imread(str(path))
        crops.append(
            Crop(
                int(identity),
                int(number) >= FIRST_OF_CAMERA_B,
                cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB),
            )
        )
    return crops


def measure_model(describer: Describer, crops: list[Crop]) -> ModelFigures:
    """Rank-1, mAP, time and threshold of one model."""
    vectors, durations_ms = [], []
    for crop in crops:
        height, width = crop.rgb.shape[:2]
        began = perf_counter()
        embedding = describer.describe(crop.rgb, Box(0, 0, width, height), crop.landmarks)
        durations_ms.append((perf_counter() - began) * 1000)
        vectors.append(embedding.vector.astype(np.float64))
    table = np.array(vectors)
    whose = np.array([crop.identity for crop in crops])
    camera_b = np.array([crop.camera_b for crop in crops])
    rank1, average = rank(table[~camera_b], table[camera_b], whose[~camera_b], whose[camera_b])
    chosen_on = np.isin(whose, np.unique(whose)[::2])
    threshold = equal_error_threshold(*_pairs(table, whose, camera_b, chosen_on))
    same, different = _pairs(table, whose, camera_b, ~chosen_on)
    posed = [crop.landmarks is not None for crop in crops] if describer.is_fallback else None
    return ModelFigures(
        rank1,
        average,
        median(durations_ms[1:]),
        threshold,
        float(np.mean(different <= threshold)),
        float(np.mean(same > threshold)),
        None if posed is None else float(np.mean(posed)),
    )


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


def measure_detector(
    find: Callable[[NDArray[np.uint8]], list[Box]], video: Path
) -> DetectorFigures:
    """Recall, precision and time of one detector on one video."""
    truth = _true_boxes(video.with_name(f"{video.stem}_gt.txt"))
    there = found = right = 0
    durations_ms = []
    for number, frame in enumerate(_frames(video), start=1):
        began = perf_counter()
        boxes = find(frame)
        durations_ms.append((perf_counter() - began) * 1000)
        there += len(truth.get(number, []))
        found += len(boxes)
        right += len(pair(truth.get(number, []), boxes, LEAST_IOU))
    return DetectorFigures(right / max(there, 1), right / max(found, 1), median(durations_ms[1:]))


def _true_boxes(path: Path) -> dict[int, list[Box]]:
    boxes: dict[int, list[Box]] = {}
    for line in path.read_text().splitlines():
        frame, _, left, top, width, height = map(float, line.split(",")[:6])
        boxes.setdefault(int(frame), []).append(Box(left, top, left + width, top + height))
    return boxes


def _frames(video: Path) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(video))
    try:
        while (read := capture.read())[0]:
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


class PoseDetector:
    """BlazePose's boxes: what there is without a detector's weights."""

    def __init__(self) -> None:
        self._tracker: PoseTracker = make_engine(num_poses=MAX_POSES).open(MAX_POSES)
        self._timestamp_ms = 0.0

    def find(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Find people; frames are taken for those of one video."""
        self._timestamp_ms += 40.0
        height, width = rgb.shape[:2]
        people = self._tracker.detect(rgb, self._timestamp_ms)
        points = (person.landmarks[:, [0, 1, 3]] * (width, height, 1) for person in people)
        return [box_around(landmarks, width, height) for landmarks in points]


def with_landmarks(crops: list[Crop]) -> list[Crop]:
    """Look for BlazePose's landmarks in each crop, enlarged and with room around it.

    The detector is trained on whole pictures: people who fill theirs are not found.
    """
    engine = make_engine(num_poses=1)
    return [
        Crop(crop.identity, crop.camera_b, crop.rgb, _landmarks(engine.open(1), crop.rgb))
        for crop in crops
    ]


def _landmarks(tracker: PoseTracker, rgb: NDArray[np.uint8], times: int = 3) -> Floats | None:
    height, width = rgb.shape[:2]
    above, aside = height // 2, width
    large = cv2.resize(rgb, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    large = cv2.copyMakeBorder(large, above, above, aside, aside, cv2.BORDER_REPLICATE)
    try:
        people = tracker.detect(large, 0.0)
    finally:
        tracker.close()
    if not people:
        return None
    points = people[0].landmarks[:, [0, 1, 3]] * (large.shape[1], large.shape[0], 1)
    landmarks: Floats = (points - (aside, above, 0)) / (times, times, 1)
    return landmarks


def networks(folder: Path, task: Task) -> list[Path]:
    """The networks for a task in a folder and those below it."""
    found = []
    for suffix in (".xml", ".onnx"):
        for path in sorted(folder.rglob(f"*{suffix}")):
            beside, known = sidecar.find(path), catalogue.known(path.stem)
            wants = sidecar.read(beside) if beside else known.sidecar if known else None
            if wants is not None and wants.task == task:
                found.append(path)
    return found


def measure_models(data: Path, models: Path, say: Callable[[str], None]) -> dict[str, ModelFigures]:
    """Every re-identification network in the folder, and the fallback."""
    if not (data / CROPS).is_dir():
        say(f"there is no {data / CROPS}: no model is measured")
        return {}
    crops = read_crops(data / CROPS)
    figures = {}
    for path in networks(models, Task.REIDENTIFICATION):
        say(f"{path.stem} on {len(crops)} crops")
        describer = make_describer(str(path), Runtime)
        figures[describer.name] = measure_model(describer, crops)
    say(f"{appearance.NAME} on {len(crops)} crops, after looking for landmarks")
    fallback = make_describer(appearance.NAME, Runtime)
    figures[fallback.name] = measure_model(fallback, with_landmarks(crops))
    return figures


def measure_detectors(
    data: Path, models: Path, say: Callable[[str], None]
) -> dict[str, DetectorFigures]:
    """Every detector in the folder, and BlazePose, on every video with ground truth."""
    videos = [
        path
        for path in sorted((data / VIDEOS).glob("*.mp4"))
        if path.with_name(f"{path.stem}_gt.txt").is_file()
    ]
    if not videos:
        say(f"there is no video with ground truth in {data / VIDEOS}: no detector is measured")
        return {}
    figures = {}
    for name, make in _detectors(models):
        each = []
        for video in videos:
            say(f"{name} on {video.name}")
            each.append(measure_detector(make().find, video))
        # Of several videos each counts alike.
        figures[name] = DetectorFigures(
            *(
                float(np.mean([getattr(one, key) for one in each]))
                for key in ("recall", "precision", "ms")
            )
        )
    return figures


def _detectors(models: Path) -> Iterator[tuple[str, Callable[[], Detector]]]:
    for path in networks(models, Task.DETECTION):
        named = make_detector(str(path), Runtime)
        if named is not None:
            yield named[0], lambda detector=named[1]: detector
    yield POSE, PoseDetector


def as_json(
    models: dict[str, ModelFigures], detectors: dict[str, DetectorFigures]
) -> dict[str, dict[str, float]]:
    """What --json prints: every name with its figures."""
    everything: dict[str, ModelFigures | DetectorFigures] = {**models, **detectors}
    return {
        name: {key: value for key, value in asdict(figures).items() if value is not None}
        for name, figures in everything.items()
    }


def show(
    models: dict[str, ModelFigures], detectors: dict[str, DetectorFigures], console: Console
) -> None:
    """Print both tables."""
    table = Table(
        Column("model", no_wrap=True),
        "Rank-1",
        "mAP",
        "ms a crop",
        "threshold",
        "false accept",
        "false reject",
    )
    for name, of in models.items():
        told = name if of.posed is None else f"{name} (landmarks in {of.posed:.0%})"
        shares = (f"{of.false_accept:.1%}", f"{of.false_reject:.1%}")
        table.add_row(
            told, f"{of.rank1:.1%}", f"{of.map:.1%}", f"{of.ms:.1f}", f"{of.threshold:.3f}", *shares
        )
    console.print(table)
    table = Table("detector", "recall", "precision", "ms a frame")
    for name, found in detectors.items():
        table.add_row(name, f"{found.recall:.1%}", f"{found.precision:.1%}", f"{found.ms:.1f}")
    console.print(table)


def main() -> int:
    """Measure what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get(DATA_VARIABLE, ROOT.parent / "shared" / "data")),
        metavar="DIR",
        help=f"crops and videos (default: {DATA_VARIABLE}, or ../shared/data)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="networks to measure (default: models in the data folder, or else the user's cache)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    asked = parser.parse_args()
    in_data = asked.data / "models"
    models = asked.models or (in_data if in_data.is_dir() else model_cache.directory())
    cv2.setNumThreads(1)
    progress = Console(stderr=True)
    try:
        model_figures = measure_models(asked.data, models, progress.print)
        detector_figures = measure_detectors(asked.data, models, progress.print)
    except (AnalyzerUnavailable, ValueError) as error:
        progress.print(f"bench/reid.py: {error}")
        return 1
    if asked.json:
        print(json.dumps(as_json(model_figures, detector_figures), indent=2))
    else:
        show(model_figures, detector_figures, Console())
    return 0 if model_figures or detector_figures else 1


if __name__ == "__main__":
    sys.exit(main())
