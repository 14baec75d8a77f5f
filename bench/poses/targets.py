"""What the pose engines were to reach, and whether they do."""

from collections.abc import Iterator, Sequence

import numpy as np

from bench.poses.accuracy import ALL, DifferenceFigures, TruthFigures
from bench.poses.compare import Spread
from bench.poses.empty import MOVING, STILL
from bench.poses.engines import MEDIAPIPE, OPENVINO_BF16, OPENVINO_F32
from bench.poses.figures import SpeedFigures
from bench.poses.people import PeopleFigures
from bench.poses.report import PoseReport
from bench.targets import Check, at_least, at_most

MIN_SPEED = {OPENVINO_F32.name: 1.8, OPENVINO_BF16.name: 2.5}
MAX_OF_NOISE = {OPENVINO_F32.name: 1.5, OPENVINO_BF16.name: 2.5}
MAX_OF_ERROR = 1.03
MIN_FOUND_PERCENT = 60.0
MAX_PEOPLE_MS = 40.0
MAX_NOBODY_MS = 7.0


def check_all(report: PoseReport) -> Iterator[Check]:
    """The targets for what was measured."""
    yield from check_speed(report.speed)
    yield from check_differences(report.differences)
    yield from check_errors(report.errors)
    yield from check_people(report.people)
    yield from check_empty(report.empty)


def check_speed(figures: Sequence[SpeedFigures]) -> Iterator[Check]:
    """Frames a second of CPU time, over all clips.

    By the clock it would be the same on a quiet machine; on a busy one it depends on who was met
    when.
    """
    cpu_ms = {f.engine: f.cpu_ms for f in figures if f.clip == ALL}
    for engine, least in MIN_SPEED.items():
        if engine in cpu_ms:
            ratio = cpu_ms[MEDIAPIPE.name] / cpu_ms[engine]
            yield at_least(f"{engine}: frames per core, x mediapipe's", ratio, least)


def check_differences(figures: Sequence[DifferenceFigures]) -> Iterator[Check]:
    """Distances from MediaPipe, over all clips; the worst of the units."""
    for f in figures:
        if f.clips == ALL and f.engine in MAX_OF_NOISE:
            what = f"{f.engine}: difference from mediapipe, of noise's"
            yield from _worst(what, f.of_noise, MAX_OF_NOISE[f.engine])


def check_errors(figures: Sequence[TruthFigures]) -> Iterator[Check]:
    """Errors against the truth; the worst of the units."""
    for f in figures:
        if f.engine in MIN_SPEED:
            what = f"{f.engine}: error against the truth, of mediapipe's"
            yield from _worst(what, f.of_mediapipe, MAX_OF_ERROR)


def check_people(figures: Sequence[PeopleFigures]) -> Iterator[Check]:
    """Several people, with the person detector."""
    for f in figures:
        if f.detector:
            what = f"{f.engine} with detector, several people"
            yield at_least(f"{what}: found, %", f.found_percent, MIN_FOUND_PERCENT)
            yield at_most(f"{what}: ms a frame", f.mean_ms, MAX_PEOPLE_MS)


def check_empty(figures: Sequence[SpeedFigures]) -> Iterator[Check]:
    """Nobody in view: the slowest scene, and what standing still saves."""
    for engine in (OPENVINO_F32, OPENVINO_BF16):
        yield from _check_empty(engine.name, figures)
        yield from _check_empty(engine.with_detector, figures)


def _check_empty(engine: str, figures: Sequence[SpeedFigures]) -> Iterator[Check]:
    mean_ms = {f.clip: f.mean_ms for f in figures if f.engine == engine}
    what = f"{engine}, nobody in view"
    if mean_ms:
        yield at_most(f"{what}: ms a frame", max(mean_ms.values()), MAX_NOBODY_MS)
    if STILL in mean_ms and MOVING in mean_ms:
        ratio = mean_ms[STILL] / mean_ms[MOVING]
        yield Check(f"{what}: still, of moving", "< 1", f"{ratio:.2f}", ratio < 1.0)


def _worst(what: str, ratios: dict[str, Spread], most: float) -> Iterator[Check]:
    yield at_most(f"{what}, median", float(np.max([r.median for r in ratios.values()])), most)
    yield at_most(f"{what}, p95", float(np.max([r.p95 for r in ratios.values()])), most)
