"""Loads networks from files, with errors that say what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analyzers.networks.runtime import Network, Picture, Runtime


def read(runtime: Runtime, path: Path, what: str) -> Any:
    """Read a network's file, .xml (with the .bin beside it) or .onnx.

    Parameters
    ----------
    runtime
        What reads it.
    path
        The file.
    what
        What it is to be, for the error: a detector.

    Raises
    ------
    FileNotFoundError
        When it, or its weights, are not there.
    ValueError
        When it is no network.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no {what} {path}")
    if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
        raise FileNotFoundError(f"{path} is there without its weights, {path.stem}.bin")
    return runtime.read(path)


def compile_network(runtime: Runtime, model: Any, picture: Picture, *, quick: bool) -> Network:
    """Compile what `read` returned, quickly or exactly; see `Runtime`."""
    if quick:
        return runtime.compile_quick(model, picture)
    return runtime.compile(model, picture)
