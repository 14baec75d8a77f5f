"""A node as the child of a program that has other things to do: how it starts, and how it ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import aiohttp
import psutil
import pytest

from server.cluster import kept_node
from server.cluster.kept_node import KeptNode, open_doors, warnings_of_machine, without_ray
from server.config import BadSettings, parse_settings
from server.recordings.folder import Folder
from server.recordings.status import RecordingNote, State
from tests.server.cluster.test_machines import registry
from tests.support.forked import ROOT
from tests.support.server import COUNTER, free_port

WITHIN_S = 60.0
SECRET = "a secret of thirty-two characters or more"
FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--ice-address", "127.0.0.1")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def flags(tmp_path, monkeypatch):
    monkeypatch.setenv("CLUSTER_SECRET", SECRET)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(ROOT)
    return [*FLAGS, "--no-camera-enabled", "--port", str(free_port())]


def make(flags, number=3):
    return KeptNode(number, flags, parse_settings(flags), "127.0.0.1")


@pytest.fixture
def node(flags):
    kept = make(flags)
    yield kept
    with contextlib.suppress(OSError):
        kept.stop()


async def until(condition):
    async with asyncio.timeout(WITHIN_S):
        while not condition():
            await asyncio.sleep(0.05)


def gone(process):
    """Whether it has ended, reaped or not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


async def until_it_serves(kept):
    def asked():
        with contextlib.suppress(OSError), urllib.request.urlopen(kept.url + "/health") as answer:
            return json.load(answer)
        return None

    async with asyncio.timeout(WITHIN_S):
        while not (health := await asyncio.to_thread(asked)):
            await asyncio.sleep(0.1)
    return health


async def test_it_serves_is_ended_in_order_and_started_again(node):
    node.start()
    health = await until_it_serves(node)
    # By itself, while it knows of no registry.
    assert [each["node"] for each in health["nodes"]] == [3]
    first = psutil.Process(node.pid)
    await asyncio.to_thread(node.drain)
    await until(lambda: gone(first))
    await until(lambda: node.starts == 2 and node.pid)
    await until_it_serves(node)
    second = psutil.Process(node.pid)
    family = [second, *second.children(recursive=True)]
    await asyncio.to_thread(node.stop)
    await until(lambda: all(map(gone, family)))
    assert node.pid is None


async def test_what_dies_is_started_again(node):
    node.start()
    await until_it_serves(node)
    os.kill(node.pid, signal.SIGKILL)
    await until(lambda: node.starts == 2 and node.pid)
    await until_it_serves(node)


PROGRAM = """
import sys, time
from server.cluster.kept_node import KeptNode
from server.config import parse_settings
flags = sys.argv[1:]
node = KeptNode(0, flags, parse_settings(flags), "127.0.0.1")
node.start()
while node.pid is None: time.sleep(0.01)
print(node.pid, node.url, node._directory, flush=True)
time.sleep(600)
"""


async def test_when_its_program_is_killed_it_ends(flags):
    program = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", PROGRAM, *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        line = await asyncio.to_thread(program.stdout.readline)
        pid, url, directory = line.split()
        supervisor = psutil.Process(int(pid))
        await until(lambda: supervisor.children())
        assert url.startswith("http://127.0.0.1:")
        family = [supervisor, *supervisor.children(recursive=True)]
    finally:
        program.kill()
        program.wait()
    await until(lambda: all(map(gone, family)))
    await until(lambda: not os.path.exists(directory))


def test_its_environment_has_nothing_of_rays():
    given = {
        "RAY_AUTH_TOKEN": "x",
        "RAY_JOB_ID": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONBREAKPOINT": "ray.util.rpdb.set_trace",
        "CUDA_VISIBLE_DEVICES": "",
        "PATH": "/bin",
        "AUTH_SECRET": "y",
    }
    assert without_ray(given) == {"PATH": "/bin", "AUTH_SECRET": "y"}
    assert without_ray({"CUDA_VISIBLE_DEVICES": "0"}) == {"CUDA_VISIBLE_DEVICES": "0"}


def test_a_second_node_of_a_machine_takes_the_next_ports(flags):
    settings = parse_settings(flags)
    first, second = open_doors(settings), open_doors(settings)
    try:
        assert (first.place, second.place) == (0, 1)
        ports = [each.main[0].getsockname()[1] for each in (first, second)]
        assert ports == [settings.port, settings.port + 2]
    finally:
        for doors in (first, second):
            for each in (*doors.main, *doors.next_port):
                each.close()


def test_ports_of_a_predecessor_that_is_ending_are_waited_for(flags):
    settings = parse_settings(flags)
    before = open_doors(settings)

    def end():
        for each in (*before.main, *before.next_port):
            each.close()

    ending = threading.Timer(1.0, end)
    ending.start()
    try:
        after = open_doors(settings, WITHIN_S)
    finally:
        ending.join()
    assert after.place == 0
    for each in (*after.main, *after.next_port):
        each.close()


def test_a_second_node_that_comes_again_takes_its_own_ports_and_waits_for_no_others(flags):
    """The first ones are another node's, which stays."""
    settings = parse_settings(flags)
    first = open_doors(settings)
    again = open_doors(settings, float("inf"), 1)
    # Where those are somebody else's by now, the next free ones do.
    third = open_doors(settings, 0.0, 1)
    assert (first.place, again.place, third.place) == (0, 1, 2)
    for doors in (first, again, third):
        for each in (*doors.main, *doors.next_port):
            each.close()


async def test_what_another_machine_has_recorded_is_found_at_any_door(flags, tmp_path):
    """Each has its own disk."""
    film = bytes(range(256)) * 400
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(registry(tmp_path))
        address = (tmp_path / "registry.sock").read_text()
        nodes = []
        for number in (3, 4):
            disk = tmp_path / str(number)
            disk.mkdir()
            nodes.append(make([*flags, "--record-to", str(disk)], number))
            # On a thread: the registry that they ask on their way out is served by this one.
            stack.push_async_callback(asyncio.to_thread, nodes[-1].stop)
            nodes[-1].tell_registry(address)
            nodes[-1].start()
        there = Folder(tmp_path / "4")
        there.movie("yard").write_bytes(film)
        told = {
            "source": "camera",
            "state": State.FINISHED,
            "started_at": time.time_ns() // 1_000_000,
            "frames": 9,
        }
        there.note(RecordingNote(name="yard", seconds=1.0, bytes=len(film), **told))
        for each in nodes:
            while len((await until_it_serves(each))["nodes"]) < 2:
                await asyncio.sleep(0.1)
        http = await stack.enter_async_context(aiohttp.ClientSession(nodes[0].url))
        async with http.get("/recordings") as answer:
            assert [each["name"] for each in (await answer.json())["recordings"]] == ["yard"]
        async with http.get("/recordings/yard.mp4") as answer:
            assert (answer.status, await answer.read()) == (200, film)
        async with http.get("/recordings/yard.mp4", headers={"Range": "bytes=5-9"}) as answer:
            assert (answer.status, await answer.read()) == (206, film[5:10])
        for name, status in (("hall", 404), ("..%2Fyard", 404)):
            async with http.get(f"/recordings/{name}.mp4") as answer:
                assert answer.status == status
        async with http.delete("/recordings/yard?file=1") as answer:
            assert answer.status == 200
        assert not (tmp_path / "4" / "yard.mp4").exists()
        async with http.get("/recordings/yard.mp4") as answer:
            assert answer.status == 404


def test_an_address_that_is_none_of_its_own_is_told_of(flags):
    with pytest.raises(BadSettings, match=r"can not be let in at 192\.0\.2\.77"):
        KeptNode(0, flags, parse_settings(flags), "192.0.2.77")


SHOW = "import os; from server.cluster.kept_node import *; from server.cluster import kept_node;"


def run_niced(code):
    return subprocess.run(
        ["nice", "-n", "3", sys.executable, "-c", SHOW + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_what_runs_behind_all_else_is_told_of_and_undone_where_that_may_be():
    assert re.search(
        r"niceness \d+.*RAY_worker_niceness=0", run_niced("print(warnings_of_machine(0))")
    )
    if os.geteuid() == 0:
        told = run_niced("kept_node._be_as_urgent_as_others(); print(os.nice(0))")
        assert int(told) == 0


def test_too_little_shared_memory_is_told_of(monkeypatch):
    monkeypatch.setattr(kept_node, "LEAST_SHM_BYTES", 1 << 62)
    assert any("/dev/shm has" in each for each in warnings_of_machine(0))
    monkeypatch.setattr(kept_node, "LEAST_SHM_BYTES", 0)
    assert not any("/dev/shm" in each for each in warnings_of_machine(0))
