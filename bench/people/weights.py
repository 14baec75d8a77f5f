"""The networks that are measured: all of a folder that are known, or have a sidecar."""

from collections.abc import Iterator
from pathlib import Path

from analyzers.networks import catalogue, sidecar
from analyzers.networks.catalogue import Task


def networks(folder: Path, task: Task) -> list[Path]:
    """The networks for a task in a folder and those below it."""
    return [path for path in _all(folder) if _task(path) == task]


def _all(folder: Path) -> Iterator[Path]:
    for suffix in (".xml", ".onnx"):
        yield from sorted(folder.rglob(f"*{suffix}"))


def _task(path: Path) -> str | None:
    beside, known = sidecar.find(path), catalogue.known(path.stem)
    wants = sidecar.read(beside) if beside else known.sidecar if known else None
    return wants.task if wants else None
