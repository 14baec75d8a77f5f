"""Puts a server at a distance: its media goes through a relay that delays and loses datagrams.

Offers are posted here instead of to the server. In the offer and in its answer all ICE candidates
become one, the relay's own on that side, so that both peers know no other way to each other. The
relay is a process of its own and needs no privileges.

Prints a line of JSON with the URL for offers, and goes on until its input ends.
"""

import argparse
import asyncio
import heapq
import itertools
import json
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

HOST = "127.0.0.1"
# Until then a session is being connected, which is not what is measured.
LOSES_AFTER_S = 3.0
# What waits for a narrow line; more is dropped, as a router does.
QUEUE_S = 0.2

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a path.

    Attributes
    ----------
    delay_s
        Of every datagram.
    jitter_s
        Up to so much more, each its own, so that some overtake others.
    loss
        Share of datagrams that are lost.
    bandwidth_bps
        What it carries; None is as much as comes.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    bandwidth_bps: float | None = None


class Line:
    """When each datagram of one direction arrives, if it does; without any I/O."""

    def __init__(self, way: Way, seed: int) -> None:
        self._way = way
        self._random = random.Random(seed)
        self._began_s: float | None = None
        self._free_s = 0.0

    def arrival_s(self, now_s: float, size: int) -> float | None:
        """The time at which a datagram of so many bytes arrives; None if it never does."""
        way = self._way
        if self._began_s is None:
            self._began_s = now_s
        # Drawn for each, so that what is lost does not hang on when the loss begins.
        is_lost = self._random.random() < way.loss
        jitter_s = self._random.uniform(0.0, way.jitter_s)
        if is_lost and now_s - self._began_s >= LOSES_AFTER_S:
            return None
        sent_s = now_s
        if way.bandwidth_bps is not None:
            begins_s = max(now_s, self._free_s)
            if begins_s - now_s > QUEUE_S:
                return None
            sent_s = self._free_s = begins_s + 8 * size / way.bandwidth_bps
        return sent_s + way.delay_s + jitter_s


class End(asyncio.DatagramProtocol):
    """The relay's socket on one side: stands for the peer that is on the other.

    What comes in goes out at the other end, when it is due, to the peer that is there.
    """

    def __init__(self, line: Line) -> None:
        self.other: End | None = None
        self.peer: Address | None = None
        self._line = line
        self._transport: Any = None
        self._due: list[tuple[float, int, bytes]] = []
        self._counter = itertools.count()
        self._loop = asyncio.get_running_loop()

    @property
    def address(self) -> Address:
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        at_s = self._line.arrival_s(self._loop.time(), len(data))
        if at_s is None:
            return
        # In the order of their times; of those at the same time, in the order that they came in.
        heapq.heappush(self._due, (at_s, next(self._counter), data))
        self._loop.call_at(at_s, self._forward)

    def _forward(self) -> None:
        # The loop calls up to its clock's resolution early.
        data = heapq.heappop(self._due)[2]
        if self.other is not None and self.other.peer is not None:
            self.other._transport.sendto(data, self.other.peer)

    def close(self) -> None:
        self._transport.close()


async def open_ends(way: Way, seed: int) -> tuple[End, End]:
    """Both ends of a path: the first is known to the client, the second to the server."""
    loop = asyncio.get_running_loop()
    ends = []
    for number in range(2):
        line = Line(way, 2 * seed + number)
        _, end = await loop.create_datagram_endpoint(
            lambda line=line: End(line),  # type: ignore[misc]
            local_addr=(HOST, 0),
        )
        ends.append(end)
    near, far = ends
    near.other, far.other = far, near
    return near, far


def with_candidate(sdp: str, address: Address) -> tuple[str, Address]:
    """A description whose only candidate is this address, and the first that it had over UDP.

    Raises
    ------
    ValueError
        It has none.
    """
    own: Address | None = None
    lines, in_section = [], False
    for line in sdp.splitlines():
        if line.startswith("m="):
            in_section = False
        if line.startswith("a=candidate:"):
            parts = line.split()
            if own is None and parts[2].lower() == "udp":
                own = parts[4], int(parts[5])
            if in_section:
                continue
            in_section = True
            line = f"a=candidate:1 1 udp 2130706431 {address[0]} {address[1]} typ host"
        lines.append(line)
    if own is None:
        raise ValueError("a description has no candidate over UDP")
    return "\r\n".join([*lines, ""]), own


def build_app(server: str, way: Way, seed: int) -> web.Application:
    """``POST /offer``: the server's own, with the relay in between."""
    ends: list[End] = []
    seeds = itertools.count(seed)

    async def offer(request: web.Request) -> web.Response:
        near, far = await open_ends(way, next(seeds))
        ends.extend((near, far))
        asked = await request.json()
        asked["sdp"], near.peer = with_candidate(asked["sdp"], far.address)
        headers = {k: v for k, v in request.headers.items() if k.lower() == "authorization"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{server}/offer", json=asked, headers=headers) as response,
        ):
            answered = await response.json()
            if response.status == 200:
                answered["sdp"], far.peer = with_candidate(answered["sdp"], near.address)
            return web.json_response(answered, status=response.status)

    async def shut_down(app: web.Application) -> None:
        for end in ends:
            end.close()

    app = web.Application()
    app.router.add_post("/offer", offer)
    app.on_shutdown.append(shut_down)
    return app


def add_way(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what a path is like."""
    parser.add_argument("--delay", type=float, default=0.0, metavar="MS", help="each way")
    parser.add_argument("--jitter", type=float, default=0.0, metavar="MS", help="up to, more")
    parser.add_argument("--loss", type=float, default=0.0, metavar="%", help="each way")
    parser.add_argument("--bandwidth", type=float, metavar="MBPS", help="each way, in Mb/s")
    parser.add_argument("--seed", type=int, default=1, help="of what is lost")


def way_of(asked: argparse.Namespace) -> Way:
    """What those flags say."""
    bandwidth_bps = asked.bandwidth * 1e6 if asked.bandwidth else None
    return Way(asked.delay / 1000, asked.jitter / 1000, asked.loss / 100, bandwidth_bps)


async def serve(asked: argparse.Namespace, until: Callable[[], Any]) -> None:
    """Relay until a blocking call returns."""
    runner = web.AppRunner(build_app(asked.server, way_of(asked), asked.seed))
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        port = runner.addresses[0][1]
        print(json.dumps({"url": f"http://{HOST}:{port}"}), flush=True)
        await asyncio.to_thread(until)
    finally:
        await runner.cleanup()


def main() -> None:
    """Relay until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="URL")
    add_way(parser)
    asyncio.run(serve(parser.parse_args(), sys.stdin.read))


if __name__ == "__main__":
    main()
