"""Where networks that do not come with a package are looked for."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

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
