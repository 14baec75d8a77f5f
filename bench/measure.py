"""One run of the load against one server, and what several runs come to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.servers import ServerKind, run_load, running

WARM_UP_S = 2.0
# Connecting, loading models and the warm-up, beyond the window.
RUN_OVERHEAD_S = 150.0
# Latency at the beginning and at the end of a run is that of this long.
EDGE_S = 3.0
MEGABYTE = 1e6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """Raw figures of one run.

    Attributes
    ----------
    results
        One row per result of any stream: seconds since the window began, latency in ms; shape
        (n, 2).
    missing
        Frames sent within the window without a result within it: dropped, or not yet reached.
    """

    seconds: float
    streams: int
    results: Floats
    missing: int
    unread: int
    server_cpu_s: float
    client_cpu_s: float
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the runs of one server with one number of streams come to.

    Latencies are percentiles of all results of all runs; `first_ms` and `last_ms` are the p50 of
    the first and the last three seconds of the windows.
    """

    name: str
    streams: int
    results_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    first_ms: float
    last_ms: float
    missing_percent: float
    cpu_s_per_result: float
    client_cpu_percent: float
    peak_rss_mb: float

    @property
    def results_per_s_each(self) -> float:
        """Results per second of one stream, on average."""
        return self.results_per_s / self.streams


async def measure(kind: ServerKind, *, streams: int, seconds: float) -> Run:
    """Start the server anew, put the load on it and take the figures."""
    async with running(kind) as server:
        # Code and models are loaded by a first stream. Otherwise the baseline would begin with
        # the frames that waited meanwhile, and while it caught up it would give more results a
        # second than there are frames.
        await run_load(server, "--seconds", "1", timeout_s=RUN_OVERHEAD_S)
        text = await run_load(
            server,
            *("--streams", str(streams), "--seconds", str(seconds), "--warm-up", str(WARM_UP_S)),
            timeout_s=seconds + RUN_OVERHEAD_S,
        )
        server.tree.samples.append(server.tree.sample())
        report = json.loads(text)
        rows = [row for stream in report["streams"] for row in stream["results"]]
        unread = sum(stream["unread"] for stream in report["streams"])
        sent = sum(stream["sent"] for stream in report["streams"])
        return Run(
            seconds=report["seconds"],
            streams=streams,
            results=np.array(rows, dtype=np.float64).reshape(-1, 2),
            missing=max(0, sent - len(rows) - unread),
            unread=unread,
            server_cpu_s=server.tree.cpu_s(report["began_epoch_s"], report["seconds"]),
            client_cpu_s=report["client_cpu_s"],
            peak_rss_bytes=server.tree.peak_rss_bytes(),
        )


def summarize(name: str, runs: Sequence[Run]) -> Figures:
    """The figures of several runs of the same."""
    results = np.concatenate([run.results for run in runs])
    at_s, latency_ms = results[:, 0], results[:, 1]
    seconds = sum(run.seconds for run in runs)
    window_s = seconds / len(runs)
    count = max(len(results), 1)
    sent = count + sum(run.missing + run.unread for run in runs)
    p50, p95, p99 = np.percentile(latency_ms, (50, 95, 99)) if len(results) else (np.nan,) * 3
    return Figures(
        name=name,
        streams=runs[0].streams,
        results_per_s=len(results) / seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        first_ms=_median(latency_ms[at_s < EDGE_S]),
        last_ms=_median(latency_ms[at_s > window_s - EDGE_S]),
        missing_percent=100 * sum(run.missing for run in runs) / sent,
        cpu_s_per_result=sum(run.server_cpu_s for run in runs) / count,
        client_cpu_percent=100 * sum(run.client_cpu_s for run in runs) / seconds,
        peak_rss_mb=max(run.peak_rss_bytes for run in runs) / MEGABYTE,
    )


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")
