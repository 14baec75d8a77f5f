"""Makes networks that compute only when nobody else wants the processor."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")

# On top of the process's own; from 0 to 10 a thread's share of a busy core falls to a tenth.
_NICER = 10
_NICEST = 19


def with_low_priority(make: Callable[[], Made]) -> Made:
    """Call `make` such that the threads that it starts give way to others.

    OpenVINO starts the thread that computes a network when it compiles it, and
    on Linux a thread has the niceness of the one that started it. The threads
    that call the network keep their own: one of low priority that holds
    Python's lock would hold up the others. Elsewhere than on Linux niceness is
    the process's, and nothing changes.
    """
    with ThreadPoolExecutor(1, initializer=_be_nice) as thread:
        return thread.submit(make).result()


def _be_nice() -> None:
    if sys.platform == "linux":
        own = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, own) + _NICER
        os.setpriority(os.PRIO_PROCESS, own, min(niceness, _NICEST))
