"""What a bench found: tables, targets and notes, on the terminal, as a page and as JSON.

`parser_for` and `run` are what every script of bench/ begins and ends with.
"""

import argparse
import asyncio
import importlib.metadata
import inspect
import json
import math
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import rich.table
from rich.console import Console

from client_test.errors import ClientError
from signaling.errors import SignalingError

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample-video.mp4"
DATA_VARIABLE = "KINECAST_DATA"
DATA = Path(os.environ.get(DATA_VARIABLE, ROOT.parent / "shared" / "data"))
PACKAGES = ["aiortc", "aioice", "av", "aiohttp", "mediapipe", "openvino", "numpy", "opencv-python"]
# Tables are wide; into a file or a pipe they go unbroken.
FILE_WIDTH = 180
# The last is what a shell has for a program that Ctrl-C ended.
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
# With more, times by the clock are to be doubted.
MAX_OTHERS_PERCENT = 2.0
Failure = (aiohttp.ClientError, ClientError, SignalingError, OSError, RuntimeError, ValueError)


class BadInput(Exception):
    """What the command line names is not there, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Check:
    """One target: what it is about, what was asked for, what was measured."""

    what: str
    asked: str
    measured: str
    reached: bool


def at_least(what: str, measured: float, least: float) -> Check:
    """A target that is reached from `least` upwards."""
    return Check(what, f">= {least:g}", f"{measured:.2f}", bool(measured >= least))


def at_most(what: str, measured: float, most: float) -> Check:
    """A target that is reached up to `most`."""
    return Check(what, f"<= {most:g}", f"{measured:.2f}", bool(measured <= most))


@dataclass(slots=True)
class Table:
    """A table; a column may say how its numbers are written: "p50 ms:.1f"."""

    title: str
    columns: tuple[str, ...]
    formats: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row; None is written as "-"."""
        row = ("-" if cell is None else cell for cell in cells)
        pairs = zip(row, self.formats, strict=True)
        self.rows.append(tuple(str(c) if isinstance(c, str) else format(c, f) for c, f in pairs))

    def markdown(self) -> str:
        """For docs/."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


class Report:
    """Everything that one run of a bench found.

    `settings` say how it was measured, a line each; `figures` are what ``--json`` prints, which are
    the tables where a bench sets none; `failed` tells that a part could not be measured.
    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title = title
        self.tables: list[Table] = []
        self.checks: list[Check] = []
        self.notes: list[str] = []
        self.settings: list[str] = []
        self.figures: dict[str, Any] = {}
        self.failed = False
        self._console = console or Console(quiet=True)

    def table(self, title: str, *columns: str) -> Table:
        """Add a table; its rows come later."""
        parts = [column.partition(":") for column in columns]
        names, formats = (tuple(part[i] for part in parts) for i in (0, 2))
        self.tables.append(Table(title, names, formats))
        return self.tables[-1]

    def check(self, checks: Check | Iterable[Check]) -> None:
        """Add targets that were checked."""
        self.checks += [checks] if isinstance(checks, Check) else checks

    def say(self, line: str) -> None:
        """Print what is being done, or what came out of it."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def print(self) -> None:
        """Print the tables."""
        for table in self._all_tables():
            shown = rich.table.Table(*table.columns, title=table.title, title_justify="left")
            for row in table.rows:
                shown.add_row(*row)
            self._console.print(shown)
        for note in self.notes:
            self.say(note)

    def markdown(self) -> str:
        """The same as a page."""
        parts = [f"# {self.title}", "\n".join(f"- {line}" for line in (*machine(), *self.settings))]
        for table in self._all_tables():
            parts += [f"## {table.title}", table.markdown()]
        return "\n\n".join([*parts, *self.notes]) + "\n"

    def json(self) -> str:
        """The figures; what is no number is null."""
        tables = {each.title: [each.columns, *each.rows] for each in self._all_tables()}
        return json.dumps(_without_nan(self.figures or tables), indent=1)

    def _all_tables(self) -> Iterator[Table]:
        yield from (table for table in self.tables if table.rows)
        if self.checks:
            columns = ("target", "asked", "measured", "")
            targets = Table("Targets", columns, ("",) * len(columns))
            for check in self.checks:
                said = "reached" if check.reached else "falls short"
                targets.add(check.what, check.asked, check.measured, said)
            yield targets


def parser_for(doc: str | None) -> argparse.ArgumentParser:
    """A parser that explains itself by a script's docstring, with what all scripts have."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, too")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    return parser


def add_data(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --data, the folder with footage of real people."""
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="DIR",
        help=f"{what} (default: ${DATA_VARIABLE}, or {os.path.relpath(DATA)})",
    )


def run(
    title: str, asked: argparse.Namespace, measure: Callable[[argparse.Namespace, Report], Any]
) -> int:
    """Measure and print; what there is is printed after a failure and after Ctrl-C, too.

    The exit status is 1 if a target is missed or a part failed, 2 if what was asked for is not
    there, 130 after Ctrl-C.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Processes that were started end with us.
        signal.signal(number, signal.default_int_handler)
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH, stderr=asked.json)
    report, status = Report(title, console), 0
    began_s, others_s = time.monotonic(), _others_s()
    try:
        if inspect.iscoroutinefunction(measure):
            asyncio.run(measure(asked, report))
        else:
            measure(asked, report)
    except BadInput as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        return BAD_INPUT
    except Failure as error:
        report.notes.append(f"Ended early: {error or 'it took too long'}")
        status = FAILED
    except KeyboardInterrupt:
        report.notes.append("Ended early: interrupted")
        status = INTERRUPTED
    report.notes.append(_said_of_others(_others_s() - others_s, time.monotonic() - began_s))
    report.print()
    if asked.json:
        print(report.json())
    if asked.markdown:
        asked.markdown.write_text(report.markdown())
    return status or int(report.failed or not all(check.reached for check in report.checks))


def machine() -> list[str]:
    """What it was measured on: a line each."""
    memory_gb = psutil.virtual_memory().total / 1e9
    return [
        f"{_cpu_model()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, shared by all that is run",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        ", ".join(f"{name} {_package_version(name)}" for name in PACKAGES),
        time.strftime("%Y-%m-%d", time.gmtime()),
    ]


def _others_s() -> float:
    """Seconds that others took, also a host's other machines; not our children that have ended."""
    t = psutil.cpu_times()
    # Time of guests is in user already.
    return t.user + t.nice + t.system + t.irq + t.softirq + t.steal - sum(os.times()[:4])


def _said_of_others(taken_s: float, wall_s: float) -> str:
    percent = 100.0 * taken_s / (wall_s * (os.cpu_count() or 1))
    taken = f"Other processes took {percent:.1f} % of the cores meanwhile."
    doubts = " Times by the clock are not those of a quiet machine; CPU times are nearer to them."
    return taken + (doubts if percent > MAX_OTHERS_PERCENT else "")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown processor"


def _package_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
