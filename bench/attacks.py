"""What clients that mean no good cost everybody else, with the server's limits and without them.

Each attack runs in a process of its own against a server that serves one stream (640x480 at 30
frames a second) and somebody who asks for /health twenty times a second from another address. For
the time before, during and after the attack: the memory and the descriptors of the server's
process, how long /health took, and the stream's results and latency.

    slow-loris   2000 clients at 500 addresses send the head of a request a line a second
    never-read   50 clients at as many addresses ask over WebSockets and never read an answer
    crowd        one address opens 10 000 connections in a row and leaves them open

    .venv/bin/python bench/attacks.py                    # 7 minutes
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.attackers import ATTACKS  # noqa: E402
from bench.report import machine, markdown_table, rich_table  # noqa: E402
from bench.servers import BARCODE, ServerKind, run_load, running  # noqa: E402

BEFORE_S, ATTACK_S, AFTER_S = 8.0, 30.0, 12.0
# Between two phases things change; what is measured within this of a change is left out.
EDGE_S = 1.0
WARM_UP_S = 2.0
PROBE_EVERY_S = 0.05
SAMPLE_EVERY_S = 0.25
# The address of who asks for /health; no attacker has it.
BYSTANDER = "127.0.0.2"
PROBE_TIMEOUT_S = 10.0
# What a server without these limits has: aiohttp waits for ever, and takes what comes.
WITHOUT = (
    *("--connections-per-address", "0", "--max-connections", "1000000"),
    *("--handshake-timeout", "24h", "--body-timeout", "24h", "--write-timeout", "24h"),
)
COLUMNS = (
    "attack",
    "limits",
    "phase",
    "RSS MB",
    "descriptors",
    "/health p50 ms",
    "p95 ms",
    "failed",
    "stream p95 ms",
    "results/s",
)


@dataclass(slots=True)
class Watch:
    """What was seen, each with its time."""

    rss_mb: list[tuple[float, float]] = field(default_factory=list)
    descriptors: list[tuple[float, float]] = field(default_factory=list)
    probes_ms: list[tuple[float, float]] = field(default_factory=list)
    failures: list[tuple[float, float]] = field(default_factory=list)
    results_ms: list[tuple[float, float]] = field(default_factory=list)


async def sample(pid: int, watch: Watch) -> None:
    """Look at the server's process."""
    process = psutil.Process(pid)
    while True:
        now_s = time.monotonic()
        watch.rss_mb.append((now_s, process.memory_info().rss / 1e6))
        watch.descriptors.append((now_s, float(process.num_fds())))
        await asyncio.sleep(SAMPLE_EVERY_S)


async def probe(url: str, watch: Watch) -> None:
    """Ask for /health, each time on a new connection."""
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
    while True:
        connector = aiohttp.TCPConnector(local_addr=(BYSTANDER, 0), force_close=True)
        began_s = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as http,
                http.get(f"{url}/health") as response,
            ):
                await response.read()
                response.raise_for_status()
            watch.probes_ms.append((began_s, (time.monotonic() - began_s) * 1000))
        except (aiohttp.ClientError, OSError, TimeoutError):
            watch.failures.append((began_s, 1.0))
        await asyncio.sleep(PROBE_EVERY_S)


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


async def let_loose(name: str, port: int) -> dict[str, int]:
    """Run the attackers; returns what they tell."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.attackers", name, str(port), str(ATTACK_S)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    told: dict[str, int] = json.loads(out)
    return told


async def measure(name: str, flags: Sequence[str]) -> tuple[Watch, float, float, dict[str, int]]:
    """One attack on one server: what was seen, when it began and ended, what the attackers saw."""
    kind = ServerKind(
        "kinecast",
        "websocket",
        ("-m", "server", "--analyzers", f"pose,{BARCODE}", "--workers", "1", *flags),
    )
    watch = Watch()
    whole_s = BEFORE_S + ATTACK_S + AFTER_S
    async with running(kind) as server:
        port = int(server.url.rsplit(":", 1)[1])
        load = asyncio.create_task(
            run_load(
                server,
                *("--streams", "1", "--seconds", str(whole_s), "--warm-up", str(WARM_UP_S)),
                timeout_s=whole_s + 60,
            )
        )
        await until_streaming(server.url, load)
        await asyncio.sleep(WARM_UP_S)
        window_s = time.monotonic()
        async with in_background(sample(server.tree.pid, watch), probe(server.url, watch)):
            await asyncio.sleep(BEFORE_S)
            began_s = time.monotonic()
            told = await let_loose(name, port)
            ended_s = time.monotonic()
            await asyncio.sleep(AFTER_S)
        (stream,) = json.loads(await load)["streams"]
        watch.results_ms = [(window_s + t, ms) for t, ms in stream["results"]]
    return watch, began_s, ended_s, told


async def until_streaming(url: str, load: "asyncio.Task[str]") -> None:
    """Wait for the stream's first results."""
    async with aiohttp.ClientSession() as http:
        while not load.done():
            async with http.get(f"{url}/sessions") as response:
                sessions = (await response.json())["sessions"]
            if any(session["analyzed"] for session in sessions):
                return
            await asyncio.sleep(0.1)
    load.result()


def within(pairs: Iterable[tuple[float, float]], from_s: float, to_s: float) -> list[float]:
    """The values of a phase."""
    return [value for at_s, value in pairs if from_s <= at_s < to_s]


def rows(
    name: str, limits: str, watch: Watch, began_s: float, ended_s: float
) -> list[tuple[str, ...]]:
    """One row for each phase."""
    phases = (
        ("before", began_s - BEFORE_S + EDGE_S, began_s - EDGE_S),
        ("during", began_s + EDGE_S, ended_s - EDGE_S),
        ("after", ended_s + EDGE_S, ended_s + AFTER_S - EDGE_S),
    )
    table = []
    for phase, from_s, to_s in phases:
        probes = within(watch.probes_ms, from_s, to_s)
        results = within(watch.results_ms, from_s, to_s)
        table.append(
            (
                name,
                limits,
                phase,
                figure(within(watch.rss_mb, from_s, to_s), 100),
                figure(within(watch.descriptors, from_s, to_s), 100),
                figure(probes, 50),
                figure(probes, 95),
                str(len(within(watch.failures, from_s, to_s))),
                figure(results, 95),
                f"{len(results) / (to_s - from_s):.1f}",
            )
        )
    return table


def figure(values: Sequence[float], percentile: float) -> str:
    """A percentile; 100 is the most."""
    return f"{np.percentile(values, percentile):.0f}" if values else "-"


async def run(names: Sequence[str], console: Console) -> tuple[list[tuple[str, ...]], list[str]]:
    """Measure each attack without limits and with them: the table's rows, and what else to say."""
    table, notes = [], []
    for name in names:
        for limits, flags in (("none", WITHOUT), ("default", ())):
            watch, began_s, ended_s, told = await measure(name, flags)
            table += rows(name, limits, watch, began_s, ended_s)
            notes.append(
                f"{name}, limits {limits}: {told['opened']} connections opened,"
                f" {told['ended_by_server']} ended by the server, {told['open_at_end']} open when"
                " the attack ended"
            )
            console.print(notes[-1], highlight=False)
    return table, notes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--attack", choices=ATTACKS, action="append", help="only this; repeatable")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    arguments = parser.parse_args()
    console = Console(width=160)
    table, notes = asyncio.run(run(arguments.attack or list(ATTACKS), console))
    console.print(rich_table("Attacks", COLUMNS, table))
    if arguments.markdown is not None:
        parts = (
            "\n".join(f"- {line}" for line in machine()),
            markdown_table(COLUMNS, table),
            "\n".join(f"- {note}" for note in notes),
        )
        arguments.markdown.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
