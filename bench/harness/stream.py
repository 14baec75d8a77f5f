"""A load of its own process: several peers at once stream a numbered clip and time the results.

Prints a line of JSON when the window begins, and one when it has ended. Every stream's results are
pairs: seconds since then, and latency in ms from handing that frame to the encoder to its result's
arrival. Encoding (VP8, by aiortc) is the client's work and shares the machine with the server; its
CPU time is told.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from bench.harness import barcode
from bench.harness.processes import RunningServer, started
from bench.harness.report import SAMPLE
from client_test.errors import ClientError
from client_test.inbox import Message
from client_test.peer import ClientPeer

WIDTH, HEIGHT, RATE_HZ = 640, 480, 30.0
CLOCK_HZ = 90_000
# At 30 frames per second numbers repeat after 20 s, longer than any latency that is measured.
# 640 x 480 frames of that many take 276 MB, shared by all streams.
RING_FRAMES = 600
# Connecting, loading models and the warm-up, beyond the window.
OVERHEAD_S = 150.0
FIRST_RESULT_S = 60.0

Ring = Sequence[barcode.Image]


def load_stamped(path: Path = SAMPLE, *, count: int = RING_FRAMES) -> Ring:
    """Frames of a clip, repeated up to `count` and numbered from 0; each uint8 (H * 3 / 2, W)."""
    with av.open(str(path)) as container:
        decoded = [
            frame.reformat(width=WIDTH, height=HEIGHT, format="yuv420p").to_ndarray()
            for frame in islice(container.decode(video=0), count)
        ]
    ring = [frame.copy() for frame in islice(cycle(decoded), count)]
    for number, frame in enumerate(ring):
        barcode.stamp(frame, number)
    return ring


class StampedTrack(MediaStreamTrack):
    """Plays stamped frames in a loop, and notes when each was handed to the encoder.

    One that is late by more than an interval is skipped: a camera too gives no older ones.
    """

    kind = "video"

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self.sent_at_s: dict[int, float] = {}
        self.frames_sent = 0
        self._ring = ring
        self._count = 0
        self._started_s: float | None = None

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._started_s is None:
            self._started_s = time.monotonic()
        behind = int((time.monotonic() - self._started_s) * RATE_HZ) - self._count
        self._count += max(0, behind)
        due_s = self._started_s + self._count / RATE_HZ
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        number = self._count % len(self._ring)
        # Shares the memory; a frame object of its own, since the encoder writes into it.
        frame = VideoFrame.from_numpy_buffer(self._ring[number], "yuv420p", width=WIDTH)
        frame.pts = round(self._count / RATE_HZ * CLOCK_HZ)
        frame.time_base = Fraction(1, CLOCK_HZ)
        self.sent_at_s[number] = time.monotonic()
        self.frames_sent += 1
        self._count += 1
        return frame


class LoadStream:
    """One peer of the load, with settings of `ClientPeer`'s, and what it saw within the window."""

    def __init__(
        self,
        url: str,
        ring: Ring,
        on_result: Callable[[Message], Any] | None = None,
        **settings: Any,
    ) -> None:
        self.track = StampedTrack(ring)
        self.peer = ClientPeer(url, history=0, timeout_s=60.0, on_result=self._arrived, **settings)
        self.first_result = asyncio.Event()
        self._on_result = on_result
        self._results: list[tuple[float, float]] = []
        self._unread = 0
        self._last_number: int | None = None
        self._began_s = 0.0
        self._sent_before = 0

    async def connect(self) -> None:
        """Stream; returns with the first result."""
        await self.peer.connect(self.track)
        async with asyncio.timeout(FIRST_RESULT_S):
            await self.first_result.wait()

    def begin_window(self) -> None:
        """What came until now was warming up."""
        self._results.clear()
        self._unread = 0
        self._sent_before = self.track.frames_sent
        self._began_s = time.monotonic()

    def told(self) -> dict[str, Any]:
        """Counts since the window began, and each result's time and latency."""
        return {
            "sent": self.track.frames_sent - self._sent_before,
            "results": [(round(t - self._began_s, 4), round(ms, 2)) for t, ms in self._results],
            "unread": self._unread,
        }

    def _arrived(self, result: Message) -> None:
        now_s = time.monotonic()
        if result.get("final") or "barcode" not in result:
            return
        self.first_result.set()
        number = result["barcode"]
        if number is None:
            self._unread += 1
        elif number != self._last_number and number in self.track.sent_at_s:
            # An analyzer that takes longer than pose makes a result of its own, in which the
            # number is repeated: only a number's first arrival counts.
            self._last_number = number
            self._results.append((now_s, (now_s - self.track.sent_at_s[number]) * 1000))
        if self._on_result is not None:
            self._on_result(result)


async def stream(arguments: argparse.Namespace, ring: Ring) -> None:
    """Stream with all peers at once and measure the window after the warm-up."""
    settings = {"token": arguments.token, "analyzers": arguments.analyzers}
    loads = [LoadStream(arguments.url, ring, **settings) for _ in range(arguments.streams)]
    async with AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.peer)
        await asyncio.gather(*(load.connect() for load in loads))
        await asyncio.sleep(arguments.warm_up)
        for load in loads:
            load.begin_window()
        print(json.dumps({"streaming": len(loads)}), flush=True)
        began_s, began_epoch_s, cpu_s = time.monotonic(), time.time(), time.process_time()
        await _window_ends(arguments)
        told = {
            "began_epoch_s": began_epoch_s,
            "seconds": time.monotonic() - began_s,
            "client_cpu_s": round(time.process_time() - cpu_s, 3),
            "streams": [load.told() for load in loads],
        }
        # Printed before hanging up, which takes a server that is seconds behind a long time.
        print(json.dumps(told), flush=True)
        for load in loads:
            load.track.stop()


async def _window_ends(arguments: argparse.Namespace) -> None:
    """Wait for so many seconds, or for a line, whichever is first."""
    if not arguments.until_told:
        await asyncio.sleep(arguments.seconds)
        return
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, told.set)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), arguments.seconds)
    loop.remove_reader(sys.stdin)


async def cycles(arguments: argparse.Namespace, ring: Ring) -> None:
    """Connect, stream until the first result, end the session and leave; many times over."""
    for _ in range(arguments.cycles):
        load = LoadStream(arguments.url, ring)
        async with load.peer:
            await load.connect()
            await load.peer.end()
            load.track.stop()
    print(json.dumps({"cycles": arguments.cycles}), flush=True)


async def run_load(server: RunningServer, *arguments: object, timeout_s: float) -> dict[str, Any]:
    """Run this module against a server; returns what it told."""
    async with started("bench.harness.stream", "--url", server.url, *arguments) as load:
        told: dict[str, Any] = await load.line(timeout_s + OVERHEAD_S)
        return await load.line(timeout_s + OVERHEAD_S) if "streaming" in told else told


def main() -> int:
    """Run the load; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15.0, help="the window")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds from the first results")
    parser.add_argument("--cycles", type=int, help="instead: connect, stream and leave so often")
    parser.add_argument("--until-told", action="store_true", help="or sooner, by a line of input")
    parser.add_argument("--token", help="where the server asks for one")
    parser.add_argument("--analyzers", nargs="+", metavar="NAME", help="these only")
    arguments = parser.parse_args()
    ring = load_stamped()
    try:
        asyncio.run((cycles if arguments.cycles else stream)(arguments, ring))
    except (ClientError, TimeoutError) as error:
        print(f"load: {error or 'no result within a minute'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
