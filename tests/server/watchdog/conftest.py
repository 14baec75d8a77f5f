"""Servers under their supervisor, and what can be seen of them from outside."""

import asyncio
import re
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.support.server import COUNTER, running_server

FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--camera", "pattern")


@pytest.fixture
def server(tmp_path):
    """A server of the test's own, under its supervisor."""
    with running_server(tmp_path, *FLAGS, watched=True) as running:
        yield running


def media_process(server):
    """The supervisor's only child."""
    (media,) = psutil.Process(server.process.pid).children()
    return media


def shared_memory(processes):
    """The files in /dev/shm that these processes have mapped."""
    maps = "".join(Path(f"/proc/{process.pid}/maps").read_text() for process in processes)
    return {Path(name) for name in re.findall(r"(/dev/shm/\S+)", maps)}


async def analyze_camera(server, token=None):
    """Have the server's own camera analyzed: its pictures cross to the worker in shared memory."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = {"source": "camera"}
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as http,
        http.post("/sessions", json=asked) as answer,
    ):
        assert answer.status in (200, 201), await answer.text()
        sid = (await answer.json())["id"]
        async with asyncio.timeout(60):
            while not (await (await http.get(f"/sessions/{sid}")).json())["analyzed"]:
                await asyncio.sleep(0.05)


async def until(condition, within_s=60.0):
    """Wait until it holds; other processes' states have no event to wait for."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.05)


def is_gone(process):
    """Whether a process has ended, reaped or not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
