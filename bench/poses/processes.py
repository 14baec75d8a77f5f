"""Frames a second of two processes on two cores, as a server with two workers has them."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.poses.clips import read_video
from bench.poses.engines import EngineKind
from bench.poses.turns import WARM_UP_FRAMES

PROCESSES = 2
# Loading an engine and decoding the clip.
READY_TIMEOUT_S = 120.0
# No engine takes this long for a frame, however busy the machine is.
MAX_FRAME_S = 1.0

_spawn = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Stint:
    """When a process began and ended its frames, by the clock that all processes share.

    Attributes
    ----------
    cpu_s
        What its threads took together.
    """

    began_s: float
    ended_s: float
    cpu_s: float


class Pair:
    """Two processes that each run one engine over the same frames; made by `running`."""

    def __init__(self, connections: list[Connection], frames: int) -> None:
        self._connections = connections
        self._frames = frames

    def run(self) -> list[Stint]:
        """Have both go through the frames, from the same moment on.

        Raises
        ------
        RuntimeError
            When a process fails.
        TimeoutError
            When they take much too long.
        """
        for connection in self._connections:
            connection.send(True)
        return receive_all(self._connections, READY_TIMEOUT_S + self._frames * MAX_FRAME_S)


@contextlib.contextmanager
def running(kind: EngineKind, video: Path, frames: int) -> Iterator[Pair]:
    """Two processes that have loaded an engine and so many frames of a video.

    Raises
    ------
    RuntimeError
        When a process fails.
    TimeoutError
        When they take much too long to load.
    """
    barrier = _spawn.Barrier(PROCESSES)
    cores = _cores()
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(PROCESSES):
            ours, theirs = _spawn.Pipe()
            stack.enter_context(ours)
            # Without a reference of ours to its end, the end of a process ends its pipe.
            with theirs:
                arguments = (kind, video, frames, cores, barrier, theirs)
                stack.enter_context(_started(_spawn.Process(target=_work, args=arguments)))
            connections.append(ours)
        receive_all(connections, READY_TIMEOUT_S)
        yield Pair(connections, frames)


def throughput(stints: list[Stint], frames_each: int) -> float:
    """Frames a second of all, from the first one's beginning to the last one's end."""
    seconds = max(s.ended_s for s in stints) - min(s.began_s for s in stints)
    return len(stints) * frames_each / seconds


def receive_all(connections: list[Connection], timeout_s: float) -> list[Any]:
    """What each process sends next, in the order in which it comes.

    Raises
    ------
    RuntimeError
        When a process ends instead.
    TimeoutError
        When one takes longer.
    """
    deadline_s = time.monotonic() + timeout_s
    waiting, received = list(connections), []
    while waiting:
        ready = wait(waiting, max(0.0, deadline_s - time.monotonic()))
        if not ready:
            raise TimeoutError(f"two processes were not done after {timeout_s:.0f} s")
        for connection in [each for each in waiting if each in ready]:
            try:
                received.append(connection.recv())
            except (EOFError, ConnectionResetError):
                raise RuntimeError("one of two processes failed; see what it wrote above") from None
            waiting.remove(connection)
    return received


@contextlib.contextmanager
def _started(process: BaseProcess) -> Iterator[None]:
    process.daemon = True
    # A process inherits what is blocked: Ctrl-C is for us alone, and we end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _work(
    kind: EngineKind,
    video: Path,
    count: int,
    cores: set[int],
    barrier: Barrier,
    connection: Connection,
) -> None:
    os.sched_setaffinity(0, cores)
    cv2.setNumThreads(1)
    frames, fps = read_video(video, count)
    times_ms = np.arange(len(frames)) * 1000.0 / fps
    engine = kind.start()
    with contextlib.closing(engine.open(1)) as tracker:
        for frame, time_ms in zip(frames[:WARM_UP_FRAMES], times_ms, strict=False):
            tracker.detect(frame, time_ms)
    connection.send(True)
    while connection.recv():
        with contextlib.closing(engine.open(1)) as tracker:
            barrier.wait(READY_TIMEOUT_S)
            began_s, cpu_s = time.perf_counter(), time.process_time()
            for frame, time_ms in zip(frames, times_ms, strict=True):
                tracker.detect(frame, time_ms)
            stint = Stint(began_s, time.perf_counter(), time.process_time() - cpu_s)
        connection.send(stint)


def _cores() -> set[int]:
    """Two of the cores that we may use, or the one that there is."""
    return set(sorted(os.sched_getaffinity(0))[:PROCESSES])
