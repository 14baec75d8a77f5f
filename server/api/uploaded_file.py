"""A file that a client sent, while it is looked at."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path


@contextlib.asynccontextmanager
async def uploaded(data: bytes) -> AsyncIterator[Path]:
    """Bytes in a file that only this process's user can read; it is gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="kinecast-") as file:
        await asyncio.to_thread(file.write, data)
        await asyncio.to_thread(file.flush)
        yield Path(file.name)
