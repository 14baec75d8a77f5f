"""Measures Kinecast against a server written like aiortc's own example.

A load client in a process of its own streams a numbered clip, 640x480 at 30 frames per second, by
1, 2, 3 and 4 peers at once over loopback, to Kinecast and to the baseline in turn. Both run the
same pose model and read the number from the frame's corner, each server freshly started for each
run. Latency is from handing a frame to the encoder to its result's arrival at the client.

Results per second are those that arrived within the window. A frame without a result in the window
is "missing": dropped by Kinecast, still waiting in the baseline. CPU time is that of all of the
server's processes, memory the sum of their resident sets.

    bench/latency.py --soak 10 --cycles 200    everything, 25 minutes
    bench/latency.py --annotated               only what annotated video costs, 3 minutes

With --annotated, first the drawing alone, of the sample video with what pose and exercise find in
it, in this process, in CPU time: skeleton and card, and turning the picture into what the encoder
takes. Then one session in one worker gets the clip, in turns watched by nobody, drawn for a
listener that does nothing with it, and drawn and encoded as H264 for a viewer. Latency is from
handing a frame to the session to its result's arrival, so without network and codec.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from numpy.typing import NDArray

from bench.harness.processes import (
    BASELINE,
    MEGABYTE,
    RunningServer,
    ServerKind,
    running,
    with_pose,
)
from bench.harness.report import Check, Report, at_least, at_most, parser_for, run
from bench.harness.stream import run_load

SLOW_MODEL = "mock_model_2"
WARM_UP_S = 2.0
# Latency at the beginning and at the end of a run is that of this long.
EDGE_S = 3.0

MIN_RESULTS_PER_S = 29.0
MAX_P50_SHARE, MAX_P95_SHARE = 0.35, 0.65
MIN_RESULTS_EACH_LOADED, MAX_LAST_TO_FIRST = 20.0, 1.3
MAX_P95_LOADED_MS = 200.0
MIN_RATE_SHARE = 0.95
MAX_P50_BESIDE_SLOW = 1.15
MAX_MEMORY_GROWTH = 1.05
LOADED_STREAMS = (3, 4)

SOAK_STREAMS, MINUTE_S = 3, 60.0
# Whatever is made once and kept (threads of executors, caches) is made by the first few sessions.
WARM_UP_CYCLES = 10
CYCLE_LIMIT_S = 10.0
SETTLE_LIMIT_S = 45.0
POLL_S = 0.5

COLUMNS = (
    *("streams", "server", "results/s:.1f", "each:.1f", "p50 ms:.1f", "p95 ms:.1f", "p99 ms:.1f"),
    *("first 3 s:.0f", "last 3 s:.0f", "missing %:.1f", "CPU ms/result:.1f", "peak MB:.0f"),
    "client CPU %:.0f",
)


async def measure(kind: ServerKind, *, streams: int, seconds: float) -> dict[str, Any]:
    """Start the server anew, put the load on it and take the figures.

    `results` has a row for each: seconds since the window began, latency in ms; `missing` are
    frames sent within it without a result within it: dropped, or not yet reached.
    """
    async with running(kind) as server:
        # Code and models are loaded by a first stream. Otherwise the baseline would begin with
        # the frames that waited meanwhile, and while it caught up it would give more results a
        # second than there are frames.
        await run_load(server, "--seconds", 1, timeout_s=1)
        asked = ("--streams", streams, "--seconds", seconds, "--warm-up", WARM_UP_S)
        told = await run_load(server, *asked, timeout_s=seconds)
        server.tree.sample()
        rows = [row for stream in told["streams"] for row in stream["results"]]
        unread, sent = (
            sum(stream[key] for stream in told["streams"]) for key in ("unread", "sent")
        )
        return told | {
            "results": np.array(rows, dtype=np.float64).reshape(-1, 2),
            "missing": max(0, sent - len(rows) - unread),
            "unread": unread,
            "server_cpu_s": server.tree.cpu_s(told["began_epoch_s"], told["seconds"]),
            "peak_mb": server.tree.peak_mb(),
        }


def summarize(name: str, streams: int, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table, by column: percentiles are of all results of all runs."""
    results = np.concatenate([run["results"] for run in runs])
    seconds, missing, unread, server_cpu_s, client_cpu_s = (
        sum(run[key] for run in runs)
        for key in ("seconds", "missing", "unread", "server_cpu_s", "client_cpu_s")
    )
    at_s, latency_ms = results[:, 0], results[:, 1]
    count = max(len(results), 1)
    sent = count + missing + unread
    p50, p95, p99 = np.percentile(latency_ms, (50, 95, 99)) if len(results) else (np.nan,) * 3
    rate, at_end = len(results) / seconds, at_s > seconds / len(runs) - EDGE_S
    cells = (
        *(streams, name, rate, rate / streams, p50, p95, p99),
        *(_median(latency_ms[at_s < EDGE_S]), _median(latency_ms[at_end])),
        *(100 * missing / sent, 1000 * server_cpu_s / count),
        *(max(run["peak_mb"] for run in runs), 100 * client_cpu_s / seconds),
    )
    return dict(zip((column.partition(":")[0] for column in COLUMNS), cells, strict=True))


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


async def _alternate(
    kinds: Sequence[ServerKind], report: Report, streams: int, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    runs: dict[str, list[Any]] = {kind.name: [] for kind in kinds}
    for number in range(rounds):
        # Each goes first every other time.
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            one = await measure(kind, streams=streams, seconds=seconds)
            runs[kind.name].append(one)
            figures = summarize(kind.name, streams, [one])
            report.say(
                f"{streams} x {kind.name}, round {number + 1} of {rounds}:"
                f" {figures['results/s']:.1f}/s, p50 {figures['p50 ms']:.0f} ms,"
                f" p95 {figures['p95 ms']:.0f} ms, {one['unread']} unread"
            )
    return [summarize(kind.name, streams, runs[kind.name]) for kind in kinds]


async def soak(minutes: float, report: Report) -> None:
    """Stream for more than a minute and watch the server's memory."""
    seconds = minutes * MINUTE_S
    report.say(f"{SOAK_STREAMS} streams for {minutes:g} minutes")
    async with running(with_pose()) as server:
        asked = ("--streams", SOAK_STREAMS, "--seconds", seconds)
        told = await run_load(server, *asked, timeout_s=seconds)
        began_s = told["began_epoch_s"]
        first_mb = server.tree.peak_mb(0.0, began_s + MINUTE_S)
        later_mb = server.tree.peak_mb(began_s + MINUTE_S, began_s + seconds)
    what = f"{minutes:g} min, {SOAK_STREAMS} streams: peak memory, of first minute's"
    report.check(at_most(what, later_mb / first_mb, MAX_MEMORY_GROWTH))
    report.notes.append(
        f"Peak memory over {minutes:g} minutes at {SOAK_STREAMS} streams: {first_mb:.0f} MB in the"
        f" first minute, {later_mb:.0f} MB after it."
    )


async def cycles(count: int, report: Report) -> None:
    """Connect, stream and leave many times and compare what the server holds."""
    report.say(f"{count} sessions, one after the other")
    async with running(with_pose()) as server:
        before, before_mb = await _holdings_after(server, WARM_UP_CYCLES)
        after, after_mb = await _holdings_after(server, count)
    for what, had in before.items():
        has = after[what]
        report.check(Check(f"{count} cycles: {what}", f"back to {had}", str(has), has <= had))
    report.notes.append(
        f"Resident memory before and after {count} sessions: {before_mb:.0f} MB, {after_mb:.0f} MB."
    )


async def _holdings_after(server: RunningServer, count: int) -> tuple[dict[str, int], float]:
    await run_load(server, "--cycles", count, timeout_s=count * CYCLE_LIMIT_S)
    async with asyncio.timeout(SETTLE_LIMIT_S):
        remaining = await server.sessions()
        while remaining:
            await asyncio.sleep(POLL_S)
            remaining = await server.sessions()
    return server.tree.holdings(), server.tree.sample().rss_bytes / MEGABYTE


def check_streams(ours: dict[str, Any], baseline: dict[str, Any]) -> Iterator[Check]:
    """The targets for one number of streams."""
    streams = ours["streams"]
    of = {key: ours[key] / baseline[key] for key in ("p50 ms", "p95 ms", "results/s")}
    if streams == 1:
        yield at_least("1 stream: results/s", ours["results/s"], MIN_RESULTS_PER_S)
        yield at_most("1 stream: p50, of baseline's", of["p50 ms"], MAX_P50_SHARE)
        yield at_most("1 stream: p95, of baseline's", of["p95 ms"], MAX_P95_SHARE)
    if streams in LOADED_STREAMS:
        growth = ours["last 3 s"] / ours["first 3 s"]
        yield at_most(
            f"{streams} streams: p50 of last 3 s, of first 3 s", growth, MAX_LAST_TO_FIRST
        )
        yield at_most(f"{streams} streams: p95, ms", ours["p95 ms"], MAX_P95_LOADED_MS)
        yield at_least(
            f"{streams} streams: results/s, of baseline's", of["results/s"], MIN_RATE_SHARE
        )
        each = f"{streams} streams: results/s of each"
        yield at_least(each, ours["each"], MIN_RESULTS_EACH_LOADED)


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    if asked.annotated:
        # It brings half of the server into this process.
        from bench.parts import annotated

        await annotated.bench(report, asked.turns)
        return
    rounds, seconds = asked.rounds, asked.seconds
    report.settings = [f"Rounds: {rounds}, windows of {seconds:g} s, the servers in turn"]
    table = report.table("Latency and throughput", *COLUMNS)
    for streams in asked.streams:
        kinds = (with_pose(), BASELINE)
        ours, baseline = await _alternate(kinds, report, streams, rounds, seconds)
        table.add(*ours.values())
        table.add(*baseline.values())
        report.check(check_streams(ours, baseline))
    if not asked.skip_slow_model:
        slow = with_pose(SLOW_MODEL, name=f"pose and {SLOW_MODEL}")
        kinds = (with_pose(name="pose alone"), slow)
        alone, beside = await _alternate(kinds, report, 1, rounds, seconds)
        table.add(*alone.values())
        table.add(*beside.values())
        what = "beside a model of 1 s: p50, of pose alone"
        share = beside["p50 ms"] / alone["p50 ms"]
        report.check(at_most(what, share, MAX_P50_BESIDE_SLOW))
    if asked.soak:
        await soak(asked.soak, report)
    if asked.cycles:
        await cycles(asked.cycles, report)


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 2, 3, 4], metavar="N")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run's window")
    parser.add_argument("--skip-slow-model", action="store_true")
    parser.add_argument("--soak", type=_minutes, metavar="MINUTES", help="watch memory for so long")
    parser.add_argument("--cycles", type=int, metavar="N", help="connect, stream and leave N times")
    parser.add_argument("--annotated", action="store_true", help="only annotated video")
    parser.add_argument("--turns", type=int, default=20, help="of annotated video, 6 s each (20)")
    return run("Benchmarks", parser.parse_args(), bench)


def _minutes(text: str) -> float:
    minutes = float(text)
    if minutes <= 1:
        raise argparse.ArgumentTypeError("memory is held against the first minute's: give more")
    return minutes


if __name__ == "__main__":
    sys.exit(main())
