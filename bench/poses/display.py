"""Shows how far a long measurement has come, without taking time from what it measures."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.poses.figures import SpeedFigures


class Display:
    """A bar for what is going on, and a line for what is done."""

    def __init__(self, console: Console) -> None:
        # It is drawn between measurements only: a thread that draws would take its part of the
        # cores meanwhile.
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
        )

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextlib.contextmanager
    def task(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show something with so many steps; yields what is to be called with steps done."""
        task = self._progress.add_task(what, total=total)

        def advance(steps: int) -> None:
            self._progress.advance(task, steps)
            self._progress.refresh()

        try:
            self._progress.refresh()
            yield advance
        finally:
            self._progress.remove_task(task)
            self._progress.refresh()

    def say(self, what: str, figures: Sequence[SpeedFigures]) -> None:
        """Print what came out."""
        times = ", ".join(f"{f.engine} {f.mean_ms:.1f} ms" for f in figures)
        self._progress.console.print(f"{what}: {times}", highlight=False)
