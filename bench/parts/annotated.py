"""What annotated video costs: the drawing itself, and what results lose by it."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from analyzers.annotator import Annotator
from analyzers.chain import arrange
from analyzers.registry import find, load
from bench.harness.processes import in_background
from bench.harness.report import SAMPLE, Report
from server.broadcast.broadcast import Broadcast
from server.media.clock import TrackClock
from server.media.encoder import Codec
from server.sessions.metrics import Metrics
from server.sessions.session import Session
from server.workers.pool import WorkerPool

ANALYZERS = ("pose", "exercise")
RATE_HZ = 30.0
SETTLES_S, WINDOW_S = 0.5, 2.0
READY_S = 120.0
MODES = ("nobody watches", "drawn", "drawn and encoded")


async def bench(report: Report, turns: int) -> None:
    """Measure; adds two tables."""
    with av.open(str(SAMPLE)) as container:
        frames = [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]
    columns = ("", "p50 ms:.2f", "p95 ms:.2f")
    table = report.table("Drawing, CPU time a frame at 640x480", *columns)
    for name, times in _time_drawing(frames).items():
        table.add(name, *np.percentile(times, (50, 95)))
    told = await _time_results(frames, turns, report)
    columns = ("", "latency p50 ms:.2f", "p95 ms:.1f", "of nobody's:.2f")
    table = report.table("Results of one session", *columns)
    alone = np.array([np.median(turn) for turn in told[MODES[0]]])
    for mode, of in told.items():
        ratio = np.median(np.array([np.median(turn) for turn in of]) / alone)
        table.add(mode, *np.percentile(np.concatenate(of), (50, 95)), ratio)


def _time_drawing(frames: list[av.VideoFrame]) -> dict[str, list[float]]:
    """Milliseconds of CPU of each frame's drawing, and of the conversion after it."""
    cv2.setNumThreads(1)  # As in a worker.
    (lane,) = arrange([load(spec, {}) for spec in find(ANALYZERS)])
    lane.start("bench", 0.0, ANALYZERS)
    annotator = Annotator("bench", lane.analyzers)
    times: dict[str, list[float]] = defaultdict(list)
    for number, frame in enumerate(frames):
        rgb = frame.to_ndarray(format="rgb24")
        report = lane.frame("bench", rgb, number * 1000 / RATE_HZ)
        began = time.thread_time()
        picture, _ = annotator.annotate(rgb, report.fragments)
        drawn = time.thread_time()
        cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
        times["drawing"].append((drawn - began) * 1000)
        times["to I420"].append((time.thread_time() - drawn) * 1000)
    return times


class _Arrivals:
    """A session's sink that keeps each result's latency."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self.first = asyncio.Event()

    def result(self, result: Any) -> None:
        self.first.set()
        passed_s = time.monotonic() - result.frame.received_monotonic_s
        self.latencies_ms.append(passed_s * 1000)

    def ignore(self, message: Any) -> None:
        """Nothing to measure."""

    notice = final = ignore


async def _play(frames: list[av.VideoFrame], session: Session) -> None:
    """Hand the clip over, again and again, at its rate."""
    clock, count, began_s = TrackClock(session.clock), 0, time.monotonic()
    while True:
        frame = frames[count % len(frames)]
        frame.pts, frame.time_base = round(count * 90_000 / RATE_HZ), Fraction(1, 90_000)
        session.intake.put_frame(frame, clock)
        count += 1
        await asyncio.sleep(max(began_s + count / RATE_HZ - time.monotonic(), 0))


@contextlib.contextmanager
def _watched(session: Session, mode: str) -> Iterator[None]:
    if mode == "nobody watches":
        yield
    elif mode == "drawn":
        session.annotated.subscribe(_ignore)
        yield
        session.annotated.unsubscribe(_ignore)
    else:
        broadcast = Broadcast(session.annotated)
        reading = asyncio.create_task(_read(broadcast.watch(Codec.H264)))
        yield
        broadcast.close()
        reading.cancel()


def _ignore(_: Any) -> None:
    """A listener that does nothing with what it gets."""


async def _read(viewer: Any) -> None:
    with contextlib.suppress(StopAsyncIteration):
        while True:
            await viewer.next()


async def _time_results(
    frames: list[av.VideoFrame], turns: int, report: Report
) -> dict[str, list[list[float]]]:
    """By mode, the latencies of each turn."""
    pool = WorkerPool(1, find(ANALYZERS), quiet=True)
    pool.start()
    told: dict[str, list[list[float]]] = {mode: [] for mode in MODES}
    try:
        await asyncio.wait_for(pool.became_ready.wait(), READY_S)
        session, arrivals = Session(pool, ANALYZERS, {}, Metrics()), _Arrivals()
        session.subscribers.add_sink(arrivals)
        session.begin()
        async with in_background(_play(frames, session)):
            await asyncio.wait_for(arrivals.first.wait(), READY_S)
            for turn in range(turns):
                # Each goes first in its turn.
                for mode in MODES[turn % 3 :] + MODES[: turn % 3]:
                    with _watched(session, mode):
                        await asyncio.sleep(SETTLES_S)
                        arrivals.latencies_ms.clear()
                        await asyncio.sleep(WINDOW_S)
                    told[mode].append(list(arrivals.latencies_ms))
                    p50 = np.median(arrivals.latencies_ms)
                    report.say(f"turn {turn + 1} of {turns}, {mode}: p50 {p50:.1f} ms")
        await session.end("measured")
    finally:
        await pool.stop()
    return told
