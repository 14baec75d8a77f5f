"""How well people are found, told apart and followed.

  models     Rank-1 and mean average precision on CUHK03's crops (reid_images/cuhk03, IIII_NN.jpg):
             each of camera A (NN 00 to 04) looks for its person among all of camera B (05 to 09).
             For each re-identification network in the folder with weights, and for the fallback,
             which gets BlazePose's landmarks where it finds any in the crop.
  threshold  The cosine distance of a match is chosen on every second identity and judged on the
             others. As in a video, a reference is one crop (camera A) and a person is the mean of
             some (camera B, all there are). At it, 2 % of the chosen half's strangers are accepted;
             with the fallback, as large a share of them as of right persons is refused. Told are
             both shares in the other half.
  detectors  Recall and precision at an intersection over union of 0.5 on each video that has its
             ground truth beside it (people_videos/NAME_gt.txt, MOTChallenge's format). Of boxes,
             true ones too, what is in the frame counts.
  numbers    How often pose changes someone's track_id in these videos, and IDF1, with and without
             the person detector.

Milliseconds are those of one thread, a crop or a frame, the first one left out. For what is
not in the data folder there is an error, after what is there; --only leaves parts out.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import model_cache, person_detector
from analyzers.networks.boxes import Box
from analyzers.networks.catalogue import Task
from analyzers.networks.runtime import Runtime
from analyzers.pose import Pose
from analyzers.pose.engine import PoseTracker
from analyzers.pose.engines import make_engine
from analyzers.reid import appearance
from analyzers.reid.models import Detector, make_detector, make_extractor
from analyzers.reid.recognizer import POSE
from analyzers.reid.sightings import box_around
from bench.people.crops import CROPS, read_crops, with_landmarks
from bench.people.detection import DetectorFigures, mean, measure_detector
from bench.people.identities import MAX_POSES, IdentityFigures, measure_identities
from bench.people.ranking import ModelFigures, measure_model
from bench.people.report import as_json, show
from bench.people.truth import frame_ms, with_truth
from bench.people.weights import networks

ROOT = Path(__file__).resolve().parents[1]
DATA_VARIABLE = "KINECAST_DATA"
PARTS = ("models", "detectors", "numbers")

Say = Callable[[str], None]


class PoseDetector:
    """BlazePose's boxes: what there is without a detector's weights."""

    def __init__(self, step_ms: float) -> None:
        self._tracker: PoseTracker = make_engine(num_poses=MAX_POSES).open(MAX_POSES)
        self._step_ms = step_ms
        self._timestamp_ms = 0.0

    def find(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Find people; frames are taken for those of one video."""
        self._timestamp_ms += self._step_ms
        height, width = rgb.shape[:2]
        people = self._tracker.detect(rgb, self._timestamp_ms)
        points = (person.landmarks[:, [0, 1, 3]] * (width, height, 1) for person in people)
        return [box_around(landmarks, width, height) for landmarks in points]


def measure_models(data: Path, models: Path, say: Say) -> dict[str, ModelFigures]:
    """Every re-identification network in the folder, and the fallback."""
    crops = read_crops(data / CROPS)
    figures = {}
    for path in networks(models, Task.REIDENTIFICATION):
        say(f"{path.stem} on {len(crops)} crops")
        extractor = make_extractor(str(path), Runtime)
        figures[extractor.name] = measure_model(extractor, crops)
    say(f"{appearance.NAME} on {len(crops)} crops, after looking for landmarks")
    fallback = make_extractor(appearance.NAME, Runtime)
    figures[fallback.name] = measure_model(fallback, with_landmarks(crops))
    return figures


def measure_detectors(data: Path, models: Path, say: Say) -> dict[str, DetectorFigures]:
    """Every detector in the folder, and BlazePose, on every video with ground truth."""
    videos = with_truth(data)
    figures = {}
    for name, make in _detectors(models):
        each = []
        for video in videos:
            say(f"{name} on {video.name}")
            each.append(measure_detector(make(video).find, video))
        figures[name] = mean(each)
    return figures


def _detectors(models: Path) -> Iterator[tuple[str, Callable[[Path], Detector]]]:
    for path in networks(models, Task.DETECTION):
        named = make_detector(str(path), Runtime)
        if named is not None:
            name, detector = named
            yield name, _always(detector)
    yield POSE, lambda video: PoseDetector(frame_ms(video))


def _always(detector: Detector) -> Callable[[Path], Detector]:
    return lambda _: detector


def measure_numbers(data: Path, models: Path, say: Say) -> dict[str, IdentityFigures]:
    """Pose's numbers in every video, alone and with the person detector."""
    default = person_detector.DEFAULT_NAME
    detectors = [path for path in networks(models, Task.DETECTION) if path.stem == default]
    figures = {}
    for detector in (None, *detectors[:1]):
        pose = Pose(detector=str(detector) if detector else None)
        for video in with_truth(data):
            name = f"{POSE}{' and ' + detector.stem if detector else ''}, {video.stem}"
            say(name)
            figures[name] = measure_identities(pose, video)
    return figures


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
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument(
        "--json", action="store_true", help="print JSON instead of tables, without the numbers"
    )
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    progress = Console(stderr=True)
    try:
        models = _models(asked.models, asked.data)
    except ValueError as error:
        parser.error(str(error))
    parts = [
        part for part in PARTS if part in asked.only and not (asked.json and part == "numbers")
    ]
    of_models: dict[str, ModelFigures] = {}
    of_detectors: dict[str, DetectorFigures] = {}
    of_numbers: dict[str, IdentityFigures] = {}
    status = 0
    for part in parts:
        try:
            if part == "models":
                of_models = measure_models(asked.data, models, progress.print)
            elif part == "detectors":
                of_detectors = measure_detectors(asked.data, models, progress.print)
            else:
                of_numbers = measure_numbers(asked.data, models, progress.print)
        except (AnalyzerUnavailable, OSError, ValueError) as error:
            # What is there is measured all the same.
            progress.print(f"bench/reid.py: {part}: {error}", markup=False, soft_wrap=True)
            status = 1
    if asked.json:
        print(json.dumps(as_json(of_models, of_detectors), indent=2))
    else:
        # Tables are wide; into a file or a pipe they go unbroken.
        console = Console(width=None if sys.stdout.isatty() else 140)
        show(of_models, of_detectors, of_numbers, console)
    return status


def _models(asked: Path | None, data: Path) -> Path:
    if asked is None:
        in_data = data / "models"
        return in_data if in_data.is_dir() else model_cache.directory()
    if not asked.is_dir():
        raise ValueError(f"there is no folder {asked} with models")
    return asked


if __name__ == "__main__":
    sys.exit(main())
