"""Measures the older APIs' sockets: many that send at once, many that are idle, one in a hurry.

- many: 50 clients of the pose API send 10 pictures of 640x480 a second each, more than two cores
  analyze: every one must be answered, and memory must stay flat.
- idle: 500 sockets are open and say nothing: what they cost in memory.
- hurry: one client of the exercise scoring API sends 15 pictures a second: how many answers are
  there within the 50 ms that the API promises to aim at.

Each part starts a server of its own and runs its clients in one other process on the same machine.
Each client sends the sample video's frames as JPEG, as a browser's canvas encodes them, at a steady
rate, whether it is answered or not. Latency is from handing a picture to the socket to its answer's
arrival, so the client's own work and its waiting for a processor are in it. Memory is the sum of
the resident sets of the server's processes.
"""

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import aiohttp
import av
import cv2
import numpy as np

from bench.harness.processes import MEGABYTE, ServerKind, in_background, kinecast, running, started
from bench.harness.report import SAMPLE, Check, Report, at_least, at_most, parser_for, run

POSE, SCORING = "/ws", "/api/ai/realtime"
PARTS = ("hurry", "idle", "many")
QUALITY, PICTURES, WARM_UP_S = 80, 60, 3.0
MAX_IDLE_MB, WITHIN_MS, MIN_SHARE_WITHIN = 60.0, 50.0, 0.95
MAX_MEMORY_GROWTH = 1.05
# Until then workers and allocators have taken what they need.
SETTLED_AFTER_S = 10.0
OVERHEAD_S = 60.0
# What has just started, or been opened, still does something.
SETTLE_S = 3.0

COLUMNS = (
    *("part", "sockets", "sent/s:.0f", "answers/s:.1f", "p50 ms:.1f", "p95 ms:.1f", "p99 ms:.1f"),
    *("MB before:.0f", "MB after:.0f"),
)

Socket = aiohttp.ClientWebSocketResponse


class Client:
    """One socket and what it saw within the window."""

    def __init__(self, socket: Socket, messages: list[Any]) -> None:
        self.told: dict[str, Any] = {"sent": 0, "latencies_ms": [], "errors": 0, "closed": None}
        self.measures = False
        self._socket = socket
        self._messages = messages
        self._sent_at_s: dict[int, float] = {}

    async def run(self, fps: float, first_s: float) -> None:
        """Send and read until cancelled, or until the server closes the socket."""
        async with in_background(self._send(fps, first_s)):
            async for message in self._socket:
                self._take(json.loads(message.data))
            self.told["closed"] = self._socket.close_code

    async def _send(self, fps: float, first_s: float) -> None:
        number = 0
        while True:
            await asyncio.sleep(max(first_s + number / fps - time.monotonic(), 0))
            message = self._messages[number % len(self._messages)]
            send = self._socket.send_str if isinstance(message, str) else self._socket.send_bytes
            number += 1
            self._sent_at_s[number] = time.monotonic()
            await send(message)
            self.told["sent"] += self.measures

    def _take(self, answer: dict[str, Any]) -> None:
        if answer.get("type") == "welcome":
            return
        if "frame" not in answer or "detail" in answer:
            self.told["errors"] += 1
            return
        sent_s = self._sent_at_s.pop(answer["frame"])
        for older in [number for number in self._sent_at_s if number < answer["frame"]]:
            del self._sent_at_s[older]
        if self.measures:
            self.told["latencies_ms"].append(round((time.monotonic() - sent_s) * 1000, 2))


def pictures(*, as_base64: bool) -> list[Any]:
    """Frames of the sample as JPEG, as the messages of one API or the other."""
    with av.open(str(SAMPLE)) as container:
        frames = container.decode(video=0)
        bgr = [next(frames).to_ndarray(format="bgr24") for _ in range(PICTURES)]
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    jpegs = [cv2.imencode(".jpg", each, options)[1].tobytes() for each in bgr]
    if not as_base64:
        return jpegs
    return [
        json.dumps({"frame_data": base64.b64encode(jpeg).decode(), "timestamp": 0})
        for jpeg in jpegs
    ]


async def send(asked: argparse.Namespace, sockets: list[Socket]) -> dict[str, Any]:
    """Send with all clients at once and measure the window after the warm-up."""
    messages = pictures(as_base64=asked.clients.endswith(SCORING))
    clients = [Client(socket, messages) for socket in sockets]
    first_s, fps = time.monotonic() + 0.1, asked.fps
    # They do not all send at the same moment.
    runs = [c.run(fps, first_s + i / fps / len(clients)) for i, c in enumerate(clients)]
    async with in_background(*runs):
        await asyncio.sleep(WARM_UP_S)
        for client in clients:
            client.measures = True
        began_epoch_s = time.time()
        await asyncio.sleep(asked.seconds)
        window = {"began_epoch_s": began_epoch_s, "seconds": time.time() - began_epoch_s}
        return window | {"clients": [client.told for client in clients]}


async def run_clients(asked: argparse.Namespace) -> None:
    """Open the sockets; let them send, or hold them until the process is ended."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=timeout)
        )
        sockets = [
            await stack.enter_async_context(http.ws_connect(asked.clients, max_msg_size=0))
            for _ in range(asked.sockets)
        ]
        told = await send(asked, sockets) if asked.fps else {"open": len(sockets)}
        print(json.dumps(told), flush=True)
        if not asked.fps:
            await asyncio.Event().wait()


def server_kind(sockets: int) -> ServerKind:
    """A server as it comes, with room for so many clients of one address."""
    unlimited = ("--connections-per-address", "0", "--idle-timeout", "1h")
    return kinecast("--max-sessions", str(sockets + 1), *unlimited)


def _clients(url: str, path: str, sockets: int) -> tuple[object, ...]:
    return ("bench.load", "--clients", url.replace("http", "ws", 1) + path, "--sockets", sockets)


async def stream(path: str, *, sockets: int, fps: float, seconds: float) -> dict[str, Any]:
    """Let clients send to a fresh server; what they told, and what the server needed for it."""
    async with running(server_kind(sockets)) as server:
        window = ("--fps", fps, "--seconds", seconds)
        async with started(*_clients(server.url, path, sockets), *window) as load:
            told: dict[str, Any] = await load.line(seconds + OVERHEAD_S)
        server.tree.sample()
        began_s, ended_s = told["began_epoch_s"], told["began_epoch_s"] + told["seconds"]
        settled_s = began_s + min(SETTLED_AFTER_S, told["seconds"] / 2)
        told["settled_mb"] = server.tree.peak_mb(began_s, settled_s)
        told["peak_later_mb"] = server.tree.peak_mb(settled_s, ended_s)
        return told


async def idle(path: str, *, sockets: int) -> tuple[float, float]:
    """Memory before and with sockets that say nothing, in MB."""
    async with running(server_kind(1)) as server:
        await asyncio.sleep(SETTLE_S)
        before = server.tree.sample().rss_bytes
        async with started(*_clients(server.url, path, sockets)) as load:
            await load.line(OVERHEAD_S)
            await asyncio.sleep(SETTLE_S)
            after = server.tree.sample().rss_bytes
    return before / MEGABYTE, after / MEGABYTE


def check_many(told: dict[str, Any]) -> Iterator[Check]:
    """The targets for many sockets that send."""
    clients = told["clients"]
    silent = sum(not client["latencies_ms"] for client in clients)
    closed = sum(client["closed"] is not None for client in clients)
    errors = sum(client["errors"] for client in clients)
    what = f"{len(clients)} sockets: each is answered and none is closed"
    said = f"{silent} silent, {closed} closed, {errors} errors"
    yield Check(what, "0 of them", said, not (silent or closed or errors))
    growth = told["peak_later_mb"] / told["settled_mb"]
    what = f"{len(clients)} sockets: peak memory, of the first 10 s"
    yield at_most(what, growth, MAX_MEMORY_GROWTH)


def row(part: str, told: dict[str, Any]) -> tuple[object, ...]:
    """A line of the table."""
    clients, seconds = told["clients"], told["seconds"]
    all_ms = [ms for client in clients for ms in client["latencies_ms"]]
    rates = (sum(client["sent"] for client in clients) / seconds, len(all_ms) / seconds)
    percentiles = np.percentile(all_ms or [np.nan], (50, 95, 99))
    return part, len(clients), *rates, *percentiles, told["settled_mb"], told["peak_later_mb"]


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """All parts, or those that the command line asks for."""
    table = report.table("Sockets of the older APIs", *COLUMNS)
    report.settings = [f"Windows of {asked.seconds:g} s"]
    if "hurry" in asked.parts:
        report.say("one client of exercise scoring")
        hurry = await stream(SCORING, sockets=1, fps=15, seconds=asked.seconds)
        table.add(*row("scoring", hurry))
        (client,) = hurry["clients"]
        within = sum(ms <= WITHIN_MS for ms in client["latencies_ms"]) / max(client["sent"], 1)
        what = "scoring at 15/s: answers within 50 ms, of sent"
        report.check(at_least(what, within, MIN_SHARE_WITHIN))
    if "idle" in asked.parts:
        report.say(f"{asked.idle} sockets that say nothing")
        before, after = await idle(POSE, sockets=asked.idle)
        table.add("idle", asked.idle, *[None] * 5, before, after)
        report.check(at_most(f"{asked.idle} idle sockets, MB", after - before, MAX_IDLE_MB))
    if "many" in asked.parts:
        report.say(f"{asked.sockets} clients of the pose API")
        many = await stream(POSE, sockets=asked.sockets, fps=10, seconds=asked.seconds)
        table.add(*row("pose", many))
        report.check(check_many(many))


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, metavar="PART")
    parser.add_argument("--sockets", type=int, default=50, help="that send")
    parser.add_argument("--idle", type=int, default=500, help="sockets that do not")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each window")
    parser.add_argument("--clients", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--fps", type=float, default=0.0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.clients:
        asyncio.run(run_clients(asked))
        return 0
    return run("Sockets of the older APIs", asked, bench)


if __name__ == "__main__":
    sys.exit(main())
