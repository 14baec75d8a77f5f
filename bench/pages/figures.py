"""What the page drew against what is true."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import barcode

Floats = NDArray[np.float64]

# The joints in the order in which server/web/skeleton.js draws them.
JOINTS = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 0)
# Points are drawn as 32-bit floats; so near to a result's, in parts of the width, they are its own.
SAME = 1e-5


@dataclass(frozen=True, slots=True)
class Sample:
    """The truth of the sample video.

    Attributes
    ----------
    joints
        Where the joints are, in parts of the frame's width (both axes); shape (frames, 13, 2).
    moving
        Whether the athlete moves; shape (frames,).
    aspect
        The frame's width over its height.
    """

    joints: Floats
    moving: NDArray[np.bool_]
    aspect: float

    @classmethod
    def load(cls, path: Path) -> Sample:
        truth = json.loads(path.read_text())
        width, height = truth["meta"]["width"], truth["meta"]["height"]
        joints = np.array(
            [[frame["people"][0]["joints_px"][j] for j in JOINTS] for frame in truth["frames"]]
        )
        times_ms = np.array([frame["timestamp_ms"] for frame in truth["frames"]])
        moving = np.zeros(len(times_ms), bool)
        for each in truth["repetitions"]:
            moving |= (times_ms >= each["start_ms"]) & (times_ms <= each["end_ms"])
        return cls(joints / width, moving, width / height)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run comes to; misfits in parts of the frame's width."""

    ticks_per_s: float
    pictures_per_s: float
    with_skeleton: float
    latency_ms: float
    misfit_p50: float
    misfit_p95: float
    pose_p95: float
    own: float
    between: float
    another: float

    def row(self) -> tuple[str, ...]:
        """The cells of the table."""
        return (
            f"{self.ticks_per_s:.1f}",
            f"{self.pictures_per_s:.1f}",
            f"{100 * self.with_skeleton:.1f}",
            f"{self.latency_ms:.0f}",
            f"{100 * self.misfit_p50:.2f}",
            f"{100 * self.misfit_p95:.2f}",
            f"{100 * self.pose_p95:.2f}",
            f"{100 * self.own:.1f}",
            f"{100 * self.between:.1f}",
            f"{100 * self.another:.1f}",
        )


def figures_of(told: Mapping[str, Any], seconds: float, sample: Sample) -> Figures:
    """Compare what the probe noted with the truth."""
    pictures = [(barcode.number_in(each["word"]), each) for each in told["drawn"]]
    drawn = [(number, _points(each, sample.aspect)) for number, each in pictures if each["points"]]
    results = [(each["number"], np.array(each["points"])[list(JOINTS)]) for each in told["results"]]
    results = [
        (number, points / [1, sample.aspect]) for number, points in results if number is not None
    ]
    whole = [(number, points) for number, points in drawn if len(points) == len(JOINTS)]
    sources = [_source(points, results) for _, points in whole]
    numbers = [number for number, _ in whole]
    own = np.array([s == n for s, n in zip(sources, numbers, strict=True)])
    between = np.array([source is None for source in sources])
    misfits = _misfits(whole, sample)
    latency = re.search(r"(\d+) ms", told["latency"])
    return Figures(
        ticks_per_s=told["ticks"] / seconds,
        pictures_per_s=len(pictures) / seconds,
        with_skeleton=len(drawn) / max(len(pictures), 1),
        latency_ms=float(latency[1]) if latency else float("nan"),
        misfit_p50=float(np.percentile(misfits, 50)),
        misfit_p95=float(np.percentile(misfits, 95)),
        pose_p95=float(np.percentile(_misfits(results, sample), 95)),
        own=float(own.mean()),
        between=float(between.mean()),
        another=float((~own & ~between).mean()),
    )


def _misfits(shown: Sequence[tuple[int | None, Floats]], sample: Sample) -> Floats:
    """Distances of joints from the truth, while the athlete moves, in parts of the width."""
    return np.concatenate(
        [
            np.hypot(*(points - sample.joints[number]).T)
            for number, points in shown
            if number is not None and sample.moving[number]
        ]
    )


def _source(points: Floats, results: Sequence[tuple[int | None, Floats]]) -> int | None:
    """The frame whose result was drawn; None for one in between two."""
    return next((number for number, found in results if np.abs(points - found).max() < SAME), None)


def _points(drawn: Mapping[str, Any], aspect: float) -> Floats:
    """The drawn joints as the camera sees them, in parts of the frame's width."""
    points = np.array(drawn["points"]) / (drawn["width"], drawn["height"])
    if drawn["mirrored"]:
        points[:, 0] = 1 - points[:, 0]
    return points / (1, aspect)
