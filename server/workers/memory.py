"""How much memory a worker takes, and how much it may."""

from __future__ import annotations

import contextlib
import os
import time
from multiprocessing import resource_tracker
from pathlib import Path

# What a process can fill at most, a core's pages one after the other; and bounds for looking often.
_FILLS_BYTES_A_S = 2e9
_LOOKS_AT_MOST_EVERY_S, _LOOKS_AT_LEAST_EVERY_S = 0.01, 0.25
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Half of what makes a process the first choice whatever it takes (proc_pid_oom_score_adj(5)).
_FIRST_TO_GO = 500
_TRACKER_ENDS_WITHIN_S = 0.5
# Of a container: what it may have, or "max" (cgroup v2).
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def default_bound(workers: int) -> int:
    """Half of what the machine or its container has, shared by so many workers; in bytes."""
    has = _PAGE_BYTES * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        has = min(has, int(_CONTAINER_LIMIT.read_text()))
    return has // 2 // workers


def look_again_s(takes: int, may: int) -> float:
    """When to look again at a process: before it can have filled what it still may take.

    Parameters
    ----------
    takes, may
        Bytes.
    """
    until_full_s = (may - takes) / _FILLS_BYTES_A_S
    return min(max(until_full_s, _LOOKS_AT_MOST_EVERY_S), _LOOKS_AT_LEAST_EVERY_S)


def be_first_to_go() -> None:
    """Have the kernel, when memory runs out, end this process rather than the server's."""
    adjustment = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError):
        # Some services are all to go before others: then it is higher already.
        if int(adjustment.read_text()) < _FIRST_TO_GO:
            adjustment.write_text(str(_FIRST_TO_GO))


def end_tracker() -> None:
    """End Python's resource tracker, as newer Pythons do when they end, and reap it.

    One that is left behind is for process 1 to reap, which may take its time, and the supervisor
    waits until all of its group are gone. One that stands still is left behind all the same.
    """
    tracker = vars(resource_tracker)["_resource_tracker"]
    if tracker._fd is None or tracker._pid is None:
        return
    # It ends when nobody can tell it anything any more.
    os.close(tracker._fd)
    tracker._fd = None
    until_s = time.monotonic() + _TRACKER_ENDS_WITHIN_S
    with contextlib.suppress(ChildProcessError):
        while not os.waitpid(tracker._pid, os.WNOHANG)[0] and time.monotonic() < until_s:
            time.sleep(0.005)


def private_bytes(pid: int) -> int:
    """What a process takes for itself, without files and shared frames; 0 where none can tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            _, resident, shared, *_ = file.read().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES
