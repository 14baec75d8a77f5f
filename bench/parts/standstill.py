"""A process of the server stands still for seconds: how old are the frames of what comes after it.

It is stopped by SIGSTOP while eight peers stream. Counted are the streams that had no result
meanwhile: of a worker its own, of the media process all.
"""

import asyncio
import signal
import time
from pathlib import Path

import numpy as np

from bench.harness.processes import ServerKind, running
from bench.harness.stream import run_load

STREAMS, BEFORE_S, AFTER_S = 8, 3.0, 4.0
# What was on its way when the process was stopped still arrives.
UNDER_WAY_S = 0.3
COLUMNS = (
    *("what stood still", "server", "s:.0f", "streams", "of them silent"),
    *("first result after it, ms:.0f", "its frame's age, ms:.0f", "the oldest's, ms:.0f"),
)


async def measure(what: str, stop_s: float, kind: ServerKind, packets: Path | None) -> list[object]:
    """Stop the media process, or the busiest worker; a row of the table."""
    async with running(kind) as server:
        await run_load(server.url, seconds=1, packets=packets)
        between_s: list[float] = []

        async def stop() -> None:
            await asyncio.sleep(BEFORE_S)
            is_worker = what == "worker"
            process = server.tree.busiest_child() if is_worker else server.tree.root
            process.send_signal(signal.SIGSTOP)
            try:
                between_s.append(time.monotonic())
                await asyncio.sleep(stop_s)
            finally:
                between_s.append(time.monotonic())
                process.send_signal(signal.SIGCONT)

        told = await run_load(
            server.url,
            streams=STREAMS,
            seconds=BEFORE_S + stop_s + AFTER_S,
            packets=packets,
            during=stop,
        )
    stopped_s, went_on_s = (at_s - told["began_s"] for at_s in between_s)
    silent, first_ms, age_ms = 0, [], []
    for stream in told["streams"]:
        while_stopped = [t for t, _ in stream["results"] if stopped_s + UNDER_WAY_S < t < went_on_s]
        after = [(t, ms) for t, ms in stream["results"] if t >= went_on_s]
        if while_stopped or not after:
            silent += not while_stopped
            continue
        silent += 1
        first_ms.append((after[0][0] - went_on_s) * 1000)
        age_ms.append(after[0][1])
    oldest = max(age_ms, default=float("nan"))
    medians = (
        float(np.median(values)) if values else float("nan") for values in (first_ms, age_ms)
    )
    return [what, kind.name, stop_s, STREAMS, silent, *medians, oldest]
