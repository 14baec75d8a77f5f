"""Fetching networks of the catalogue: whole and with the right checksum, or not at all."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analyzers.networks import wheels
from analyzers.networks.catalogue import Weights, WeightsFile
from analyzers.networks.errors import FetchError

# Wait for an answer, not for the whole file.
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fetch is.

    Attributes
    ----------
    file : str
        Which file.
    received, size : int
        Bytes so far, and in all.
    """

    file: str
    received: int
    size: int


def is_as_published(weights: Weights, folder: Path) -> bool:
    """Tell whether all of a network's files are in a folder, with their checksums."""
    if weights.packed:
        return wheels.is_whole(weights.packed, _bundle(weights, folder))
    return bool(weights.files) and all(
        _is_right(folder / file.name, file) for file in weights.files
    )


def _is_right(path: Path, file: WeightsFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    algorithm, _, expected = file.checksum.partition(":")
    with path.open("rb") as content:
        return hashlib.file_digest(content, algorithm).hexdigest() == expected


def fetch(weights: Weights, folder: Path, report: Callable[[Progress], None] | None = None) -> Path:
    """Fetch a network's files, those that are not there with the right checksum.

    A file appears under its name only when it is complete and its checksum is
    right; the network itself comes last, after what belongs beside it.

    Parameters
    ----------
    weights
        Which.
    folder
        Where to; made when it is not there.
    report
        Told after every piece.

    Returns
    -------
    Path
        The network's file.

    Raises
    ------
    FetchError
        When it can not be had, or is not what was published.
    """
    if weights.packed:
        bundle = _bundle(weights, folder)
        wheels.fetch(weights.packed, bundle)
        return bundle
    if not weights.files:
        raise FetchError(
            f"{weights.name} has no published checksum: put its file into {folder} yourself"
        )
    pooch = _pooch()
    for file in reversed(weights.files):
        bar = _Bar(file, report) if report else False
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=_TIMEOUT_S)
        try:
            pooch.retrieve(
                file.url, file.checksum, fname=file.name, path=folder, downloader=downloader
            )
        # requests' errors are OSErrors; pooch raises ValueError for a wrong checksum.
        except (OSError, ValueError) as error:
            raise FetchError(_why_not(error, weights, file.url, folder)) from error
    return folder / weights.files[0].name


def _why_not(error: Exception, weights: Weights, url: str, folder: Path) -> str:
    # requests' errors know what was asked for, and what was answered if anything was.
    if hasattr(error, "request") and getattr(error, "response", None) is None:
        files = " and ".join(file.name for file in weights.files)
        return (
            f"{urlsplit(url).hostname} can not be reached from here: fetch {weights.name} on a"
            f" machine that can (kinecast models fetch {weights.name} --folder DIR), and copy"
            f" {files} from DIR into {folder}"
        )
    return f"{url} can not be fetched: {' '.join(str(error).split())}"


def _bundle(weights: Weights, folder: Path) -> Path:
    return folder / f"{weights.name}.task"


class _Bar:
    """What pooch takes for a progress bar; it sets `total`, and calls the rest."""

    def __init__(self, file: WeightsFile, report: Callable[[Progress], None]) -> None:
        self._file = file
        self._report = report
        self._received = 0
        self.total = file.size

    def update(self, received: int) -> None:
        # At the end pooch resets the bar and fills it once more, for files of unknown length.
        self._received = min(self._received + received, self.total)
        self._report(Progress(self._file.name, self._received, self.total))

    def reset(self) -> None:
        self._received = 0

    def close(self) -> None:
        return


def _pooch() -> Any:
    try:
        pooch = importlib.import_module("pooch")
    except ImportError as error:
        raise FetchError("fetching weights needs pooch: pip install pooch") from error
    # It tells of every file; the command line does that itself.
    pooch.get_logger().setLevel("WARNING")
    return pooch
