"""Whether memory stays flat over minutes, and everything is given back after many sessions."""

import asyncio
import json
from dataclasses import dataclass

from bench.measure import MEGABYTE, RUN_OVERHEAD_S
from bench.process_tree import Holdings
from bench.servers import RunningServer, kinecast, run_load, running, sessions_open

SOAK_STREAMS = 3
MINUTE_S = 60.0
# Whatever is made once and kept (threads of executors, caches) is made by the first few sessions.
WARM_UP_CYCLES = 10
CYCLE_LIMIT_S = 10.0
SETTLE_LIMIT_S = 45.0
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """Peak resident memory of the server in the first minute of streaming and after it."""

    minutes: float
    streams: int
    peak_first_minute_mb: float
    peak_later_mb: float


@dataclass(frozen=True, slots=True)
class CyclesFigures:
    """What the server held before and after many sessions."""

    count: int
    before: Holdings
    after: Holdings


async def soak(minutes: float) -> SoakFigures:
    """Stream for more than a minute and watch the server's memory."""
    seconds = minutes * MINUTE_S
    async with running(kinecast()) as server:
        text = await run_load(
            server,
            *("--streams", str(SOAK_STREAMS), "--seconds", str(seconds)),
            timeout_s=seconds + RUN_OVERHEAD_S,
        )
        began_s = json.loads(text)["began_epoch_s"]
        minute_ends_s = began_s + MINUTE_S
        return SoakFigures(
            minutes=minutes,
            streams=SOAK_STREAMS,
            peak_first_minute_mb=server.tree.peak_rss_bytes(0.0, minute_ends_s) / MEGABYTE,
            peak_later_mb=server.tree.peak_rss_bytes(minute_ends_s, began_s + seconds) / MEGABYTE,
        )


async def cycles(count: int) -> CyclesFigures:
    """Connect, stream and leave `count` times and compare what the server holds."""
    async with running(kinecast()) as server:
        before = await _holdings_after(server, WARM_UP_CYCLES)
        after = await _holdings_after(server, count)
        return CyclesFigures(count, before, after)


async def _holdings_after(server: RunningServer, count: int) -> Holdings:
    limit_s = RUN_OVERHEAD_S + count * CYCLE_LIMIT_S
    await run_load(server, "--cycles", str(count), timeout_s=limit_s)
    async with asyncio.timeout(SETTLE_LIMIT_S):
        remaining = await sessions_open(server.url)
        while remaining:
            await asyncio.sleep(POLL_S)
            remaining = await sessions_open(server.url)
    return server.tree.holdings()
