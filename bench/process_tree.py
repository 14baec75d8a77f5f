"""What a server's processes use, taken together: CPU time, memory, descriptors, threads."""

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_SHM = re.compile(r"(/dev/shm/\S+)")


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU time used so far and resident memory of all processes at one moment.

    Attributes
    ----------
    epoch_s
        When.
    cpu_s
        User and system time, also of processes that have ended.
    rss_bytes
        Sum of resident sets; memory that processes share is counted in each of them.
    """

    epoch_s: float
    cpu_s: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What should be back where it was when all sessions are over."""

    processes: int
    descriptors: int
    threads: int
    shared_memory: int
    rss_bytes: int


class ProcessTree:
    """A process and its descendants, sampled at intervals."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self._root = psutil.Process(pid)
        self._cpu_s: dict[int, float] = {}

    @property
    def pid(self) -> int:
        """Of the root."""
        return self._root.pid

    async def watch(self, interval_s: float = 0.25) -> None:
        """Sample until cancelled."""
        while True:
            self.samples.append(self.sample())
            await asyncio.sleep(interval_s)

    def sample(self) -> Sample:
        """CPU time and memory now."""
        rss_bytes = 0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess), process.oneshot():
                times = process.cpu_times()
                self._cpu_s[process.pid] = times.user + times.system
                rss_bytes += process.memory_info().rss
        return Sample(time.time(), sum(self._cpu_s.values()), rss_bytes)

    def cpu_s(self, began_epoch_s: float, seconds: float) -> float:
        """CPU time used within a window, from the samples nearest to its ends."""
        first, last = (
            min(self.samples, key=lambda sample: abs(sample.epoch_s - at))
            for at in (began_epoch_s, began_epoch_s + seconds)
        )
        return (last.cpu_s - first.cpu_s) * seconds / max(last.epoch_s - first.epoch_s, 1e-9)

    def peak_rss_bytes(self, from_epoch_s: float = 0.0, to_epoch_s: float = float("inf")) -> int:
        """Most resident memory seen between two moments."""
        return max(s.rss_bytes for s in self.samples if from_epoch_s <= s.epoch_s <= to_epoch_s)

    def holdings(self) -> Holdings:
        """What the processes hold now."""
        processes = self._processes()
        return Holdings(
            processes=len(processes),
            descriptors=sum(process.num_fds() for process in processes),
            threads=sum(process.num_threads() for process in processes),
            shared_memory=len(set().union(*(_segments(p.pid) for p in processes))),
            rss_bytes=self.sample().rss_bytes,
        )

    def _processes(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]


def _segments(pid: int) -> set[str]:
    """Shared-memory segments that a process has mapped."""
    return set(_SHM.findall(Path(f"/proc/{pid}/maps").read_text()))
