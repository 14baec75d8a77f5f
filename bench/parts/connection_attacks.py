"""Attacks on connections: clients that hold them, trickle, or never read, with limits and without.

Each attack runs in a process of its own against a server that serves one stream (640x480 at 30
frames a second) and somebody who asks for /health twenty times a second from another address. For
the time before, during and after the attack: the memory and the descriptors of the server's
process, how long /health took, and the stream's results and latency.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import numpy as np
import psutil

from bench.harness import stream
from bench.harness.barcode import ANALYZER
from bench.harness.processes import MEGABYTE, in_background, kinecast, running, started
from bench.harness.report import Report, Table

BEFORE_S, AFTER_S = 8.0, 12.0
# Between two phases things change; what is measured within this of a change is left out.
EDGE_S = 1.0
WARM_UP_S = 2.0
ENDS_WITHIN_S = 60.0
PROBE_EVERY_S, PROBE_TIMEOUT_S, SAMPLE_EVERY_S = 0.05, 10.0, 0.25
# The address of who asks for /health; no attacker has it.
BYSTANDER = "127.0.0.2"
# What a server without these limits has: aiohttp waits for ever, and takes what comes.
WITHOUT = (
    *("--connections-per-address", "0", "--max-connections", "1000000"),
    *("--handshake-timeout", "24h", "--body-timeout", "24h", "--write-timeout", "24h"),
)
LIMITS: tuple[tuple[str, tuple[str, ...]], ...] = (("none", WITHOUT), ("default", ()))
COLUMNS = (
    *("attack", "limits", "phase", "RSS MB:.0f", "descriptors:.0f", "/health p50 ms:.0f"),
    *("p95 ms:.0f", "failed", "stream p95 ms:.0f", "results/s:.1f"),
)


# ---- attacks: each is one function


Tally = Counter[str]
"""What the attackers saw: connections that were opened, ended_by_server, failed, open_at_end."""

Client = Callable[[int, int, Tally], Coroutine[Any, Any, None]]
Send = Callable[[bytes], Coroutine[Any, Any, None]]


ATTACKS: dict[str, tuple[Client, int, str]] = {}
"""By name: a function of the server's port, the client's number and a tally; how many; what."""


def attack(clients: int, what: str) -> Callable[[Client], Client]:
    """Make a function an attack, under its name with dashes: it goes on until it is cancelled."""

    def register(client: Client) -> Client:
        ATTACKS[client.__name__.replace("_", "-")] = client, clients, what
        return client

    return register


@attack(2000, "clients at 500 addresses send the head of a request a line a second")
async def slow_loris(port: int, number: int, tally: Tally) -> None:
    while True:
        async with connected(port, source(number // 4), tally) as send:
            await send(b"GET /health HTTP/1.1\r\nHost: x\r\n")
            while True:
                await asyncio.sleep(TRICKLE_S)
                await send(b"X-Line: more\r\n")


@attack(50, "clients at as many addresses ask over WebSockets and never read an answer")
async def never_read(port: int, number: int, tally: Tally) -> None:
    text = b'{"type": "ice-servers"}'
    question = b"\x81" + bytes([0x80 | len(text)]) + struct.pack(">I", 0) + text
    while True:
        async with connected(port, source(number), tally) as send:
            await send(HANDSHAKE.format(path="/signaling").encode())
            while True:
                await send(question * 500)


@attack(1, "address opens 10 000 connections in a row and leaves them open")
async def crowd(port: int, number: int, tally: Tally) -> None:
    held: list[socket.socket] = []
    try:
        while len(held) + tally["failed"] < CROWD:
            try:
                held.append(await connect(port, source(number)))
            except OSError:
                tally["failed"] += 1
        await asyncio.Event().wait()
    finally:
        tally["opened"] = len(held)
        tally["ended_by_server"] = sum(map(is_ended, held))
        tally["open_at_end"] = tally["opened"] - tally["ended_by_server"]
        for client in held:
            client.close()


# ---- what attacks are made of

# What a slow client sends, a line of it at a time.
TRICKLE_S = 1.0
# A client that is cut off comes back after this.
AGAIN_AFTER_S = 0.1
CROWD = 10_000
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def source(number: int) -> str:
    """The address of an attacker: all of 127.0.0.0/8 is this machine's."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


async def connect(port: int, address: str) -> socket.socket:
    """A connection with a small receive buffer, which nobody reads unless told to."""
    client = socket.socket()
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.bind((address, 0))
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    return client


@contextlib.asynccontextmanager
async def connected(port: int, address: str, tally: Tally) -> AsyncIterator[Send]:
    """A connection that is told of in the tally; the block ends when the server ends it."""
    try:
        with await connect(port, address) as client:
            tally["opened"] += 1
            tally["open_at_end"] += 1
            try:
                loop = asyncio.get_running_loop()
                yield lambda data: loop.sock_sendall(client, data)
            finally:
                tally["open_at_end"] -= 1
    except OSError:
        tally["ended_by_server"] += 1
        await asyncio.sleep(AGAIN_AFTER_S)


def is_ended(client: socket.socket) -> bool:
    """Whether the server has hung up."""
    try:
        return not client.recv(1)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


async def let_loose(name: str, port: int, seconds: float) -> Tally:
    """Run an attack's clients in this process."""
    tally, (client, clients, _) = Tally(), ATTACKS[name]
    async with in_background(*(client(port, number, tally) for number in range(clients))):
        await asyncio.sleep(seconds)
        still_open = tally["open_at_end"]
    tally["open_at_end"] = max(tally["open_at_end"], still_open)
    return tally


# ---- what is measured meanwhile

Pairs = list[tuple[float, float]]


Watch = dict[str, Pairs]
"""What was seen, each with its time: rss_mb, descriptors, probes_ms, failures, results_ms."""


async def sample(process: psutil.Process, watch: Watch) -> None:
    """Look at the server's process."""
    while True:
        now_s = time.monotonic()
        watch["rss_mb"].append((now_s, process.memory_info().rss / MEGABYTE))
        watch["descriptors"].append((now_s, float(process.num_fds())))
        await asyncio.sleep(SAMPLE_EVERY_S)


async def probe(url: str, watch: Watch) -> None:
    """Ask for /health, each time on a new connection."""
    timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
    while True:
        connector = aiohttp.TCPConnector(local_addr=(BYSTANDER, 0), force_close=True)
        began_s = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as http,
                http.get(f"{url}/health", raise_for_status=True) as response,
            ):
                await response.read()
            watch["probes_ms"].append((began_s, (time.monotonic() - began_s) * 1000))
        except (aiohttp.ClientError, OSError, TimeoutError):
            watch["failures"].append((began_s, 1.0))
        await asyncio.sleep(PROBE_EVERY_S)


async def measure(
    name: str, flags: Sequence[str], seconds: float
) -> tuple[Watch, float, float, dict[str, int]]:
    """One attack on one server; what was seen, when it began and ended, what attackers saw."""
    watch: Watch = defaultdict(list)
    whole_s = BEFORE_S + seconds + AFTER_S
    kind = kinecast("--analyzers", f"pose,{ANALYZER}", "--workers", "1", *flags)
    async with running(kind) as server:
        load = ("--url", server.url, "--seconds", whole_s, "--warm-up", WARM_UP_S)
        async with started(stream.__name__, *load) as streaming:
            await streaming.line(stream.OVERHEAD_S)
            window_s = time.monotonic()
            async with in_background(sample(server.tree.root, watch), probe(server.url, watch)):
                await asyncio.sleep(BEFORE_S)
                began_s = time.monotonic()
                port = server.url.rsplit(":", 1)[1]
                attackers = ("--let-loose", name, "--port", port, "--seconds", seconds)
                async with started("bench.parts.connection_attacks", *attackers) as attacking:
                    told = await attacking.line(seconds + ENDS_WITHIN_S)
                ended_s = time.monotonic()
                await asyncio.sleep(AFTER_S)
            (seen,) = (await streaming.line(whole_s + ENDS_WITHIN_S))["streams"]
    watch["results_ms"] = [(window_s + t, ms) for t, ms in seen["results"]]
    return watch, began_s, ended_s, told


def add_rows(
    table: Table, name: str, limits: str, watch: Watch, began_s: float, ended_s: float
) -> None:
    """One row for each phase."""
    phases = {
        "before": (began_s - BEFORE_S, began_s),
        "during": (began_s, ended_s),
        "after": (ended_s, ended_s + AFTER_S),
    }
    for phase, (from_s, to_s) in phases.items():
        from_s, to_s = from_s + EDGE_S, to_s - EDGE_S

        def of(pairs: Pairs, from_s: float = from_s, to_s: float = to_s) -> list[float]:
            return [value for at_s, value in pairs if from_s <= at_s < to_s]

        most = (max(of(pairs), default=None) for pairs in (watch["rss_mb"], watch["descriptors"]))
        probes = (_percentile(of(watch["probes_ms"]), percent) for percent in (50, 95))
        results = of(watch["results_ms"])
        rates = (_percentile(results, 95), len(results) / (to_s - from_s))
        table.add(name, limits, phase, *most, *probes, len(of(watch["failures"])), *rates)


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


async def bench(names: Sequence[str], seconds: float, report: Report) -> None:
    """Each attack without limits and with them."""
    table = report.table("Attacks on connections", *COLUMNS)
    report.settings.append(f"attacks on connections: {seconds:g} s of each")
    for name in names:
        for limits, flags in LIMITS:
            report.say(f"{name}, limits {limits}")
            watch, began_s, ended_s, told = await measure(name, flags, seconds)
            add_rows(table, name, limits, watch, began_s, ended_s)
            report.notes.append(
                f"{name}, limits {limits}: {told.get('opened', 0)} connections opened,"
                f" {told.get('ended_by_server', 0)} ended by the server,"
                f" {told.get('open_at_end', 0)} open when the attack ended"
            )


def main() -> None:
    """Be the attackers; prints their tally."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--let-loose", choices=ATTACKS, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    tally = asyncio.run(let_loose(asked.let_loose, asked.port, asked.seconds))
    print(json.dumps(tally), flush=True)


if __name__ == "__main__":
    main()
