"""How much memory a worker takes, and how much it may."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Of a container: what it may have, or "max" (cgroup v2).
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def default_bound(workers: int) -> int:
    """Half of what the machine or its container has, shared by so many workers; in bytes."""
    has = _PAGE_BYTES * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        has = min(has, int(_CONTAINER_LIMIT.read_text()))
    return has // 2 // workers


def private_bytes(pid: int) -> int:
    """What a process takes for itself, without files and shared frames; 0 where none can tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            _, resident, shared, *_ = file.read().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES
