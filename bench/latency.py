"""Measures Kinecast against a server like aiortc's own example, or against another Kinecast.

A load client in processes of its own streams a numbered clip, 640x480 at 30 frames per second, by
several peers at once over loopback, to one server and the other in turn. Both run the same pose
model and read the number from the frame's corner, each server freshly started for each run. The
frames were encoded beforehand, so that the client takes next to nothing of the machine; latency is
from sending a frame to its result's arrival at the client. With --encode each stream has an encoder
in the client, and latency is from handing a frame to it.

Results per second are those that arrived within the window. A frame without a result in the window
is "missing": dropped by Kinecast, still waiting in the baseline. CPU time is that of all of the
server's processes; "media" is the one that the peers talk to. Memory is the sum of resident sets.

    bench/latency.py --soak 10 --cycles 200    everything, 25 minutes
    bench/latency.py --streams 1,4,8,16 --against ../kinecast-0.1
                                               another checkout's server instead of the baseline
    bench/latency.py --streams 8 --one-port    with all sessions on one UDP port, against one each
    bench/latency.py --streams 1 --url http://127.0.0.1:8083
                                               a server that runs already, by itself
    bench/latency.py --stop-worker 3 --stop-media 2
                                               only what is late when a process stands still so long
    bench/latency.py --annotated               only what annotated video costs, 3 minutes
    bench/latency.py --beside vitals --face    only what pose has of vitals beside it, and a face
                                               before the camera, 2 minutes

With --annotated, first the drawing alone, of the sample video with what pose and exercise find in
it, in this process, in CPU time: skeleton and card, and turning the picture into what the encoder
takes. Then one session in one worker gets the clip, in turns watched by nobody, drawn for a
listener that does nothing with it, and drawn and encoded as H264 for a viewer. Latency is from
handing a frame to the session to its result's arrival, so without network and codec.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from numpy.typing import NDArray

from bench.harness import checkout
from bench.harness.processes import (
    BASELINE,
    MEGABYTE,
    RunningServer,
    ServerKind,
    free_port,
    running,
    with_pose,
)
from bench.harness.report import (
    SAMPLE,
    Check,
    Report,
    Table,
    at_least,
    at_most,
    parser_for,
    run,
)
from bench.harness.stamped import RATE_HZ
from bench.harness.stream import encoded_clip, run_cycles, run_load
from bench.parts import standstill

SLOW_MODEL = "mock_model_2"
WARM_UP_S = 2.0
# Latency at the beginning and at the end of a run is that of this long.
EDGE_S = 3.0

MIN_RESULTS_PER_S = 29.0
MAX_P50_SHARE, MAX_P95_SHARE = 0.35, 0.65
MIN_RESULTS_EACH_LOADED, MAX_LAST_TO_FIRST = 20.0, 1.3
MAX_P95_LOADED_MS = 200.0
MIN_RATE_SHARE = 0.95
MAX_P50_BESIDE_SLOW, MAX_P50_BESIDE = 1.15, 1.05
MAX_MEMORY_GROWTH = 1.05
LOADED_STREAMS = (3, 4)

SOAK_STREAMS, MINUTE_S = 3, 60.0
# Whatever is made once and kept (threads of executors, caches) is made by the first few sessions.
WARM_UP_CYCLES = 10
CYCLE_LIMIT_S, START_LIMIT_S = 10.0, 60.0
SETTLE_LIMIT_S = 45.0
POLL_S = 0.5


COLUMNS = (
    *("streams", "server", "results/s:.1f", "each", "p50 ms:.1f", "p95 ms:.1f", "p99 ms:.1f"),
    *("first 3 s:.0f", "last 3 s:.0f", "missing %:.1f", "media CPU %:.0f", "workers CPU %:.0f"),
    *("CPU ms/result:.1f", "bytes/result:.0f", "peak MB:.0f", "client CPU %:.0f"),
)
# Of these one server is held against the other.
COMPARED = ("results/s", "p50 ms", "p95 ms", "last 3 s", "CPU ms/result", "bytes/result")


async def measure(
    kind: ServerKind, *, streams: int, seconds: float, packets: Path | None
) -> dict[str, Any]:
    """Start the server anew, put the load on it and take the figures.

    `results` has a row for each: seconds since the window began, latency in ms; `missing` are
    frames sent within it without a result within it: dropped, or not yet reached.
    """
    async with running(kind) as server:
        # Code and models are loaded by a first stream. Otherwise the baseline would begin with
        # the frames that waited meanwhile, and while it caught up it would give more results a
        # second than there are frames.
        await run_load(server.url, seconds=1, packets=packets)
        warm_up = ("--warm-up", WARM_UP_S, *kind.load)
        told = await run_load(
            server.url, *warm_up, streams=streams, seconds=seconds, packets=packets
        )
        server.tree.sample()
        cpu_s, media_s = server.tree.cpu_s(told["began_epoch_s"], told["seconds"])
        return _figures(told) | {
            "server_cpu_s": cpu_s,
            "media_cpu_s": media_s,
            "peak_mb": server.tree.peak_mb(),
        }


def _figures(told: dict[str, Any]) -> dict[str, Any]:
    rows = [row for stream in told["streams"] for row in stream["results"]]
    unread, sent, size = (
        sum(stream[key] for stream in told["streams"]) for key in ("unread", "sent", "bytes")
    )
    return told | {
        "results": np.array(rows, dtype=np.float64).reshape(-1, 2),
        "missing": max(0, sent - len(rows) - unread),
        "unread": unread,
        "bytes": size,
        # Of a server that runs elsewhere nobody knows.
        **dict.fromkeys(("server_cpu_s", "media_cpu_s", "peak_mb"), float("nan")),
    }


def summarize(name: str, streams: int, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table, by column: percentiles are of all results of all runs."""
    results = np.concatenate([run["results"] for run in runs])
    keys = ("seconds", "missing", "unread", "bytes", "server_cpu_s", "media_cpu_s", "client_cpu_s")
    seconds, missing, unread, size, server_s, media_s, client_s = (
        sum(run[key] for run in runs) for key in keys
    )
    each = [len(s["results"]) / run["seconds"] for run in runs for s in run["streams"]]
    at_s, latency_ms = results[:, 0], results[:, 1]
    count = max(len(results), 1)
    sent = count + missing + unread
    p50, p95, p99 = np.percentile(latency_ms, (50, 95, 99)) if len(results) else (np.nan,) * 3
    at_end = at_s > seconds / len(runs) - EDGE_S
    cells = (
        *(streams, name, len(results) / seconds, f"{min(each):.1f}..{max(each):.1f}"),
        *(p50, p95, p99, _median(latency_ms[at_s < EDGE_S]), _median(latency_ms[at_end])),
        *(100 * missing / sent, 100 * media_s / seconds, 100 * (server_s - media_s) / seconds),
        *(1000 * server_s / count, size / count),
        *(max(run["peak_mb"] for run in runs), 100 * client_s / seconds),
    )
    return dict(zip((column.partition(":")[0] for column in COLUMNS), cells, strict=True))


def ratios(ours: dict[str, Any], other: dict[str, Any]) -> list[object]:
    """A row of the table: ours, of the other's."""
    cells = [f"{ours[key] / other[key]:.2f}" if key in COMPARED else None for key in ours]
    return [ours["streams"], f"of {other['server']}", *cells[2:]]


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


async def _alternate(
    kinds: Sequence[ServerKind], report: Report, streams: int, asked: argparse.Namespace
) -> list[dict[str, Any]]:
    rounds, seconds, packets = asked.rounds, asked.seconds, asked.packets
    runs: dict[str, list[Any]] = {kind.name: [] for kind in kinds}
    for number in range(rounds):
        # Each goes first every other time.
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            one = await measure(kind, streams=streams, seconds=seconds, packets=packets)
            runs[kind.name].append(one)
            figures = summarize(kind.name, streams, [one])
            report.say(
                f"{streams} x {kind.name}, round {number + 1} of {rounds}:"
                f" {figures['results/s']:.1f}/s, p50 {figures['p50 ms']:.0f} ms,"
                f" p95 {figures['p95 ms']:.0f} ms, {one['unread']} unread"
            )
    return [summarize(kind.name, streams, runs[kind.name]) for kind in kinds]


async def measure_given(
    url: str, streams: int, asked: argparse.Namespace, report: Report
) -> list[object]:
    """A row of the table, of a server that runs already."""
    runs = []
    for number in range(asked.rounds):
        report.say(f"{streams} x {url}, round {number + 1} of {asked.rounds}")
        load = {"streams": streams, "seconds": asked.seconds, "packets": asked.packets}
        runs.append(_figures(await run_load(url, "--warm-up", WARM_UP_S, **load)))
    return list(summarize(url, streams, runs).values())


async def soak(minutes: float, packets: Path | None, report: Report) -> None:
    """Stream for more than a minute and watch the server's memory."""
    seconds = minutes * MINUTE_S
    report.say(f"{SOAK_STREAMS} streams for {minutes:g} minutes")
    async with running(with_pose()) as server:
        load = {"streams": SOAK_STREAMS, "seconds": seconds, "packets": packets}
        told = await run_load(server.url, **load)
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
    await run_cycles(server.url, count, count * CYCLE_LIMIT_S + START_LIMIT_S)
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
        yield at_least(each, ours["results/s"] / streams, MIN_RESULTS_EACH_LOADED)


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Everything that the command line asks for."""
    if asked.annotated:
        # It brings half of the server into this process.
        from bench.parts import annotated

        await annotated.bench(report, asked.turns)
        return
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        asked.packets = None
        if not asked.encode:
            clip = await _face(folder) if asked.face else SAMPLE
            asked.packets = await stack.enter_async_context(encoded_clip(clip))
        await _bench_streams(asked, report, folder)


async def _bench_streams(asked: argparse.Namespace, report: Report, folder: Path) -> None:
    other = checkout.server_of(asked.against, folder) if asked.against else None
    one_port = ("--ice-port", str(free_port())) if asked.one_port else ()
    if one_port:
        other = with_pose(name="a port each")
    stops = [("worker", asked.stop_worker), ("media process", asked.stop_media)]
    if any(stop_s for _, stop_s in stops):
        table = report.table("After a process stood still", *standstill.COLUMNS)
        for what, stop_s in stops:
            for kind in (with_pose(), other):
                if stop_s and kind:
                    report.say(f"{kind.name}: the {what} stands still for {stop_s:g} s")
                    table.add(*await standstill.measure(what, stop_s, kind, asked.packets))
        return
    rounds, seconds = asked.rounds, asked.seconds
    report.settings = [f"Rounds: {rounds}, windows of {seconds:g} s, the servers in turn"]
    table = report.table("Latency and throughput", *COLUMNS)
    if asked.beside:
        await _measure_beside(asked.beside, MAX_P50_BESIDE, asked, report, table)
        return
    for streams in asked.streams:
        if asked.url:
            table.add(*await measure_given(asked.url, streams, asked, report))
            continue
        ours = replace(with_pose(), load=("--compact",)) if asked.compact else with_pose()
        ours = replace(ours, arguments=(*ours.arguments, *one_port))
        ours, others = await _alternate((ours, other or BASELINE), report, streams, asked)
        table.add(*ours.values())
        table.add(*others.values())
        table.add(*ratios(ours, others))
        report.check(check_streams(ours, others) if other is None else ())
    if other is None and not asked.url and not asked.skip_slow_model:
        await _measure_beside(SLOW_MODEL, MAX_P50_BESIDE_SLOW, asked, report, table)
    if asked.soak:
        await soak(asked.soak, asked.packets, report)
    if asked.cycles:
        await cycles(asked.cycles, report)


async def _measure_beside(
    name: str, most: float, asked: argparse.Namespace, report: Report, table: Table
) -> None:
    """Pose alone, and pose with another analyzer that does not follow it, in turn."""
    kinds = (with_pose(name="pose alone"), with_pose(name, name=f"pose and {name}"))
    alone, beside = await _alternate(kinds, report, 1, asked)
    table.add(*alone.values())
    table.add(*beside.values())
    what = "a model of 1 s" if name == SLOW_MODEL else name
    share = beside["p50 ms"] / alone["p50 ms"]
    report.check(at_most(f"beside {what}: p50, of pose alone", share, most))


async def _face(folder: Path) -> Path:
    """A clip of a face before the camera, which has a pulse."""
    # It brings networks with it that nothing else here needs.
    from bench.parts.faces import actor, portrait
    from bench.parts.vitals_codec import write
    from bench.parts.vitals_scene import Scene, frames

    clip = folder / "face.mp4"
    await asyncio.to_thread(
        lambda: write(frames(actor(portrait()), Scene(seconds=20.0)), clip, round(RATE_HZ))
    )
    return clip


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--streams", type=_numbers, default=[1, 2, 3, 4], metavar="N,N")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each run's window")
    parser.add_argument(
        "--compact", action="store_true", help="results as CBOR, droppable, from this server"
    )
    parser.add_argument("--encode", action="store_true", help="in the client, as it streams")
    parser.add_argument("--against", type=checkout.named, metavar="PATH", help="another checkout")
    parser.add_argument("--one-port", action="store_true", help="what --ice-port costs")
    parser.add_argument("--url", help="of a server that runs already: only this one")
    parser.add_argument("--stop-worker", type=float, default=0.0, metavar="S", help="by SIGSTOP")
    parser.add_argument("--stop-media", type=float, default=0.0, metavar="S", help="by SIGSTOP")
    parser.add_argument("--beside", metavar="NAME", help="only pose beside this analyzer")
    parser.add_argument("--face", action="store_true", help="stream a face before the camera")
    parser.add_argument("--skip-slow-model", action="store_true")
    parser.add_argument("--soak", type=_minutes, metavar="MINUTES", help="watch memory for so long")
    parser.add_argument("--cycles", type=int, metavar="N", help="connect, stream and leave N times")
    parser.add_argument("--annotated", action="store_true", help="only annotated video")
    parser.add_argument("--turns", type=int, default=20, help="of annotated video, 6 s each (20)")
    return run("Benchmarks", parser.parse_args(), bench)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _minutes(text: str) -> float:
    minutes = float(text)
    if minutes <= 1:
        raise argparse.ArgumentTypeError("memory is held against the first minute's: give more")
    return minutes


if __name__ == "__main__":
    sys.exit(main())
