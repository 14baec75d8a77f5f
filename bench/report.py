"""The tables, on the terminal and in Markdown."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.measure import Figures
from bench.targets import Check

STREAM_COLUMNS = (
    "streams",
    "server",
    "results/s",
    "each",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "first 3 s",
    "last 3 s",
    "missing %",
    "CPU ms/result",
    "peak MB",
    "client CPU %",
)
CHECK_COLUMNS = ("target", "asked", "measured", "")
PACKAGES = ("aiortc", "aioice", "av", "aiohttp", "mediapipe", "numpy", "opencv-python-headless")


@dataclass(slots=True)
class Report:
    """Everything that was measured in one run of the bench."""

    settings: str
    figures: list[Figures] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def print(self, console: Console) -> None:
        """Print the tables on the terminal."""
        console.print(rich_table("Latency and throughput", STREAM_COLUMNS, self._stream_rows()))
        console.print(rich_table("Targets", CHECK_COLUMNS, self._check_rows()))
        for note in self.notes:
            console.print(note, highlight=False)

    def markdown(self) -> str:
        """The same as a page."""
        parts = [
            "# Benchmarks",
            "Made by `bench/latency.py`, which says in its help what it measures.",
            "\n".join(f"- {line}" for line in (*machine(), self.settings)),
            "## Latency and throughput",
            markdown_table(STREAM_COLUMNS, self._stream_rows()),
            "## Targets",
            markdown_table(CHECK_COLUMNS, self._check_rows()),
            *self.notes,
        ]
        return "\n\n".join(parts) + "\n"

    def _stream_rows(self) -> list[tuple[str, ...]]:
        return [
            (
                str(f.streams),
                f.name,
                f"{f.results_per_s:.1f}",
                f"{f.results_per_s_each:.1f}",
                f"{f.p50_ms:.1f}",
                f"{f.p95_ms:.1f}",
                f"{f.p99_ms:.1f}",
                f"{f.first_ms:.0f}",
                f"{f.last_ms:.0f}",
                f"{f.missing_percent:.1f}",
                f"{1000 * f.cpu_s_per_result:.1f}",
                f"{f.peak_rss_mb:.0f}",
                f"{f.client_cpu_percent:.0f}",
            )
            for f in self.figures
        ]

    def _check_rows(self) -> list[tuple[str, ...]]:
        return [
            (c.what, c.asked, c.measured, "reached" if c.reached else "falls short")
            for c in self.checks
        ]


def machine() -> list[str]:
    """What it was measured on: a line each."""
    versions = ", ".join(f"{name} {package_version(name)}" for name in PACKAGES)
    memory_gb = psutil.virtual_memory().total / 1e9
    return [
        f"{cpu_model()}, {os.cpu_count()} cores, {memory_gb:.0f} GB; the client shares them",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        versions,
        time.strftime("%Y-%m-%d", time.gmtime()),
    ]


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown processor"


def package_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def rich_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
