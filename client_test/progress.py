"""Shows how a stream is going: a live line in a terminal, a line a second elsewhere."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

PLAIN_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a stream has come.

    Attributes
    ----------
    elapsed_s, total_s
        `total_s` is None for a stream without an end.
    rate_hz
        Results per second of late.
    p50_ms, p95_ms
        Latency of late; None while unknown.
    has_pose
        Of the last result; None where results do not say.
    """

    elapsed_s: float
    total_s: float | None
    frames_sent: int
    results: int
    rate_hz: float
    p50_ms: float | None
    p95_ms: float | None
    has_pose: bool | None
    dropped: int


class Display(Protocol):
    """Something that shows snapshots."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def show(self, snapshot: Snapshot) -> None: ...


def choose_display(console: Console, *, silent: bool) -> Display:
    """A live line for a terminal, plain lines for a file or a pipe, nothing if `silent`."""
    if silent:
        return Silent()
    return LiveLine(console) if console.is_terminal else PlainLines(console)


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        """Not here."""


class PlainLines(Silent):
    """A line a second, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_s = 0.0

    def show(self, snapshot: Snapshot) -> None:
        """Print a line, unless the last one is less than a second old."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + PLAIN_INTERVAL_S
        line = f"{_clock(snapshot)}  {figures(snapshot).plain}"
        self._console.print(line, soft_wrap=True, highlight=False)


class LiveLine:
    """One line that changes in place, with a bar."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            BarColumn(bar_width=8),
            TextColumn("[bold]{task.fields[clock]}", table_column=Column(no_wrap=True)),
            _Figures(table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=None, clock="", figures=Text())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Change the line."""
        self._progress.update(
            self._task,
            total=snapshot.total_s,
            completed=min(snapshot.elapsed_s, snapshot.total_s or snapshot.elapsed_s),
            clock=_clock(snapshot),
            figures=figures(snapshot),
        )
        self._progress.refresh()


class _Figures(ProgressColumn):
    def render(self, task: Task) -> Text:
        text: Text = task.fields["figures"]
        return text


def figures(snapshot: Snapshot) -> Text:
    """The figures of a snapshot, coloured where that says something."""
    text = Text()
    text.append(f"sent {snapshot.frames_sent}  results {snapshot.results} ")
    text.append(f"({snapshot.rate_hz:.1f}/s)", style="cyan")
    if snapshot.p50_ms is not None and snapshot.p95_ms is not None:
        text.append("  p50/95 ")
        text.append(f"{snapshot.p50_ms:.0f}", style="bold green")
        text.append(f"/{snapshot.p95_ms:.0f} ms")
    if snapshot.has_pose is not None:
        text.append("  pose ")
        text.append(*(("yes", "green") if snapshot.has_pose else ("no", "red")))
    if snapshot.dropped:
        text.append(f"  dropped {snapshot.dropped}", style="yellow")
    return text


def _clock(snapshot: Snapshot) -> str:
    total = "" if snapshot.total_s is None else f"/{snapshot.total_s:.1f}"
    return f"{snapshot.elapsed_s:5.1f}{total} s"
