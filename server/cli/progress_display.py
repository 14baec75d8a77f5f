"""What ``kinecast find`` shows: a bar while it searches, and what it has found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from server.search.appearances import Appearance, appearances, clock
from server.search.search import Match


class Display:
    """A bar for a terminal, nothing elsewhere."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, fraction: float, note: str) -> None:
        """Change the bar."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=1.0, note="")
        self._bars.update(self._tasks[what], completed=fraction, note=note)


@contextmanager
def display(*, hidden: bool) -> Iterator[Display]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=hidden or not console.is_terminal,
        transient=True,
    ) as bars:
        yield Display(bars)


def as_json(matches: Sequence[Match], elapsed_s: float) -> str:
    """All matches, as ``POST /find`` answers them."""
    told = {
        "matches": [_as_json(match) for match in matches],
        "total_matches": len(matches),
        "processing_time": round(elapsed_s, 3),
    }
    return json.dumps(told)


def as_lines(matches: Sequence[Match], interval_s: float) -> list[str]:
    """A line for each time at which the person is there."""
    return [_line(appearance) for appearance in appearances(matches, interval_s)]


def _line(appearance: Appearance) -> str:
    x1, y1, x2, y2 = appearance.best.bbox
    return (
        f"{clock(appearance.start_s)} - {clock(appearance.end_s)}"
        f"  nearest {appearance.best.distance:.2f} at {clock(appearance.best.time_s)}"
        f"  in {x1},{y1} to {x2},{y2}  ({appearance.count} looks)"
    )


def _as_json(match: Match) -> dict[str, Any]:
    return {
        "bbox": list(match.bbox),
        "distance": match.distance,
        "confidence": match.confidence,
        "frame_number": match.frame_number,
        "timestamp": round(match.time_s, 3),
        "time_formatted": clock(match.time_s),
    }
