"""Shows how a recording is going: a live line in a terminal, a line a second elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

PLAIN_INTERVAL_S = 1.0


class Progress:
    """A line a second, for logs."""

    def __init__(self, console: Console, limit: int | None) -> None:
        self._console = console
        self._limit = limit
        self._next_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def show(self, frames: int, seconds: float, size: int, skipped: int) -> None:
        """Tell of frames, the seconds they last, bytes of the file, and frames left out."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + PLAIN_INTERVAL_S
        line = figures(frames, self._limit, seconds, size, skipped)
        self._console.print(line, soft_wrap=True, highlight=False)


class LiveProgress(Progress):
    """One line that changes in place, with a bar."""

    def __init__(self, console: Console, limit: int | None) -> None:
        super().__init__(console, limit)
        self._bar = RichProgress(
            BarColumn(bar_width=20), TextColumn("{task.fields[figures]}"), console=console
        )
        self._task = self._bar.add_task("", total=limit, figures="waiting for the first picture")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, frames: int, seconds: float, size: int, skipped: int) -> None:
        """Change the line."""
        text = figures(frames, self._limit, seconds, size, skipped)
        self._bar.update(self._task, completed=frames, figures=text)


def progress_on(console: Console, limit: int | None) -> Progress:
    """What fits a console; `limit` is how many frames there will be, if that is known."""
    return (LiveProgress if console.is_terminal and not console.quiet else Progress)(console, limit)


def figures(frames: int, limit: int | None, seconds: float, size: int, skipped: int) -> str:
    """The figures in a line."""
    of = f"/{limit}" if limit else ""
    rate = f"  {(frames - 1) / seconds:.1f}/s" if seconds else ""
    left_out = f"  {skipped} left out" if skipped else ""
    return f"{frames}{of} frames{rate}  {seconds:.1f} s  {size / 1e6:.1f} MB{left_out}"
