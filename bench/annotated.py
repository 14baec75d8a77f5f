"""What annotated video costs: the drawing itself, and what results lose by it.

First the drawing alone, of the sample video at 640x480 with what pose and exercise find in it, in
this process, in CPU time: skeleton and card, and turning the picture into what the encoder takes.
Then one session in one worker gets the clip at 30 frames per second, in turns watched by nobody,
drawn for a listener that does nothing with it, and drawn and encoded as H264 for a viewer.
Latency is from handing a frame to the session to its result's arrival, so without network and
codec. CPU time is told of the worker and of this process, in percent of a core.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import av
import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from analyzers.annotator import Annotator
from analyzers.chain import arrange
from analyzers.registry import find, load
from server.broadcast.broadcast import Broadcast
from server.media.clock import TrackClock
from server.media.encoder import Codec
from server.sessions.metrics import Metrics
from server.sessions.session import Session
from server.workers.pool import WorkerPool

CLIP = Path(__file__).resolve().parent.parent / "sample-video.mp4"
ANALYZERS = ("pose", "exercise")
RATE_HZ = 30.0
SETTLES_S = 0.5
MODES = ("nobody watches", "drawn", "drawn and encoded")


def decode() -> list[av.VideoFrame]:
    with av.open(str(CLIP)) as container:
        return list(container.decode(video=0))


def time_drawing(frames: list[av.VideoFrame]) -> dict[str, list[float]]:
    """Milliseconds of CPU of each frame's drawing, and of the conversion after it."""
    cv2.setNumThreads(1)  # As in a worker.
    models = [load(spec, {}) for spec in find(ANALYZERS)]
    (lane,) = arrange(models)
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


class Arrivals:
    """A session's sink that keeps each result's latency."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self.first = asyncio.Event()

    def result(self, result: Any) -> None:
        self.first.set()
        passed_s = time.monotonic() - result.frame.received_monotonic_s
        self.latencies_ms.append(passed_s * 1000)

    def notice(self, message: Any) -> None:
        print(message, file=sys.stderr)

    def final(self, result: Any) -> None:
        """Nothing more to measure."""


async def play(frames: list[av.VideoFrame], session: Session) -> None:
    """Hand the clip over, again and again, at its rate."""
    clock, count, began_s = TrackClock(session.clock), 0, time.monotonic()
    while True:
        frame = frames[count % len(frames)]
        frame.pts, frame.time_base = round(count * 90_000 / RATE_HZ), Fraction(1, 90_000)
        session.put_frame(frame, clock)
        count += 1
        await asyncio.sleep(max(began_s + count / RATE_HZ - time.monotonic(), 0))


@contextlib.contextmanager
def watched(session: Session, mode: str, seen: list[Any]) -> Iterator[None]:
    if mode == MODES[0]:
        yield
    elif mode == MODES[1]:
        session.annotated.subscribe(seen.append)
        yield
        session.annotated.unsubscribe(seen.append)
    else:
        broadcast = Broadcast(session.annotated)
        viewer = broadcast.watch(Codec.H264)
        reading = asyncio.create_task(_read(viewer, seen))
        yield
        broadcast.close()
        reading.cancel()


async def _read(viewer: Any, seen: list[Any]) -> None:
    with contextlib.suppress(StopAsyncIteration):
        while True:
            seen.append(await viewer.next())


async def time_results(
    frames: list[av.VideoFrame], turns: int, seconds: float, console: Console
) -> dict[str, dict[str, list[float]]]:
    """Latencies and shares of a core, by mode."""
    pool = WorkerPool(1, find(ANALYZERS), quiet=True)
    pool.start()
    told: dict[str, dict[str, list[float]]] = {mode: defaultdict(list) for mode in MODES}
    try:
        await asyncio.wait_for(pool.became_ready.wait(), 120)
        session, arrivals = Session(pool, ANALYZERS, {}, Metrics()), Arrivals()
        session.subscribers.add_sink(arrivals)
        session.begin()
        playing = asyncio.create_task(play(frames, session))
        await asyncio.wait_for(arrivals.first.wait(), 60)
        processes = {"worker": psutil.Process(pool.workers[0].pid), "server": psutil.Process()}
        for turn in range(turns):
            # Each goes first in its turn.
            for mode in MODES[turn % 3 :] + MODES[: turn % 3]:
                seen: list[Any] = []
                with watched(session, mode, seen):
                    await asyncio.sleep(SETTLES_S)
                    arrivals.latencies_ms.clear()
                    seen.clear()
                    before = {name: sum(p.cpu_times()[:2]) for name, p in processes.items()}
                    await asyncio.sleep(seconds)
                latencies = list(arrivals.latencies_ms)
                told[mode]["latency"] += latencies
                told[mode]["median"].append(float(np.median(latencies)))
                told[mode]["fps"].append(len(seen) / seconds)
                for name, process in processes.items():
                    used_s = sum(process.cpu_times()[:2]) - before[name]
                    told[mode][name].append(100 * used_s / seconds)
                console.print(f"turn {turn + 1}, {mode}: p50 {np.median(latencies):.1f} ms")
        playing.cancel()
        await session.end("measured")
    finally:
        await pool.stop()
    return told


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each mode in each turn")
    asked = parser.parse_args()
    frames = [frame.reformat(format="yuv420p") for frame in decode()]
    console = Console()
    table = Table("640x480", "p50, ms", "p95, ms")
    for name, times in time_drawing(frames).items():
        table.add_row(name, *(f"{np.percentile(times, q):.2f}" for q in (50, 95)))
    console.print(table)
    told = asyncio.run(time_results(frames, asked.turns, asked.seconds, Console(stderr=True)))
    table = Table("", "latency p50 / p95, ms", "of nobody's", "worker", "server", "pictures/s")
    alone = np.array(told[MODES[0]]["median"])
    for mode in MODES:
        p50, p95 = np.percentile(told[mode]["latency"], (50, 95))
        ratio = np.median(np.array(told[mode]["median"]) / alone)
        worker, server, fps = (np.median(told[mode][n]) for n in ("worker", "server", "fps"))
        table.add_row(
            *(mode, f"{p50:.1f} / {p95:.1f}", f"{ratio:.2f}"),
            *(f"{worker:.0f} %", f"{server:.0f} %", f"{fps:.1f}"),
        )
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
