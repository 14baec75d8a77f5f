"""A server of several nodes, and each of its nodes: which cores it runs on, its end, its doors."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bench.harness.processes import POLL_S, START_TIMEOUT_S, RunningServer, kinecast, running
from server.cluster.link import IDENTITY_HEADER, write_identity
from server.cluster.node import VARIABLE
from server.security.identity import ANONYMOUS


@dataclass(frozen=True, slots=True)
class NodeServer:
    """A server whose nodes are all ready; of one node, it is as it ever was."""

    server: RunningServer
    count: int

    @property
    def url(self) -> str:
        return self.server.url

    def nodes(self) -> dict[int, psutil.Process]:
        """Their media processes, by number."""
        root = self.server.tree.root
        if self.count == 1:
            return {0: root}
        found = {}
        for child in root.children():
            with contextlib.suppress(psutil.Error, KeyError):
                found[json.loads(child.environ()[VARIABLE])["number"]] = child
        return found

    def to_node(self, number: int) -> aiohttp.ClientSession:
        """A client of one node, which asks as another node does: nobody else answers."""
        (told, *_) = [json.loads(child.environ()[VARIABLE]) for child in self.nodes().values()]
        path = Path(told["directory"]) / f"{number:02x}.sock"
        return aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(path)),
            headers={IDENTITY_HEADER: write_identity(ANONYMOUS)},
        )

    def pin(self, cores: Iterable[int]) -> None:
        """Give each node a core, in turn; what it starts later stays there, too."""
        cores = list(cores)
        for number, node in self.nodes().items():
            for process in (node, *node.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.cpu_affinity([cores[number % len(cores)]])

    async def wait_until_ready(self) -> None:
        """Wait for nodes that were started again.

        Raises
        ------
        TimeoutError
            One does not come.
        """
        async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/health") as answer:
                        health = await answer.json()
                    if all(node["ready"] for node in health.get("nodes") or ()):
                        return
                await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def running_nodes(count: int, *flags: str) -> AsyncIterator[NodeServer]:
    """Start a server of so many nodes; one is a server without nodes."""
    more = ("--nodes", str(count)) if count > 1 else ()
    kind = kinecast(*more, *flags, name=f"{count} node{'s' * (count > 1)}")
    async with running(kind) as server:
        made = NodeServer(server, count)
        await made.wait_until_ready()
        yield made


def node_of(identifier: str) -> int:
    """The node that made a session's or a viewer's identifier."""
    return int(identifier[:2], 16)


@contextlib.asynccontextmanager
async def door(server: NodeServer) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """A client whose one connection a node has accepted, and which one, as the system sees it."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http:
        async with http.get(f"{server.url}/openapi.json") as answer:
            await answer.read()
        ours = {each.laddr for each in psutil.Process().net_connections("tcp") if each.raddr}
        for number, process in server.nodes().items():
            if any(each.raddr in ours for each in process.net_connections("tcp") if each.raddr):
                yield http, number
                return
    raise RuntimeError("no node has the connection")


def now_ms() -> float:
    """A clock for durations."""
    return time.perf_counter() * 1000
