"""Servers of several nodes, and each of their nodes by itself, for tests."""

import contextlib
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from server.cluster.link import IDENTITY_HEADER, write_identity
from server.cluster.node import MAX_NODES, directory_prefix, tag_of
from server.security.identity import ANONYMOUS
from tests.support.forked_nodes import name_of
from tests.support.server import COUNTER, running_server

# On a machine that does something else, each node takes as long to start as a server of its own.
START_WITHIN_S = 200.0


@contextlib.contextmanager
def running_nodes(directory, count, *flags):
    """A server of several nodes, all of which are ready."""
    flags = ("--analyzers", COUNTER, "--workers", str(count), "--nodes", str(count), *flags)
    with running_server(directory, *flags, watched=True, until_ready=False) as server:
        wait_until_ready(server)
        yield server


def wait_until_ready(server):
    """Wait until all nodes are."""
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        assert time.monotonic() < deadline, server.log
        assert server.process.poll() is None, server.log
        with contextlib.suppress(OSError):
            if all_ready(server.get("/health")):
                return
        time.sleep(0.1)


def all_ready(health):
    return all(node["ready"] for node in health["nodes"])


def media_processes(server):
    """By number: the parent's children are supervisors, and theirs are the nodes."""
    numbers = {name_of(number): number for number in range(MAX_NODES)}
    found = {}
    for supervisor in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.Error, KeyError):
            number = numbers[supervisor.name()]
            (found[number],) = supervisor.children()
    return found


def directory_of(server):
    """Where the sockets of a server's nodes are; one that was killed may have left another."""
    found = Path(tempfile.gettempdir()).glob(f"{directory_prefix(server.port)}*")
    return max(found, key=lambda directory: directory.stat().st_mtime)


class OneNode:
    """One of a server's nodes, asked as another node would ask it: nobody else answers."""

    url = "http://node"

    def __init__(self, server, number):
        self.socket = str(directory_of(server) / f"{tag_of(number)}.sock")

    @contextlib.asynccontextmanager
    async def http(self, by=ANONYMOUS):
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(self.socket),
            headers={IDENTITY_HEADER: write_identity(by)},
        ) as session:
            yield session

    async def metric(self, name):
        async with self.http() as http, http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
