"""Recall and precision of what finds people."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from analyzers.networks.boxes import Box, pair
from bench.people.truth import LEAST_IOU, frames, read_truth, within

Find = Callable[[NDArray[np.uint8]], list[Box]]


@dataclass(frozen=True, slots=True)
class DetectorFigures:
    """What finds people reaches: shares in 0..1, and milliseconds a frame."""

    recall: float
    precision: float
    ms: float


def measure_detector(find: Find, video: Path) -> DetectorFigures:
    """Recall, precision and time on one video; of every box what is in the frame counts."""
    truth = read_truth(video)
    there = found = right = 0
    durations_ms = []
    for number, frame in enumerate(frames(video), start=1):
        began = perf_counter()
        boxes = find(frame)
        durations_ms.append((perf_counter() - began) * 1000)
        height, width = frame.shape[:2]
        expected = [within(one.box, width, height) for one in truth.get(number, [])]
        there += len(expected)
        found += len(boxes)
        right += len(pair(expected, [within(box, width, height) for box in boxes], LEAST_IOU))
    return DetectorFigures(
        right / max(there, 1), right / max(found, 1), median(durations_ms[1:] or durations_ms)
    )


def mean(each: list[DetectorFigures]) -> DetectorFigures:
    """The figures of several videos, each counting alike."""
    keys = ("recall", "precision", "ms")
    return DetectorFigures(*(float(np.mean([getattr(one, key) for one in each])) for key in keys))
