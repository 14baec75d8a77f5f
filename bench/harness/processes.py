"""Servers that are measured and programs that put a load on them, each a process of its own."""

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import psutil

from bench.harness.barcode import ANALYZER
from bench.harness.report import ROOT

MEGABYTE, START_TIMEOUT_S = 1e6, 90.0
# The baseline, seconds behind, takes long to hang up; it is not waited for.
STOP_TIMEOUT_S = 5.0
POLL_S = 0.1
# The tests take those below, and the system gives the ones above to connections.
PORTS = range(28000, 32000)
# A long run's results are one line.
LINE_BYTES = 1 << 26
# One client opens as many sessions as a bench wants.
MANY = ("--max-sessions", "40", "--connections-per-address", "0")
_SHM = re.compile(r"(/dev/shm/\S+)")
_SHOWN_BYTES = 2000


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A server's name in the tables, and what starts it after ``python -m``."""

    name: str
    arguments: tuple[str, ...]
    root: Path = ROOT
    load: tuple[str, ...] = ()
    """What the client of it is told besides, see `bench.harness.stream`."""


def kinecast(*flags: str, name: str = "kinecast") -> ServerKind:
    """Kinecast as it comes, with flags."""
    # The process that is measured is the media process, with its workers.
    places = (*MANY, "--sessions-per-subject", "40")
    return ServerKind(name, ("server", "--no-watchdog", *places, *flags))


def with_pose(*analyzers: str, name: str = "kinecast") -> ServerKind:
    """Kinecast with pose, the bar code, and other analyzers beside them."""
    return kinecast("--analyzers", ",".join(("pose", ANALYZER, *analyzers)), name=name)


BASELINE = ServerKind("baseline", ("bench.harness.baseline",))


class Sample(NamedTuple):
    """CPU time so far, also of processes that have ended, and the sum of resident sets."""

    epoch_s: float
    cpu_s: float
    media_cpu_s: float
    """Of it that of the process itself, without its workers."""
    rss_bytes: int


class ProcessTree:
    """A process and its descendants, sampled at intervals."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self.root = psutil.Process(pid)
        self._cpu_s: dict[int, float] = {}

    async def watch(self, interval_s: float = 0.25) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            await asyncio.sleep(interval_s)

    def sample(self) -> Sample:
        """CPU time and memory now."""
        rss_bytes = 0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess), process.oneshot():
                times = process.cpu_times()
                self._cpu_s[process.pid] = times.user + times.system
                rss_bytes += process.memory_info().rss
        whole_s, media_s = sum(self._cpu_s.values()), self._cpu_s.get(self.root.pid, 0.0)
        self.samples.append(Sample(time.time(), whole_s, media_s, rss_bytes))
        return self.samples[-1]

    async def cpu_percent(self, seconds: float) -> float:
        """CPU of the next seconds, of one core."""
        began = self.sample()
        await asyncio.sleep(seconds)
        ended = self.sample()
        return 100 * (ended.cpu_s - began.cpu_s) / (ended.epoch_s - began.epoch_s)

    def cpu_s(self, began_epoch_s: float, seconds: float) -> tuple[float, float]:
        """CPU time within a window, of all and of the process itself.

        From the samples nearest to its ends.
        """
        first, last = (
            min(self.samples, key=lambda sample: abs(sample.epoch_s - at))
            for at in (began_epoch_s, began_epoch_s + seconds)
        )
        scale = seconds / max(last.epoch_s - first.epoch_s, 1e-9)
        return (
            (last.cpu_s - first.cpu_s) * scale,
            (last.media_cpu_s - first.media_cpu_s) * scale,
        )

    def busiest_child(self) -> psutil.Process:
        """The worker that has done most, of a process that has workers."""
        self.sample()
        children = self.root.children(recursive=True)
        return max(children, key=lambda child: self._cpu_s.get(child.pid, 0.0))

    def peak_mb(self, from_epoch_s: float = 0.0, to_epoch_s: float = float("inf")) -> float:
        """Most resident memory seen between two moments."""
        seen = (s.rss_bytes for s in self.samples if from_epoch_s <= s.epoch_s <= to_epoch_s)
        return max(seen) / MEGABYTE

    def holdings(self) -> dict[str, int]:
        """What the processes hold, which should be the same again when all sessions are over."""
        processes = self._processes()
        maps = (Path(f"/proc/{process.pid}/maps").read_text() for process in processes)
        return {
            "descriptors": sum(process.num_fds() for process in processes),
            "threads": sum(process.num_threads() for process in processes),
            "shared memory": len(set().union(*map(_SHM.findall, maps))),
        }

    def _processes(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready."""

    url: str
    tree: ProcessTree

    async def sessions(self) -> list[dict[str, Any]]:
        """Kinecast's sessions, as it lists them."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/sessions") as answer:
            told: list[dict[str, Any]] = (await answer.json())["sessions"]
            return told


@contextlib.asynccontextmanager
async def running(kind: ServerKind) -> AsyncIterator[RunningServer]:
    """Start a server, wait until it is ready, sample it, stop it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = (*kind.arguments, "--port", str(port), "--ice-address", "127.0.0.1")
    with tempfile.TemporaryFile() as output:
        outputs = {"stdout": output, "stderr": output}
        async with _process(*arguments, root=kind.root, **outputs) as process:
            try:
                await _until_ready(process, url)
            except (RuntimeError, TimeoutError) as error:
                output.seek(0)
                said = output.read()[-_SHOWN_BYTES:].decode(errors="replace")
                raise RuntimeError(f"{kind.name} did not start: {error}\n{said}") from error
            tree = ProcessTree(process.pid)
            async with in_background(tree.watch()):
                yield RunningServer(url, tree)


class Program:
    """A program of bench's that talks by lines of JSON; made by `started`."""

    def __init__(self, process: Any) -> None:
        self._process = process

    async def line(self, within_s: float) -> Any:
        """What it says next."""
        async with asyncio.timeout(within_s):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("a load ended early: what it printed is above")
        return json.loads(line)

    def go_on(self) -> None:
        """Give it the line that it waits for."""
        self._process.stdin.write(b"\n")

    async def ended(self, within_s: float) -> None:
        """Wait until it has left by itself, for which its input ends."""
        self._process.stdin.close()
        async with asyncio.timeout(within_s):
            await self._process.wait()


@contextlib.asynccontextmanager
async def started(module: str, *arguments: object) -> AsyncIterator[Program]:
    """Run a module of bench's; it is ended with the block, when it has told everything."""
    pipe = asyncio.subprocess.PIPE
    async with _process(module, *map(str, arguments), stdin=pipe, stdout=pipe) as process:
        yield Program(process)


@contextlib.asynccontextmanager
async def _process(
    *arguments: str, root: Path = ROOT, **streams: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        limit=LINE_BYTES,
        # Ctrl-C is for us alone, and we end the process.
        start_new_session=True,
        **streams,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()


@contextlib.asynccontextmanager
async def in_background(*coroutines: Any) -> AsyncIterator[None]:
    """Run them until the block ends."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{url}/health") as response:
                    if (await response.json()).get("ready"):
                        return
            await asyncio.sleep(POLL_S)
    raise RuntimeError(f"exit status {process.returncode}")


def free_port() -> int:
    """A port that is free, as is the next one, which Kinecast takes too.

    Below those that the system gives to connections: none of them takes it before its use.
    """
    while True:
        port = random.choice(PORTS)
        with (
            socket.socket() as first,
            socket.socket() as second,
            contextlib.suppress(OSError),
        ):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
