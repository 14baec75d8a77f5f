"""Where networks that do not come with a package are looked for, by name or by path."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

from analyzers.base_model import AnalyzerUnavailable

# In this order: a network may be there in two forms.
SUFFIXES = (".xml", ".onnx", ".task")


def directory() -> Path:
    """Return the folder; it may not be there."""
    return user_cache_path("kinecast") / "models"


def find(name: str, folder: Path | None = None) -> Path | None:
    """Return a network's file, None when it is not there.

    Parameters
    ----------
    name : str
        As in Open Model Zoo: person-detection-retail-0013.
    folder : Path, optional
        Where to look; by default in the user's cache.
    """
    for suffix in SUFFIXES:
        path = (folder or directory()) / f"{name}{suffix}"
        # An .xml is half a network; its weights lie beside it.
        if path.is_file() and (suffix != ".xml" or path.with_suffix(".bin").is_file()):
            return path
    return None


def locate(network: str) -> Path | None:
    """Return the file of a network that somebody asks for; None for a name that is not here.

    Parameters
    ----------
    network : str
        A path (.xml, .onnx), or a name in the user's cache.

    Raises
    ------
    AnalyzerUnavailable
        When it is a path, and all or half of what it leads to is not there.
    """
    path = Path(network)
    if path.suffix not in SUFFIXES:
        return find(network)
    if not path.is_file():
        raise AnalyzerUnavailable(f"there is no file {path}")
    if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
        raise AnalyzerUnavailable(f"{path} is there without its weights, {path.stem}.bin")
    return path
