"""How long results are missing when a node drains, and whether anybody is refused.

Two nodes, and clients that send a small moving picture each. First the second node is drained, so
that all are at the first one; then that is: what is measured is this move of all at once.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from analyzers.base_model import BaseModel
from bench.harness.nodes import NodeServer, running_nodes
from bench.harness.report import ROOT, Report, at_most
from client_test.client import Arrays, Client, Event

MAX_GAP_P95_S = 1.0
COLUMNS = (
    *("streams", "p50 ms:.0f", "p95 ms:.0f", "longest ms:.0f"),
    *("p95 without a move:.0f", "refused", "lost"),
)
WIDTH, HEIGHT, FPS = 320, 240, 15.0
# What is before the move, and after it, is in the window, too.
AROUND_S = 3.0
WITHIN_S = 120.0


class Counting(BaseModel):
    """Counts frames, and costs nearly nothing: what is measured is the move."""

    events = ("count",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def start(self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any) -> None:
        self._counts[sid] = 0

    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        self._counts[sid] += 1
        return {"count": self._counts[sid]}

    def save(self, sid: str) -> bytes:
        return str(self._counts[sid]).encode()

    def restore(self, sid: str, state: bytes) -> None:
        self._counts[sid] = int(state)

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        return {"total": self._counts.pop(sid)}


ANALYZER = f"{Counting.__module__}:{Counting.__name__}"


@dataclass(slots=True)
class Watched:
    """One client, when its results came, and what became of it."""

    client: Client
    events: list[Event]
    came_s: list[float] = field(default_factory=list)
    is_seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Take results until the session is over."""
        async for _ in self.client:
            self.came_s.append(time.monotonic())
            self.is_seen.set()

    def longest_gap_s(self, begin_s: float, end_s: float) -> float:
        """Between two results that follow each other, in a window of time."""
        inside = [begin_s, *(at for at in self.came_s if begin_s < at < end_s), end_s]
        return float(np.diff(inside).max())

    def times(self, code: str) -> int:
        """How often it was in a state."""
        return sum(each.code == code for each in self.events)

    @property
    def began_anew(self) -> bool:
        """Whether what was counted was lost."""
        return self.times("new_session") + self.times("analyzers_restarted") > 0


async def measure(asked: argparse.Namespace, report: Report) -> None:
    """Drain two nodes, one after the other, and say what the second move cost."""
    streams = asked.streams
    flags = ("--workers", "2", "--no-camera-enabled", "--analyzers", ANALYZER)
    table = report.table("Moving to another node", *COLUMNS)
    async with running_nodes(2, *flags) as server, contextlib.AsyncExitStack() as stack:
        watched = [await _joined(server, stack) for _ in range(streams)]
        await _drain(server, "01")
        quiet_s = time.monotonic()
        await asyncio.sleep(AROUND_S)
        begin_s = time.monotonic()
        quiet_ms = [1000 * each.longest_gap_s(quiet_s, begin_s) for each in watched]
        before = [each.times("reconnecting") for each in watched]
        await _drain(server, "00")
        await asyncio.sleep(AROUND_S)
        end_s = time.monotonic()
        gaps_ms = [1000 * each.longest_gap_s(begin_s, end_s) for each in watched]
        refused = sum(
            each.times("reconnecting") - known for each, known in zip(watched, before, strict=True)
        )
        lost = sum(each.began_anew for each in watched)
    p50, p95 = np.percentile(gaps_ms, (50, 95)).tolist()
    # What the machine is short of shows without a move, too.
    usual = float(np.percentile(quiet_ms, 95))
    table.add(streams, p50, p95, max(gaps_ms), usual, refused, lost)
    report.check(at_most("gap in results, p95, s", p95 / 1000, MAX_GAP_P95_S))
    report.check(at_most("clients that were refused", float(refused), 0))
    report.check(at_most("sessions that began anew", float(lost), 0))


async def _joined(server: NodeServer, stack: contextlib.AsyncExitStack) -> Watched:
    events: list[Event] = []
    client = await stack.enter_async_context(
        Client(server.url, Arrays(_pictures(), FPS), on_event=events.append)
    )
    watched = Watched(client, events)
    reading = asyncio.create_task(watched.read())
    stack.callback(reading.cancel)
    await asyncio.wait_for(watched.is_seen.wait(), WITHIN_S)
    return watched


def _pictures() -> Iterator[Any]:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    while True:
        picture[...] = np.roll(picture, 4, axis=1)
        picture[80:160, :8] += 40
        yield picture


async def _drain(server: NodeServer, node: str) -> None:
    """As somebody does who rolls out a version."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "drain", node),
        *("--port", str(urlsplit(server.url).port)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(said.decode())
