"""How busy a node's processes keep the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Shorter looks would say more of the tick's length than of the load.
_LEAST_S = 0.5


class LoadMeter:
    """Cores that some processes kept busy since the last look; 0 where Linux does not count.

    Attributes
    ----------
    measured_with
        Sessions that were there when what was measured last began.
    """

    def __init__(self) -> None:
        self._before: dict[int, float] = {}
        self._looked_s = time.monotonic()
        self._load = 0.0
        self._sessions = 0
        self.measured_with = 0

    def measure(self, pids: Iterable[int], sessions: int) -> float:
        """Look, at most twice a second.

        Parameters
        ----------
        pids
            The processes; one that is new is counted from the next look on.
        sessions
            How many there are now.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LEAST_S:
            used = {pid: _cpu_s(pid) for pid in pids}
            spent_s = sum(
                cpu_s - self._before[pid] for pid, cpu_s in used.items() if pid in self._before
            )
            self._load = round(max(spent_s, 0.0) / (now_s - self._looked_s), 2)
            self._before, self._looked_s = used, now_s
            self.measured_with, self._sessions = self._sessions, sessions
        return self._load


def _cpu_s(pid: int) -> float:
    """User and system time of a process (proc_pid_stat(5)); 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # Behind the name, which may have anything in it, comes the third field.
            fields = file.read(1024).rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
