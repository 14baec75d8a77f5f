"""The tables of the pose engines' comparison, on the terminal, in Markdown and as JSON."""

import dataclasses
import json
import math
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from bench.poses.accuracy import ALL, DifferenceFigures, TruthFigures
from bench.poses.compare import Spread
from bench.poses.engines import MEDIAPIPE
from bench.poses.figures import ProcessesFigures, SpeedFigures
from bench.poses.people import PeopleFigures
from bench.report import CHECK_COLUMNS, cpu_model, markdown_table, package_version, rich_table
from bench.targets import Check

PACKAGES = ("mediapipe", "openvino", "numpy", "opencv-python-headless")

Columns = tuple[str, ...]
Rows = list[tuple[str, ...]]


@dataclass(slots=True)
class PoseReport:
    """Everything that was measured in one run."""

    settings: str
    speed: list[SpeedFigures] = field(default_factory=list)
    empty: list[SpeedFigures] = field(default_factory=list)
    processes: list[ProcessesFigures] = field(default_factory=list)
    differences: list[DifferenceFigures] = field(default_factory=list)
    errors: list[TruthFigures] = field(default_factory=list)
    people: list[PeopleFigures] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def reached(self) -> bool:
        """Whether every target that was checked is reached."""
        return all(check.reached for check in self.checks)

    def print(self, console: Console) -> None:
        """Print the tables on the terminal."""
        for title, columns, rows in self._tables():
            console.print(rich_table(title, columns, rows))
        for note in self.notes:
            console.print(note, highlight=False)

    def markdown(self) -> str:
        """The same as a page."""
        parts = [
            "# Pose engines",
            "Made by `bench/pose.py`, which says in its help what it measures.",
            "\n".join(f"- {line}" for line in (*_machine(), self.settings)),
        ]
        for title, columns, rows in self._tables():
            parts += [f"## {title}", markdown_table(columns, rows)]
        return "\n\n".join([*parts, *self.notes]) + "\n"

    def json(self) -> str:
        """All the figures; what is not a number is null."""
        everything = {"machine": _machine(), **dataclasses.asdict(self)}
        return json.dumps(_without_nan(everything), indent=1) + "\n"

    def _tables(self) -> Iterator[tuple[str, Columns, Rows]]:
        if self.speed:
            yield (
                "A frame with one person, ms: median, mean, CPU",
                *_speed_table("clip", self.speed),
            )
        if self.empty:
            yield (
                "A frame with nobody in view, ms: median, mean, CPU",
                *_speed_table("scene", self.empty),
            )
        if self.processes:
            yield "Two processes on two cores", *_processes_table(self.processes)
        if self.differences:
            yield (
                "Difference from mediapipe on the same frames: median, p95 (of noise's)",
                *_differences_table(self.differences),
            )
        if self.errors:
            yield (
                "Error against the rendered truth: median, p95 (of mediapipe's)",
                *_errors_table(self.errors),
            )
        if self.people:
            yield "Several people: TUD-Campus", *_people_table(self.people)
        if self.checks:
            yield "Targets", CHECK_COLUMNS, [_check_row(check) for check in self.checks]


def _speed_table(what: str, figures: list[SpeedFigures]) -> tuple[Columns, Rows]:
    engines = list(dict.fromkeys(f.engine for f in figures))
    by_clip: dict[str, dict[str, SpeedFigures]] = {}
    for f in figures:
        by_clip.setdefault(f.clip, {})[f.engine] = f
    rows = []
    for clip, of in by_clip.items():
        reference = of[MEDIAPIPE.name]
        times = [f"{f.median_ms:.1f}, {f.mean_ms:.1f}, {f.cpu_ms:.1f}" for f in of.values()]
        ratios = [f"{reference.cpu_ms / of[engine].cpu_ms:.2f} x" for engine in engines[1:]]
        cells = [cell for pair in zip(times[1:], ratios, strict=True) for cell in pair]
        found = ", ".join(str(f.found) for f in of.values())
        rows.append((clip, str(reference.frames), times[0], *cells, found))
    others = [column for engine in engines[1:] for column in (engine, "per core")]
    return (what, "frames", engines[0], *others, "with someone"), rows


def _processes_table(figures: list[ProcessesFigures]) -> tuple[Columns, Rows]:
    reference = next(f.frames_per_s for f in figures if f.engine == MEDIAPIPE.name)
    return ("engine", "frames/s", "of the rounds", "of mediapipe's", "CPU ms a frame"), [
        (
            f.engine,
            f"{f.frames_per_s:.0f}",
            f"{f.slowest_per_s:.0f} to {f.fastest_per_s:.0f}",
            f"{f.frames_per_s / reference:.2f} x",
            f"{f.cpu_ms:.1f}",
        )
        for f in figures
    ]


def _differences_table(figures: list[DifferenceFigures]) -> tuple[Columns, Rows]:
    columns = (
        *("clips", "engine", "both found", "only mediapipe", "only it"),
        *("px at 640 wide", "world, cm", "angle, degrees"),
    )
    rows = []
    for f in sorted(figures, key=lambda f: f.clips == ALL):
        units = [
            _spread(f.spreads[unit], f.of_noise[unit]) for unit in ("px", "world_cm", "angle_deg")
        ]
        found = (f.agreement.both, f.agreement.only_first, f.agreement.only_second)
        rows.append((f.clips, f.engine, *map(str, found), *units))
    return columns, rows


def _errors_table(figures: list[TruthFigures]) -> tuple[Columns, Rows]:
    return ("engine", "frames", "px at 640 wide", "angle, degrees"), [
        (
            f.engine,
            str(f.frames),
            *(_spread(f.spreads[unit], f.of_mediapipe[unit]) for unit in ("px", "angle_deg")),
        )
        for f in figures
    ]


def _people_table(figures: list[PeopleFigures]) -> tuple[Columns, Rows]:
    columns = ("engine", "person detector", "found %", "extra a frame", "ms a frame", "CPU ms")
    return columns, [
        (
            f.engine,
            "yes" if f.detector else "no",
            f"{f.found_percent:.1f}",
            f"{f.extra_per_frame:.2f}",
            f"{f.mean_ms:.1f}",
            f"{f.cpu_ms:.1f}",
        )
        for f in figures
    ]


def _check_row(check: Check) -> tuple[str, ...]:
    said = "reached" if check.reached else "falls short"
    return check.what, check.asked, check.measured, said


def _spread(spread: Spread, ratio: Spread) -> str:
    return f"{spread.median:.2f}, {spread.p95:.2f} ({ratio.median:.2f}, {ratio.p95:.2f})"


def _machine() -> list[str]:
    versions = ", ".join(f"{name} {package_version(name)}" for name in PACKAGES)
    return [
        f"{cpu_model()}, {os.cpu_count()} cores",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        versions,
        time.strftime("%Y-%m-%d", time.gmtime()),
    ]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
