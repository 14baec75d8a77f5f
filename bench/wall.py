"""Measures what the page's wall costs the server: eight sessions, a small picture of each a second.

Eight streams (640x480 at 30 frames a second, encoded beforehand) are analyzed by something cheap,
so that the machine has time to spare. A client asks as the page does: every second for the
sessions and /health, and for each session's picture. What is measured is the CPU of the server and
its workers, in turn without that client and with it; the difference is the wall's, and its median
over the rounds is checked.
"""

import argparse
import asyncio
import contextlib
import itertools
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import aiohttp

from bench.harness.processes import RunningServer, in_background, kinecast, running
from bench.harness.report import Report, Table, at_least, at_most, parser_for, run
from bench.harness.stream import encoded_clip, tracks
from client_test.peer import ClientPeer
from server import rtc

EVERY_S, MAX_PERCENT, MIN_PICTURES = 1.0, 3.0, 0.8
# What is new does more at first.
SETTLE_S = 5.0
COLUMNS = ("round", "without %:.1f", "with %:.1f", "of it the wall's:.1f", "pictures/s:.1f")


class Wall:
    """Asks as the page does, and counts the pictures that came."""

    def __init__(self, url: str) -> None:
        self.pictures = 0
        self._url = url

    async def look(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(self._url) as http:
            while True:
                began_s = time.monotonic()
                listed, _ = await asyncio.gather(_get(http, "/sessions"), _get(http, "/health"))
                for session in (await listed.json())["sessions"]:
                    picture = await _get(http, f"/sessions/{session['id']}/picture")
                    self.pictures += picture.status == 200
                await asyncio.sleep(max(began_s + EVERY_S - time.monotonic(), 0))


async def _get(http: aiohttp.ClientSession, path: str) -> aiohttp.ClientResponse:
    async with http.get(path) as answer:
        await answer.read()
        return answer


async def measure(
    server: RunningServer, asked: argparse.Namespace, table: Table
) -> tuple[list[float], float]:
    """The rounds: what the wall took in each, % of a core, and pictures a second."""
    costs, pictures = [], 0
    for number in range(1, asked.rounds + 1):
        without = await server.tree.cpu_percent(asked.seconds)
        wall = Wall(server.url)
        async with in_background(wall.look()):
            with_it = await server.tree.cpu_percent(asked.seconds)
        costs.append(with_it - without)
        pictures += wall.pictures
        table.add(number, without, with_it, costs[-1], wall.pictures / asked.seconds)
    return costs, pictures / asked.seconds / asked.rounds


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Stream, and look at it."""
    rtc.install()
    table = report.table(f"{asked.streams} streams, CPU of a core", *COLUMNS)
    report.settings = [f"Windows of {asked.seconds:g} s, the wall in every other"]
    async with (
        running(kinecast("--analyzers", "mock_model_1")) as server,
        encoded_clip() as packets,
        contextlib.AsyncExitStack() as streams,
    ):
        for track in itertools.islice(tracks(packets), asked.streams):
            peer = ClientPeer(server.url, history=0, codec="VP8")
            await streams.enter_async_context(peer)
            await peer.connect(track)
        await asyncio.sleep(SETTLE_S)
        costs, pictures = await measure(server, asked, table)
    what = f"the wall with {asked.streams} streams, % of a core, median"
    report.check(at_most(what, statistics.median(costs), MAX_PERCENT))
    what = "pictures a second, of one a session"
    report.check(at_least(what, pictures / asked.streams, MIN_PICTURES))


async def each(server: RunningServer, path: str, seconds: float, idle_percent: float) -> float:
    """What one answer takes, ms of a core, beyond what the server does anyway."""
    count = 0

    async def ask() -> None:
        nonlocal count
        async with aiohttp.ClientSession(server.url) as http:
            while True:
                count += (await _get(http, path)).status == 200

    async with in_background(ask()):
        busy_percent = await server.tree.cpu_percent(seconds)
    return (busy_percent - idle_percent) / 100 * seconds * 1000 / max(count, 1)


async def bench_one(asked: argparse.Namespace, report: Report) -> None:
    """Ask for one picture again and again."""
    rtc.install()
    table = report.table("ms of a core", "round", "a picture:.1f", "/sessions:.1f", "/health:.1f")
    report.settings = [f"Windows of {asked.seconds:g} s"]
    usual = kinecast("--analyzers", "mock_model_1", "--workers", "1")
    forgetful = replace(usual, arguments=("bench.harness.forgetful", *usual.arguments[1:]))
    async with (
        running(forgetful) as server,
        encoded_clip() as packets,
        ClientPeer(server.url, history=0, codec="VP8") as peer,
    ):
        await peer.connect(next(iter(tracks(packets))))
        await asyncio.sleep(SETTLE_S)
        for number in range(1, asked.rounds + 1):
            idle = await server.tree.cpu_percent(asked.seconds)
            paths = (f"/sessions/{peer.session.id}/picture", "/sessions", "/health")
            took = [await each(server, path, asked.seconds, idle) for path in paths]
            table.add(number, *took)


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--one", action="store_true", help="what one picture takes")
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each window")
    asked = parser.parse_args()
    return run("The wall of the page", asked, bench_one if asked.one else bench)


if __name__ == "__main__":
    sys.exit(main())
