"""A load of its own process: several peers at once stream a numbered clip and time the results.

Prints one JSON object. Every stream's results are pairs: seconds since the window began, and
latency in ms from handing that frame to the encoder to its result's arrival. Encoding (VP8, by
aiortc) is the client's work and shares the machine with the server; its CPU time is told.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench.stamped_clip import I420, StampedTrack, load_stamped
from client_test.errors import ClientError
from client_test.inbox import Message
from client_test.peer import ClientPeer

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, RATE_HZ = 640, 480, 30.0


class LoadStream:
    """One peer of the load and what it saw within the window."""

    def __init__(self, url: str, use: Any, ring: list[I420]) -> None:
        self.track = StampedTrack(ring, rate_hz=RATE_HZ)
        self.peer = ClientPeer(
            url, use=use, history=0, timeout_s=60.0, on_result=self._result_arrived
        )
        self._arrivals: list[tuple[float, float]] = []
        self._unread = 0
        self._dropped = 0
        self._last_number: int | None = None
        self._dropped_before = 0
        self._sent_before = 0
        self.first_result = asyncio.Event()

    def begin_window(self) -> None:
        """What came until now was warming up."""
        self._arrivals.clear()
        self._unread = 0
        self._sent_before = self.track.frames_sent
        self._dropped_before = self._dropped

    def report(self, began_s: float) -> dict[str, Any]:
        """Counts since the window began, and each result's time and latency."""
        return {
            "sent": self.track.frames_sent - self._sent_before,
            "results": [(round(t - began_s, 4), round(ms, 2)) for t, ms in self._arrivals],
            "unread": self._unread,
            "dropped": self._dropped - self._dropped_before,
        }

    def _result_arrived(self, result: Message) -> None:
        now_s = time.monotonic()
        if result.get("final") or "barcode" not in result:
            return
        self.first_result.set()
        self._dropped = int(result.get("dropped", 0))
        number = result["barcode"]
        if number is None:
            self._unread += 1
        elif number != self._last_number and number in self.track.sent_at_s:
            # An analyzer that takes longer than pose makes a result of its own, in which the
            # number is repeated: only a number's first arrival counts.
            self._last_number = number
            self._arrivals.append((now_s, (now_s - self.track.sent_at_s[number]) * 1000))


async def stream(arguments: argparse.Namespace, ring: list[I420]) -> dict[str, Any]:
    """Stream with all peers at once and measure the window after the warm-up."""
    loads = [LoadStream(arguments.url, arguments.use, ring) for _ in range(arguments.streams)]
    async with AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.peer)
        await asyncio.gather(*(load.peer.connect(load.track) for load in loads))
        async with asyncio.timeout(60):
            await asyncio.gather(*(load.first_result.wait() for load in loads))
        await asyncio.sleep(arguments.warm_up)
        for load in loads:
            load.begin_window()
        began_s, began_epoch_s, cpu_s = time.monotonic(), time.time(), time.process_time()
        await asyncio.sleep(arguments.seconds)
        report = {
            "began_epoch_s": began_epoch_s,
            "seconds": time.monotonic() - began_s,
            "client_cpu_s": round(time.process_time() - cpu_s, 3),
            "streams": [load.report(began_s) for load in loads],
        }
        # Printed before hanging up, which takes a server that is seconds behind a long time.
        print(json.dumps(report), flush=True)
        for load in loads:
            load.track.stop()
    return report


async def cycles(arguments: argparse.Namespace, ring: list[I420]) -> None:
    """Connect, stream until the first result, end the session and leave; many times over."""
    for _ in range(arguments.cycles):
        load = LoadStream(arguments.url, arguments.use, ring)
        async with load.peer, asyncio.timeout(60):
            await load.peer.connect(load.track)
            await load.first_result.wait()
            await load.peer.end()
            load.track.stop()
    print(json.dumps({"cycles": arguments.cycles}), flush=True)


def main() -> int:
    """Run the load; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8083")
    parser.add_argument("--use", default="auto", choices=("auto", "websocket", "legacy", "http"))
    parser.add_argument("--clip", type=Path, default=ROOT / "sample-video.mp4")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15.0, help="the window")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds from the first results")
    parser.add_argument("--cycles", type=int, help="instead: connect, stream and leave so often")
    arguments = parser.parse_args()
    ring = load_stamped(arguments.clip, width=WIDTH, height=HEIGHT)
    try:
        asyncio.run(cycles(arguments, ring) if arguments.cycles else stream(arguments, ring))
    except (ClientError, TimeoutError) as error:
        print(f"load: {error or 'no result within a minute'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
