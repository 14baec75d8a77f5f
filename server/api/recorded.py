"""Where a recording is that a client names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from signaling.errors import NotFound, quote


async def locate(folders: Iterable[Path], name: str) -> Path:
    """The file of this name below one of the folders.

    Raises
    ------
    NotFound
        There is none, or it is elsewhere.
    """
    for folder in folders:
        path = await asyncio.to_thread(_inside, folder, name)
        if path is not None:
            return path
    raise NotFound(f"there is no file {quote(name)} among the recordings")


def _inside(folder: Path, name: str) -> Path | None:
    """The file, if it is below the folder, wherever links and dots lead."""
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
