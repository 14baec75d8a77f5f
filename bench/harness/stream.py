"""A load of its own process: several peers at once stream a numbered clip and time the results.

Prints a line of JSON when all stream and are warm, waits for a line of input, with which the window
begins, and prints one when it has ended. Every stream's results are pairs: seconds since the
window began, and latency in ms from sending that frame to its result's arrival.

With --packets, frames were encoded beforehand, and the client takes next to nothing of a machine
that it shares with the server. Without, each stream has an encoder (VP8, by aiortc), as a browser
on that machine would; then latency is from handing the frame to it.
"""

import argparse
import asyncio
import contextlib
import inspect
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiortc.rtcsctptransport import WEBRTC_BINARY, WEBRTC_STRING

from bench.harness import encoded
from bench.harness.encoded import EncodedTrack
from bench.harness.processes import started
from bench.harness.report import SAMPLE
from bench.harness.stamped import StampedTrack, load_stamped
from client_test.errors import ClientError
from client_test.inbox import Message
from client_test.peer import ClientPeer
from server import rtc

# Connecting, loading models and the warm-up, beyond the window.
OVERHEAD_S = 150.0
FIRST_RESULT_S = 60.0
# So many at most: each has an event loop and a core to itself where there are some.
PROCESSES = 4
# A server takes ten offers a second of a client; of such processes there are a few.
OFFER_EVERY_S = 0.5
# What a client that has compact results, on a channel that may lose them, offers.
COMPACT = {"results": "cbor", "ordered": False, "max_retransmits": 0}

Track = StampedTrack | EncodedTrack


class LoadStream:
    """One peer of the load, with settings of `ClientPeer`'s, and what it saw within the window."""

    def __init__(
        self,
        url: str,
        track: Track,
        on_result: Callable[[Message], Any] | None = None,
        **settings: Any,
    ) -> None:
        self.track = track
        self.peer = ClientPeer(url, history=0, timeout_s=60.0, on_result=self._arrived, **settings)
        self.first_result = asyncio.Event()
        self._on_result = on_result
        self._results: list[tuple[float, float]] = []
        self._unread = self._bytes = 0
        self._last_number: int | None = None
        self._began_s = 0.0
        self._sent_before = 0

    async def connect(self) -> None:
        """Stream; returns with the first result."""
        await self.peer.connect(self.track)
        connection: Any = self.peer.connection
        if isinstance(self.track, EncodedTrack):
            for sender in connection.getSenders():
                rtc.on_key_frame_request(sender, self.track.begin_anew)
        self._count_bytes(connection.sctp)
        async with asyncio.timeout(FIRST_RESULT_S):
            await self.first_result.wait()

    def begin_window(self) -> None:
        """What came until now was warming up."""
        self._results.clear()
        self._unread = self._bytes = 0
        self._sent_before = self.track.frames_sent
        self._began_s = time.monotonic()

    def told(self) -> dict[str, Any]:
        """Counts since the window began, and each result's time and latency."""
        return {
            "sent": self.track.frames_sent - self._sent_before,
            "results": [(round(t - self._began_s, 4), round(ms, 2)) for t, ms in self._results],
            "unread": self._unread,
            "bytes": self._bytes,
        }

    def _count_bytes(self, association: Any) -> None:
        """Count messages as they come, on whichever channel and however they are written."""
        receive = association._data_channel_receive

        async def count(stream_id: int, protocol: int, data: bytes) -> None:
            if protocol in (WEBRTC_STRING, WEBRTC_BINARY):
                self._bytes += len(data)
            await receive(stream_id, protocol, data)

        association._data_channel_receive = count

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


def offers_compact() -> bool:
    """Whether this client can ask for compact results."""
    return "results" in inspect.signature(ClientPeer).parameters


def tracks(packets: Path | None) -> Iterator[Track]:
    """As many as are asked for, of the clip's packets or of pictures to encode."""
    if packets is None:
        ring = load_stamped()
        while True:
            yield StampedTrack(ring)
    clip, group = encoded.load(packets), 0
    while True:
        yield EncodedTrack(clip, group)
        group += 1


async def stream(asked: argparse.Namespace, each: Iterator[Track]) -> None:
    """Stream with all peers at once and measure the window after the warm-up."""
    settings = {
        "token": asked.token,
        "analyzers": asked.analyzers,
        "use": asked.use,
        "codec": "VP8",
    }
    settings |= COMPACT if asked.compact else {}
    loads = [LoadStream(asked.url, next(each), **settings) for _ in range(asked.streams)]
    async with AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.peer)
        for load in loads:
            await asyncio.gather(load.connect(), asyncio.sleep(OFFER_EVERY_S))
        await asyncio.sleep(asked.warm_up)
        print(json.dumps({"streaming": len(loads)}), flush=True)
        await _told_to_go_on()
        for load in loads:
            load.begin_window()
        began_s, began_epoch_s, cpu_s = time.monotonic(), time.time(), time.process_time()
        with contextlib.suppress(TimeoutError):
            # Or sooner, by another line.
            await asyncio.wait_for(_told_to_go_on(), asked.seconds)
        told = {
            "began_s": began_s,
            "began_epoch_s": began_epoch_s,
            "seconds": time.monotonic() - began_s,
            "client_cpu_s": round(time.process_time() - cpu_s, 3),
            "streams": [load.told() for load in loads],
        }
        # Printed before hanging up, which takes a server that is seconds behind a long time.
        print(json.dumps(told), flush=True)
        for load in loads:
            load.track.stop()


async def _told_to_go_on() -> None:
    """Wait for a line of input."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, told.set)
    try:
        await told.wait()
    finally:
        loop.remove_reader(sys.stdin)
    sys.stdin.readline()


async def cycles(asked: argparse.Namespace, each: Iterator[Track]) -> None:
    """Connect, stream until the first result, end the session and leave; many times over."""
    for _ in range(asked.cycles):
        load = LoadStream(asked.url, next(each))
        async with load.peer:
            await load.connect()
            await load.peer.end()
            load.track.stop()
    print(json.dumps({"cycles": asked.cycles}), flush=True)


@contextlib.asynccontextmanager
async def encoded_clip(clip: Path = SAMPLE) -> AsyncIterator[Path]:
    """A clip for --packets, encoded once for all that follows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip"
        await asyncio.to_thread(lambda: encoded.save(encoded.encode(load_stamped(clip)), path))
        yield path


async def run_load(
    url: str,
    *arguments: object,
    streams: int = 1,
    seconds: float,
    packets: Path | None = None,
    during: Callable[[], Any] | None = None,
) -> dict[str, Any]:
    """Stream to a server from a few processes; returns what they told, as if they were one.

    Parameters
    ----------
    during
        Called when the window begins, and awaited within it.
    """
    processes = min(streams, PROCESSES)
    common = ("--url", url, "--seconds", seconds, *arguments)
    common += ("--packets", packets) if packets else ()
    async with AsyncExitStack() as stack:
        loads = []
        for number in range(processes):
            share = len(range(number, streams, processes))
            program = started(__name__, *common, "--streams", share)
            loads.append(await stack.enter_async_context(program))
        for load in loads:
            await load.line(OVERHEAD_S)
        for load in loads:
            load.go_on()
        if during is not None:
            await during()
        told = [await load.line(seconds + OVERHEAD_S) for load in loads]
    return told[0] | {
        "client_cpu_s": sum(one["client_cpu_s"] for one in told),
        "streams": [stream for one in told for stream in one["streams"]],
    }


async def run_cycles(url: str, count: int, timeout_s: float) -> None:
    """Connect and leave so often."""
    async with started(__name__, "--url", url, "--cycles", count) as load:
        await load.line(timeout_s)


def main() -> int:
    """Run the load; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--packets", type=Path, metavar="FILE", help="the clip, encoded")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=15.0, help="the window, at most")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds from the first results")
    parser.add_argument("--cycles", type=int, help="instead: connect, stream and leave so often")
    parser.add_argument("--token", help="where the server asks for one")
    parser.add_argument("--use", default="auto", help="the door for the offer")
    parser.add_argument("--analyzers", nargs="+", metavar="NAME", help="these only")
    parser.add_argument("--compact", action="store_true", help="results as CBOR, droppable")
    asked = parser.parse_args()
    if asked.packets:
        # A track of packets is sent by the server's own room.
        rtc.install()
    try:
        asyncio.run((cycles if asked.cycles else stream)(asked, tracks(asked.packets)))
    except (ClientError, TimeoutError) as error:
        print(f"load: {str(error) or 'no result within a minute'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
