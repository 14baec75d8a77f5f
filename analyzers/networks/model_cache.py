"""Where networks that do not come with a package are looked for."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path


def directory() -> Path:
    """Return the folder; it may not be there."""
    return user_cache_path("kinecast") / "models"


def find(name: str) -> Path | None:
    """Return a network's file (.xml or .onnx), None when it is not there.

    Parameters
    ----------
    name : str
        As in Open Model Zoo: person-detection-retail-0013.
    """
    for suffix in (".xml", ".onnx"):
        path = directory() / f"{name}{suffix}"
        if path.is_file():
            return path
    return None
