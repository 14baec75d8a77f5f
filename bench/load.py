"""Measures the older APIs' sockets: many that send at once, many that are idle, one in a hurry.

- 50 clients of the pose API send 10 pictures of 640x480 a second each, more than two cores analyze:
  every one must be answered, and memory must stay flat.
- 500 sockets are open and say nothing: what they cost in memory.
- One client of the exercise scoring API sends 15 pictures a second: how many answers are there
  within the 50 ms that the API promises to aim at.

Each part starts a server of its own and runs its clients in one other process on the same machine.
Memory is the sum of the resident sets of the server's processes.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from rich.console import Console

from bench.measure import MEGABYTE
from bench.report import CHECK_COLUMNS, machine, markdown_table, rich_table
from bench.servers import ROOT, RunningServer, ServerKind, running
from bench.targets import Check, at_least, at_most

POSE, SCORING = "/ws", "/api/ai/realtime"
MAX_IDLE_MB = 60.0
WITHIN_MS = 50.0
MIN_SHARE_WITHIN = 0.95
MAX_MEMORY_GROWTH = 1.05
# Until then workers and allocators have taken what they need.
SETTLED_AFTER_S = 10.0
OVERHEAD_S = 60.0
# What has just started, or been opened, still does something.
SETTLE_S = 3.0

COLUMNS = (
    "part",
    "sockets",
    "sent/s",
    "answers/s",
    "least of a socket",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "MB before",
    "MB after",
    "server CPU %",
    "client CPU %",
)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What clients that send saw, and what the server needed for it."""

    latencies_ms: list[list[float]]
    sent: int
    errors: int
    closed: int
    seconds: float
    settled_mb: float
    peak_later_mb: float
    server_cpu_s: float
    client_cpu_s: float

    @property
    def all_ms(self) -> list[float]:
        return [ms for each in self.latencies_ms for ms in each]

    @property
    def unanswered(self) -> int:
        """Sockets without a single answer."""
        return sum(not each for each in self.latencies_ms)


def server_kind(sockets: int) -> ServerKind:
    """A server as it comes, with room for so many clients of one address."""
    return ServerKind(
        "kinecast",
        "websocket",
        (
            *("-m", "server", "--max-sessions", str(sockets + 1)),
            *("--connections-per-address", "0", "--idle-timeout", "1h"),
        ),
    )


async def stream(path: str, *, sockets: int, fps: float, seconds: float) -> Streamed:
    """Let clients send to a fresh server."""
    async with running(server_kind(sockets)) as server:
        command = _command(server, path, sockets, "--fps", str(fps), "--seconds", str(seconds))
        if path == SCORING:
            command.append("--base64")
        async with _client(command) as process, asyncio.timeout(seconds + OVERHEAD_S):
            output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"the load on {path} failed")
        report = json.loads(output)
        server.tree.samples.append(server.tree.sample())
        began_s, lasted_s = report["began_epoch_s"], report["seconds"]
        settled_s = began_s + min(SETTLED_AFTER_S, lasted_s / 2)
        clients = report["clients"]
        return Streamed(
            latencies_ms=[client["latencies_ms"] for client in clients],
            sent=sum(client["sent"] for client in clients),
            errors=sum(client["errors"] for client in clients),
            closed=sum(client["closed"] is not None for client in clients),
            seconds=lasted_s,
            settled_mb=server.tree.peak_rss_bytes(began_s, settled_s) / MEGABYTE,
            peak_later_mb=server.tree.peak_rss_bytes(settled_s, began_s + lasted_s) / MEGABYTE,
            server_cpu_s=server.tree.cpu_s(began_s, lasted_s),
            client_cpu_s=report["client_cpu_s"],
        )


async def idle(path: str, *, sockets: int) -> tuple[float, float]:
    """Memory before and with sockets that say nothing, in MB."""
    async with running(server_kind(1)) as server:
        await asyncio.sleep(SETTLE_S)
        before = server.tree.sample().rss_bytes
        async with _client(_command(server, path, sockets, "--idle")) as process:
            assert process.stdout is not None
            async with asyncio.timeout(OVERHEAD_S):
                if not await process.stdout.readline():
                    raise RuntimeError(f"{sockets} sockets on {path} could not be opened")
            await asyncio.sleep(SETTLE_S)
            after = server.tree.sample().rss_bytes
            await process.communicate(b"\n")
    return before / MEGABYTE, after / MEGABYTE


def _command(server: RunningServer, path: str, sockets: int, *more: str) -> list[str]:
    url = server.url.replace("http", "ws", 1) + path
    return ["-m", "bench.socket_clients", "--url", url, "--sockets", str(sockets), *more]


@asynccontextmanager
async def _client(command: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def check_many(streamed: Streamed) -> list[Check]:
    """The targets for many sockets that send."""
    count = len(streamed.latencies_ms)
    growth = streamed.peak_later_mb / streamed.settled_mb
    return [
        Check(
            f"{count} sockets: each is answered and none is closed",
            "0 of them",
            f"{streamed.unanswered} silent, {streamed.closed} closed, {streamed.errors} errors",
            not (streamed.unanswered or streamed.closed or streamed.errors),
        ),
        at_most(f"{count} sockets: peak memory, of the first 10 s", growth, MAX_MEMORY_GROWTH),
    ]


def row(part: str, streamed: Streamed) -> tuple[str, ...]:
    """A line of the table."""
    latencies_ms = streamed.all_ms or [float("nan")]
    return (
        part,
        str(len(streamed.latencies_ms)),
        f"{streamed.sent / streamed.seconds:.0f}",
        f"{len(streamed.all_ms) / streamed.seconds:.1f}",
        f"{min(map(len, streamed.latencies_ms)) / streamed.seconds:.1f}",
        *(f"{value:.1f}" for value in np.percentile(latencies_ms, (50, 95, 99))),
        f"{streamed.settled_mb:.0f}",
        f"{streamed.peak_later_mb:.0f}",
        f"{100 * streamed.server_cpu_s / streamed.seconds:.0f}",
        f"{100 * streamed.client_cpu_s / streamed.seconds:.0f}",
    )


async def bench(arguments: argparse.Namespace) -> tuple[list[tuple[str, ...]], list[Check]]:
    """All parts, or those that the command line asks for."""
    rows: list[tuple[str, ...]] = []
    checks: list[Check] = []
    if "hurry" in arguments.parts:
        hurry = await stream(SCORING, sockets=1, fps=15, seconds=arguments.seconds)
        within = sum(ms <= WITHIN_MS for ms in hurry.all_ms) / max(hurry.sent, 1)
        rows.append(row("scoring", hurry))
        checks.append(
            at_least("scoring at 15/s: answers within 50 ms, of sent", within, MIN_SHARE_WITHIN)
        )
    if "idle" in arguments.parts:
        before_mb, after_mb = await idle(POSE, sockets=arguments.idle)
        rows.append(
            ("idle", str(arguments.idle), *["-"] * 6, f"{before_mb:.0f}", f"{after_mb:.0f}", *"--")
        )
        checks.append(
            at_most(f"{arguments.idle} idle sockets, MB", after_mb - before_mb, MAX_IDLE_MB)
        )
    if "many" in arguments.parts:
        many = await stream(POSE, sockets=arguments.sockets, fps=10, seconds=arguments.seconds)
        rows.append(row("pose", many))
        checks += check_many(many)
    return rows, checks


def main() -> int:
    """Run the bench; returns the exit status: 1 if a part failed, not if a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", default=["hurry", "idle", "many"], metavar="PART")
    parser.add_argument("--sockets", type=int, default=50, help="that send")
    parser.add_argument("--idle", type=int, default=500, help="sockets that do not")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each window")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        rows, checks = asyncio.run(bench(arguments))
    except (RuntimeError, TimeoutError) as error:
        console.print(f"Ended early: {error or 'a part took too long'}")
        return 1
    verdicts: list[Any] = [
        (c.what, c.asked, c.measured, "reached" if c.reached else "falls short") for c in checks
    ]
    console.print(rich_table("Sockets of the older APIs", COLUMNS, rows))
    console.print(rich_table("Targets", CHECK_COLUMNS, verdicts))
    if arguments.markdown:
        parts = [
            "# Sockets of the older APIs",
            "Made by `bench/load.py`, which says in its help what it measures.",
            "\n".join(f"- {line}" for line in machine()),
            markdown_table(COLUMNS, rows),
            markdown_table(CHECK_COLUMNS, verdicts),
        ]
        arguments.markdown.write_text("\n\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
