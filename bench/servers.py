"""Starts and stops the servers that are measured, each in processes of its own."""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.process_tree import ProcessTree

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 90.0
# The baseline, seconds behind, takes long to hang up; it is not waited for.
STOP_TIMEOUT_S = 5.0
POLL_S = 0.1

BARCODE = "bench.barcode_analyzer:BarcodeReader"


@dataclass(frozen=True, slots=True)
class ServerKind:
    """How to start a server.

    Attributes
    ----------
    name
        In the tables.
    use
        The door that the load takes.
    arguments
        After ``python``; the port and the ICE address are added.
    """

    name: str
    use: str
    arguments: tuple[str, ...]


def kinecast(*analyzers: str, name: str = "kinecast") -> ServerKind:
    """Kinecast with pose, the bar code, and other analyzers beside them."""
    chain = ",".join(("pose", BARCODE, *analyzers))
    return ServerKind(name, "websocket", ("-m", "server", "--analyzers", chain))


BASELINE = ServerKind("baseline", "http", ("-m", "bench.baseline"))


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that is ready."""

    kind: ServerKind
    url: str
    tree: ProcessTree


@contextlib.asynccontextmanager
async def running(kind: ServerKind) -> AsyncIterator[RunningServer]:
    """Start a server, wait until it is ready, sample it, stop it.

    Raises
    ------
    RuntimeError
        It ended, or was not ready in time; the text has the end of what it printed.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [*kind.arguments, "--port", str(port), "--ice-address", "127.0.0.1"]
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
        )
        try:
            try:
                await _until_ready(process, url)
            except (RuntimeError, TimeoutError) as error:
                output.seek(0)
                said = output.read()[-2000:].decode(errors="replace")
                raise RuntimeError(f"{kind.name} did not start: {error}\n{said}") from error
            tree = ProcessTree(process.pid)
            watching = asyncio.create_task(tree.watch())
            try:
                yield RunningServer(kind, url, tree)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        finally:
            await _stop(process)


async def _until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(START_TIMEOUT_S), aiohttp.ClientSession() as http:
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{url}/health") as response:
                    if (await response.json()).get("ready"):
                        return
            await asyncio.sleep(POLL_S)
    raise RuntimeError(f"exit status {process.returncode}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def sessions_open(url: str) -> int:
    """How many sessions Kinecast has."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/sessions") as response:
        return len((await response.json())["sessions"])


def free_port() -> int:
    """A port that is free, as is the next one, which Kinecast takes too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


async def run_load(server: RunningServer, *arguments: str, timeout_s: float) -> str:
    """Run the load client against a server; returns the JSON that it printed.

    Raises
    ------
    RuntimeError
        It failed; the text is what it printed.
    TimeoutError
        It took longer than `timeout_s`.
    """
    command: Sequence[str] = (
        "-m",
        "bench.stream_load",
        "--url",
        server.url,
        "--use",
        server.kind.use,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        *arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # A long run's results are one line.
        limit=1 << 26,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(timeout_s):
            line = await process.stdout.readline()
        if not line:
            said = (await process.stderr.read())[-2000:].decode(errors="replace")
            raise RuntimeError(f"the load on {server.kind.name} failed: {said}")
        return line.decode()
    finally:
        # It has told everything; a server that is seconds behind would keep it from hanging up.
        await _stop(process)
