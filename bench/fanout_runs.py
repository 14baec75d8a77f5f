"""One window of bench/fanout.py: viewers in processes of their own, the server's CPU meanwhile."""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from bench.process_tree import ProcessTree
from bench.servers import ROOT

# So many viewers to a process: its one event loop must not be what loses packets.
VIEWERS_A_PROCESS = 17
RECEIVING_WITHIN_S = 60.0
ENDING_WITHIN_S = 30.0
# What is new, encoders and connections, does more at first.
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Viewed:
    """What one viewer received within the window."""

    frames: int
    sent: float
    packets: int
    bytes: int
    lost: int


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured in one window.

    Attributes
    ----------
    server_cpu_s, viewers_cpu_s
        CPU time of all processes of each side.
    machine_percent
        How busy the machine was with everything, of all its cores.
    latencies_ms
        From the hook's stamp to the decoded picture; empty unless one viewer decodes.
    """

    seconds: float
    server_cpu_s: float
    viewers_cpu_s: float
    machine_percent: float
    viewers: tuple[Viewed, ...]
    latencies_ms: tuple[float, ...] = ()

    @property
    def server_percent(self) -> float:
        """Of one core."""
        return 100 * self.server_cpu_s / self.seconds

    @property
    def fps(self) -> float:
        """Frames a second of each viewer, on average."""
        return statistics.fmean(v.frames for v in self.viewers) / self.seconds

    @property
    def kbps(self) -> float:
        """Of each viewer, on average."""
        return statistics.fmean(v.bytes for v in self.viewers) * 8 / self.seconds / 1000

    @property
    def delivered(self) -> float:
        """Frames that came complete, of those that the source made, over all viewers."""
        return sum(v.frames for v in self.viewers) / max(sum(v.sent for v in self.viewers), 1)


async def watch(
    tree: ProcessTree,
    url: str,
    *,
    viewers: int,
    seconds: float,
    codec: str,
    fps: float,
    remb_bps: int,
    see: bool = False,
) -> Window:
    """Have a server watched by so many, and take the figures of a window.

    Parameters
    ----------
    tree
        The server's processes.
    url
        The WHEP address.
    viewers
        How many; 0 measures the server alone.
    see
        Whether one of them decodes.
    """
    counting = viewers - see
    sizes = [VIEWERS_A_PROCESS] * (counting // VIEWERS_A_PROCESS)
    if counting % VIEWERS_A_PROCESS:
        sizes.append(counting % VIEWERS_A_PROCESS)
    common = ("--url", url, "--codec", codec, "--fps", str(fps), "--remb", str(remb_bps))
    commands = [("--viewers", str(size), *common) for size in sizes]
    if see:
        commands.append(("--see", *common))
    async with contextlib.AsyncExitStack() as stack:
        processes = []
        for command in commands:
            processes.append(await stack.enter_async_context(_process(command)))
            await _line(processes[-1], RECEIVING_WITHIN_S)
        await asyncio.sleep(SETTLE_S)
        began = tree.sample()
        psutil.cpu_percent()
        _tell(processes)
        await asyncio.sleep(seconds)
        _tell(processes)
        ended, machine_percent = tree.sample(), psutil.cpu_percent()
        told: list[dict[str, Any]] = [await _line(p, ENDING_WITHIN_S) for p in processes]
        for process in processes:
            async with asyncio.timeout(ENDING_WITHIN_S):
                await process.wait()
    return Window(
        seconds=ended.epoch_s - began.epoch_s,
        server_cpu_s=ended.cpu_s - began.cpu_s,
        viewers_cpu_s=sum(each["cpu_s"] for each in told),
        machine_percent=machine_percent,
        viewers=tuple(Viewed(**v) for each in told for v in each.get("viewers", ())),
        latencies_ms=tuple(
            ms for each in told for one in each.get("latencies_ms", ()) for ms in one
        ),
    )


async def alone(tree: ProcessTree, seconds: float) -> float:
    """CPU time a second of a server that nobody watches."""
    await asyncio.sleep(SETTLE_S)
    began = tree.sample()
    await asyncio.sleep(seconds)
    ended = tree.sample()
    return (ended.cpu_s - began.cpu_s) / (ended.epoch_s - began.epoch_s)


def _tell(processes: Sequence[asyncio.subprocess.Process]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")


async def _line(process: asyncio.subprocess.Process, within_s: float) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(within_s):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("viewers ended early: what they printed is above")
    told: dict[str, Any] = json.loads(line)
    return told


@contextlib.asynccontextmanager
async def _process(arguments: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.fanout_viewers", *arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # The seen latencies of a window are one line.
        limit=1 << 24,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def quiet_moment(within_s: float, busy_percent: float = 15.0) -> float:
    """Wait until the machine does little else; returns how busy it still is, in percent.

    Figures of a busy machine are no good, and on a shared one it may never be quiet: `within_s`
    bounds the wait.
    """
    deadline_s = time.monotonic() + within_s
    psutil.cpu_percent()
    while True:
        await asyncio.sleep(1.0)
        percent = psutil.cpu_percent()
        if percent <= busy_percent or time.monotonic() > deadline_s:
            return percent
