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
             the person detector; with it also when only every second, third and fifth frame is
             shown.
  cost       Only if asked for: what re-ID costs a stream. One server with pose, the bar code and
             re-ID is started. One peer streams a numbered clip, 640x480 at 30 frames per second,
             in turns with and without re-ID in its session; with it, the clip's person is the
             reference. Times of pose are those that the server tells (timing.analyzers), latency
             is from handing a frame to the encoder to its result's arrival.

Milliseconds of a crop or a frame are those of one thread, the first one left out. For what is not
in the data folder there is an error, after what is there; --only leaves parts out.
"""

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cv2
import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import model_cache, person_detector
from analyzers.networks.boxes import Box, pair
from analyzers.networks.catalogue import Task
from analyzers.networks.runtime import Runtime
from analyzers.pose import Pose
from analyzers.pose.engines import make_engine
from analyzers.pose.still_image import StillImages
from analyzers.reid import Reid, appearance
from analyzers.reid.embedding import Embedding
from analyzers.reid.models import make_detector, make_extractor
from analyzers.reid.recognizer import POSE
from analyzers.reid.sightings import box_around
from bench.harness.barcode import ANALYZER, ANALYZER_NAME
from bench.harness.processes import kinecast, running
from bench.harness.report import SAMPLE, BadInput, Report, add_data, at_most, parser_for, run
from bench.harness.stamped import Ring, StampedTrack, load_stamped
from bench.harness.stream import LoadStream
from bench.parts import people
from bench.parts.people import LEAST_IOU, MAX_POSES, Crop, frames, networks, with_truth, within
from client_test.inbox import Message

PARTS = ("models", "detectors", "numbers", "cost")
WARM_UP_S = 3.0
# What re-ID may make of pose's median.
MOST = 1.3
NAMES = {"pose": "pose", "latency": "frame to result"}

Find = Callable[[float, NDArray[np.uint8]], list[Box]]


def measure_models(asked: argparse.Namespace, report: Report) -> None:
    """Every re-identification network in the folder, and the fallback."""
    crops = people.read_crops(asked.data / people.CROPS)
    figures: dict[str, dict[str, float]] = {}
    for path in networks(asked.models, Task.REIDENTIFICATION):
        report.say(f"{path.stem} on {len(crops)} crops")
        extractor = make_extractor(str(path), Runtime)
        figures[extractor.name] = people.measure_model(extractor, crops)
    report.say(f"{appearance.NAME} on {len(crops)} crops, after looking for landmarks")
    fallback = make_extractor(appearance.NAME, Runtime)
    pictures = StillImages(make_engine(num_poses=1), 1)
    posed = [replace(crop, landmarks=_landmarks(pictures, crop)) for crop in crops]
    figures[fallback.name] = people.measure_model(fallback, posed)
    columns = ("model", "Rank-1 %:.1f", "mAP %:.1f", "ms a crop:.1f", "threshold:.3f")
    wrong = ("strangers accepted %:.1f", "right persons refused %:.1f")
    table = report.table("Models", *columns, *wrong)
    for name, of in figures.items():
        told = f"{name} (landmarks in {of['posed']:.0%})" if "posed" in of else name
        rates = (100 * of["rank1"], 100 * of["map"], of["ms"], of["threshold"])
        table.add(told, *rates, 100 * of["false_accept"], 100 * of["false_reject"])
    report.figures |= figures


def _landmarks(pictures: StillImages, crop: Crop) -> NDArray[np.float64] | None:
    """BlazePose's, as a session with `still` finds them."""
    found = pictures.detect(crop.rgb, 0.0)
    if not found:
        return None
    height, width = crop.rgb.shape[:2]
    landmarks: NDArray[np.float64] = found[0].landmarks[:, [0, 1, 3]] * (width, height, 1)
    return landmarks


def measure_detectors(asked: argparse.Namespace, report: Report) -> None:
    """Every detector in the folder, and BlazePose, on every video with ground truth."""
    columns = ("detector", "recall %:.1f", "precision %:.1f", "ms a frame:.1f")
    table, videos = report.table("Detectors", *columns), with_truth(asked.data)
    for name, make in _detectors(asked.models):
        report.say(f"{name} on {', '.join(video.name for video in videos)}")
        each = [measure_detector(make(), video) for video in videos]
        recall, precision, ms = np.mean(each, axis=0).tolist()
        table.add(name, 100 * recall, 100 * precision, ms)
        report.figures[name] = {"recall": recall, "precision": precision, "ms": ms}


def _detectors(models: Path) -> Iterator[tuple[str, Callable[[], Find]]]:
    for path in networks(models, Task.DETECTION):
        named = make_detector(str(path), Runtime)
        if named is not None:
            name, detector = named
            yield name, lambda detector=detector: lambda _, rgb: detector.find(rgb)
    yield POSE, _find_by_pose


def _find_by_pose() -> Find:
    """BlazePose's boxes, what there is without a detector's weights, for frames of one video."""
    tracker = make_engine(num_poses=MAX_POSES).open(MAX_POSES)

    def find(time_ms: float, rgb: NDArray[np.uint8]) -> list[Box]:
        height, width = rgb.shape[:2]
        found = tracker.detect(rgb, time_ms)
        points = (person.landmarks[:, [0, 1, 3]] * (width, height, 1) for person in found)
        return [box_around(landmarks, width, height) for landmarks in points]

    return find


def measure_detector(find: Find, video: Path) -> tuple[float, float, float]:
    """Recall, precision and ms a frame of a video; of every box what is in the frame counts."""
    truth = people.read_truth(video)
    there = found = right = 0
    durations_ms = []
    for number, (time_ms, frame) in enumerate(frames(video), start=1):
        began = perf_counter()
        boxes = find(time_ms, frame)
        durations_ms.append((perf_counter() - began) * 1000)
        height, width = frame.shape[:2]
        expected = [within(one.box, width, height) for one in truth.get(number, [])]
        there += len(expected)
        found += len(boxes)
        right += len(pair(expected, [within(box, width, height) for box in boxes], LEAST_IOU))
    ms = median(durations_ms[1:] or durations_ms)
    return right / max(there, 1), right / max(found, 1), ms


def measure_numbers(asked: argparse.Namespace, report: Report) -> None:
    """Pose's numbers in every video, alone and with the person detector."""
    default = person_detector.DEFAULT_NAME
    columns = ("people followed by", "switches", "IDF1 %:.1f", "at most %:.1f")
    table = report.table("Numbers", *columns)
    ways: list[tuple[Path | None, int]] = [(None, 1)]
    for path in networks(asked.models, Task.DETECTION):
        if path.stem == default:
            ways += [(path, every) for every in (1, 2, 3, 5)]
    for detector, every in ways:
        pose = Pose(detector=str(detector) if detector else None)
        for video in with_truth(asked.data):
            name = f"{POSE}{f' and {default}' if detector else ''}, {video.stem}"
            name += f", every {every} frames" if every > 1 else ""
            report.say(name)
            kept = people.measure_identities(pose, video, every)
            table.add(name, kept.switches, 100 * kept.idf1, 100 * kept.most)


@dataclass(slots=True)
class _Told:
    """What the results of one turn tell."""

    pose_ms: list[float] = field(default_factory=list)
    matched: int = 0
    looked_at: set[float] = field(default_factory=set)

    def take(self, result: Message) -> None:
        """Take in a result."""
        times = result.get("timing", {}).get("analyzers", {})
        if "pose" in times:
            self.pose_ms.append(times["pose"])
            self.matched += bool(result.get("matches"))
            self.looked_at.add(result.get("reid", {}).get("looked_at_ms"))


async def _turn(
    url: str, ring: Ring, reference: dict[str, Any] | None, seconds: float
) -> tuple[dict[str, list[float]], str]:
    """Stream once; returns pose's times and latencies in ms, and what to say of the turn."""
    told = _Told()
    load = LoadStream(
        url,
        StampedTrack(ring),
        lambda result: told.take(result),
        analyzers=["pose", ANALYZER_NAME, *(["reid"] if reference else [])],
        options={"reid": {"reference": reference}} if reference else None,
    )
    async with load.peer:
        await load.connect()
        await asyncio.sleep(WARM_UP_S)
        told = _Told()
        load.begin_window()
        await asyncio.sleep(seconds)
        latencies = [ms for _, ms in load.told()["results"]]
        load.track.stop()
    looks = len(told.looked_at - {None}) / seconds
    said = (
        f"{len(latencies) / seconds:.1f}/s, pose p50 {np.median(told.pose_ms):.2f} ms, latency p50"
        f" {np.median(latencies):.1f} ms, {looks:.1f} looks/s, matched in"
        f" {told.matched / max(len(told.pose_ms), 1):.0%}"
    )
    return {"pose": told.pose_ms, "latency": latencies}, said


def _make_reference(model: str, detector: str) -> dict[str, Any]:
    """The clip's person, as the server's model sees them."""
    pose, reid = Pose(), Reid(model, detector)
    pose.start("r", 0, options={"still": True})
    reid.start("r", 0, options={"enrol": True})
    _, frame = next(frames(SAMPLE))
    seen = reid.frame("r", frame, 0, results={"pose": pose.frame("r", frame, 0)})
    embedding = Embedding.from_token(seen["reid_people"][0]["embedding"])
    return {"model": embedding.model, "vector": embedding.vector.tolist()}


async def measure_cost(asked: argparse.Namespace, report: Report) -> None:
    """What it costs a stream, with the first networks of the folder: turns with it and without."""
    tasks = (Task.REIDENTIFICATION, Task.DETECTION)
    found = [networks(asked.models, task)[:1] for task in tasks]
    if not all(found):
        raise ValueError(f"{asked.models} has no re-identification network, or no detector")
    (model,), (detector,) = ([str(path) for path in paths] for paths in found)
    turns, seconds = asked.turns, asked.seconds
    reference, ring = _make_reference(model, detector), load_stamped()
    flags = ("--reid-model", model, "--detector", detector)
    ms: dict[tuple[str, bool], list[float]] = defaultdict(list)
    async with running(kinecast("--analyzers", f"pose,{ANALYZER},reid", *flags)) as server:
        await _turn(server.url, ring, reference, 1.0)
        for number in range(turns):
            # Each goes first every other time.
            for has in (False, True) if number % 2 == 0 else (True, False):
                told, said = await _turn(server.url, ring, reference if has else None, seconds)
                for name, values in told.items():
                    ms[name, has] += values
                with_it = "with" if has else "without"
                report.say(f"turn {number + 1} of {turns}, {with_it} re-ID: {said}")
    columns = ("without, p50 ms:.1f", "p95 ms:.1f", "with, p50 ms:.1f", "p95 ms:.1f")
    table = report.table("Re-ID in a stream", "", *columns, "p50s' ratio:.2f")
    for name, title in NAMES.items():
        without, having = (np.percentile(ms[name, has], (50, 95)) for has in (False, True))
        table.add(title, *without, *having, having[0] / without[0])
        if name == "pose":
            ratio = float(having[0] / without[0])
            report.check(at_most("pose with re-ID: p50, of that without", ratio, MOST))


def bench(asked: argparse.Namespace, report: Report) -> None:
    """Every part that is asked for; what is there is measured although something else is not."""
    cv2.setNumThreads(1)
    in_data = asked.data / "models"
    asked.models = asked.models or (in_data if in_data.is_dir() else model_cache.directory())
    if not asked.models.is_dir():
        raise BadInput(f"there is no folder {asked.models} with models")
    measures = (measure_models, measure_detectors, measure_numbers, measure_cost)
    for part, measure in zip(PARTS, measures, strict=True):
        if part not in asked.only or (asked.json and part == "numbers"):
            continue
        try:
            done = measure(asked, report)
            if done is not None:
                asyncio.run(done)
        except (AnalyzerUnavailable, OSError, RuntimeError, ValueError) as error:
            print(f"bench/reid.py: {part}: {error}", file=sys.stderr)
            report.failed = True


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "crops and videos")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="networks to measure (default: models in the data folder, or else the user's cache)",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:-1], help="parts")
    parser.add_argument("--turns", type=int, default=6, help="of cost (6)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each turn of cost (8)")
    return run("Re-identification", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
