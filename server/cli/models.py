"""``kinecast models``: which networks' weights there are, and how to get them."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from analyzers.networks import catalogue, fetching, model_cache
from analyzers.networks.catalogue import Weights
from analyzers.networks.errors import FetchError
from analyzers.networks.fetching import Progress

_BAD_USAGE = 2


def main(arguments: list[str]) -> int:
    """Carry out ``kinecast models`` with what follows it.

    Parameters
    ----------
    arguments
        ``["list"]``, ``["fetch", NAME]`` or ``["path", NAME]``.

    Returns
    -------
    int
        The exit status: 0, 1 when weights are missing or can not be fetched,
        2 when the arguments are wrong.
    """
    try:
        asked = _parser().parse_args(arguments)
        match asked.command:
            case "list":
                return _list(asked.folder)
            case "fetch":
                return _fetch(_known(asked.name), asked.folder)
            case _:
                return _path(asked.name, asked.folder)
    except _BadUsage as error:
        print(f"kinecast models: {error}", file=sys.stderr)
        return _BAD_USAGE
    except FetchError as error:
        print(f"kinecast models: {error}", file=sys.stderr)
        return 1
    except SystemExit as end:  # --help
        return int(end.code or 0)


class _BadUsage(ValueError):
    """The arguments are wrong: one line that says how."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _BadUsage(f"{message} (see kinecast models --help)")


def _parser() -> _Parser:
    parser = _Parser(
        prog="kinecast models",
        description="Weights of the networks that Kinecast knows by name.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="which there are, and whether they are on this machine")
    fetch = commands.add_parser("fetch", help="fetch one and check it against its checksum")
    fetch.add_argument("name", metavar="NAME")
    path = commands.add_parser("path", help="print where one is, or where all are kept")
    path.add_argument("name", metavar="NAME", nargs="?")
    for command in commands.choices.values():
        command.add_argument(
            "--folder",
            type=Path,
            default=model_cache.directory(),
            metavar="DIR",
            help="where they are kept (default: %(default)s)",
        )
    return parser


def _list(folder: Path) -> int:
    rows = [
        (weights.name, weights.task, _size(weights), weights.licence, _state(weights, folder))
        for weights in catalogue.KNOWN
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0


def _size(weights: Weights) -> str:
    return f"{weights.size / 1e6:.1f} MB" if weights.size else "-"


def _state(weights: Weights, folder: Path) -> str:
    if model_cache.find(weights.name, folder) is None:
        return "not here" if weights.size else "not here, can not be fetched"
    if not weights.size:
        return "here"
    if fetching.is_as_published(weights, folder):
        return "here, as published"
    return "here, not as published"


def _fetch(weights: Weights, folder: Path) -> int:
    # What an installer fetches has no progress; that it is at work is logged.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with _progress() as report:
        path = fetching.fetch(weights, folder, report)
    print(path)
    return 0


def _path(name: str | None, folder: Path) -> int:
    if name is None:
        print(folder)
        return 0
    _known(name)
    path = model_cache.find(name, folder)
    if path is None:
        print(
            f"kinecast models: {name} is not in {folder}: kinecast models fetch {name}",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


def _known(name: str) -> Weights:
    weights = catalogue.known(name)
    if weights is None:
        names = ", ".join(catalogue.names())
        raise _BadUsage(f"unknown network {name!r}; there are {names}")
    return weights


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[Progress], None] | None]:
    """Show how far a fetch is, where rich is installed and someone looks."""
    try:
        shown = importlib.import_module("rich.progress")
        console = importlib.import_module("rich.console").Console(stderr=True)
    except ImportError:
        yield None
        return
    with shown.Progress(
        shown.TextColumn("{task.description}"),
        shown.BarColumn(),
        shown.DownloadColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[str, int] = {}

        def report(progress: Progress) -> None:
            if progress.file not in tasks:
                tasks[progress.file] = bars.add_task(progress.file, total=progress.size)
            bars.update(tasks[progress.file], completed=progress.received)

        yield report
