"""The supervisor: what it starts again, what it leaves alone, how it ends."""

import asyncio
import os
import pty
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from client_test.peer import ClientPeer
from tests.support.server import (
    FAULTY,
    MODULE,
    ROOT,
    free_port,
    run_until_exit,
    running_server,
    wait_until_ready,
)
from tests.support.tracks import ColourTrack

from .conftest import FLAGS, analyze_camera, is_gone, media_process, shared_memory, until

HEAVY = ("numpy", "pydantic", "aiohttp", "_asyncio", "/av/")


def test_it_stands_outside_and_loads_next_to_nothing(tmp_path):
    with running_server(tmp_path, *FLAGS, watched=True, anew=True) as server:
        supervisor, media = psutil.Process(server.process.pid), media_process(server)
        assert os.getpgid(media.pid) == media.pid, "a terminal's Ctrl-C does not reach it"
        ours, theirs = (Path(f"/proc/{p.pid}/maps").read_text() for p in (supervisor, media))
        assert not [name for name in HEAVY if name in ours]
        assert [name for name in HEAVY if name not in theirs] == []


# ---- starting again


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
async def test_a_server_that_crashes_is_started_again(server, number):
    before = media_process(server)
    workers = before.children(recursive=True)
    os.kill(before.pid, number)
    server.wait_until_logged(rf"The media process died \(signal {number:d}\): started again")
    wait_until_ready(server)
    assert media_process(server) != before
    await until(lambda: all(map(is_gone, workers)))
    assert ("Segmentation fault" in server.log) == (number == signal.SIGSEGV)
    assert server.stop() == 0


CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def _can_contain():
    try:
        return subprocess.run([*CONTAINER, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not _can_contain(), reason="it takes rights to make a container's processes")
async def test_as_process_1_it_reaps_what_a_crash_leaves(tmp_path):
    with running_server(tmp_path, *FLAGS, command=(*CONTAINER, *MODULE), watched=True) as server:
        (supervisor,) = psutil.Process(server.process.pid).children()
        (media,) = supervisor.children()
        media.kill()
        server.wait_until_logged("started again")
        wait_until_ready(server)
        await until(lambda: len(supervisor.children()) == 1)
        assert supervisor.children() != [media]
        supervisor.terminate()
        assert await asyncio.to_thread(server.process.wait, 60) == 0


async def test_a_stopped_server_goes_on_or_is_replaced(server):
    before = media_process(server)
    before.suspend()
    await asyncio.sleep(5)  # Short of what it may take.
    before.resume()
    # It was silent for a while; from its next beat on it has all of its time again.
    server.wait_until("/health", lambda health: health["ready"])
    assert media_process(server) == before
    before.suspend()
    server.wait_until_logged("The event loop did not turn for 10 s: started again", 60)
    wait_until_ready(server)
    assert media_process(server) != before
    assert server.log.count("started again") == 1


async def test_a_machine_that_was_asleep_kills_nothing(server):
    supervisor, media = psutil.Process(server.process.pid), media_process(server)
    for process in (supervisor, media):
        process.suspend()
    await asyncio.sleep(12)  # More than silence may last.
    supervisor.resume()
    await until(lambda: supervisor.status() == psutil.STATUS_SLEEPING)
    media.resume()
    # Twelve more looks, in any of which it could be found dead.
    began_s = time.monotonic()
    await until(lambda: media_process(server) != media or time.monotonic() > began_s + 6)
    assert media_process(server) == media
    assert "event loop" not in server.log


async def test_what_never_came_up_is_not_started_again(tmp_path):
    # A fork of one that has imported it would have come up by then.
    how = {"watched": True, "until_ready": False, "anew": True}
    with running_server(tmp_path, *FLAGS, **how) as server:
        await until(lambda: psutil.Process(server.process.pid).children())
        media_process(server).kill()
        assert await asyncio.to_thread(server.process.wait, 60) == 128 + signal.SIGKILL
        assert server.log == ""


# ---- the end


@pytest.fixture
def terminal(tmp_path):
    """A server in the foreground of a terminal; its port, the terminal's keyboard, its log."""
    ours, theirs = pty.openpty()
    port = free_port()
    command = ["setsid", "--ctty", *MODULE, "--port", str(port), "--ice-address", "127.0.0.1"]
    with (
        (tmp_path / "log").open("w+") as log,
        subprocess.Popen([*command, *FLAGS], cwd=ROOT, stdin=theirs, stdout=log, stderr=log) as it,
    ):
        yield it, port, ours, tmp_path / "log"
        if it.poll() is None:
            it.kill()
    os.close(ours)
    os.close(theirs)


async def test_ctrl_c_ends_it_in_order(terminal):
    process, port, keyboard, log = terminal
    await until(lambda: _answers(port))
    async with ClientPeer(f"http://127.0.0.1:{port}") as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        os.write(keyboard, b"\x03")
        assert (await peer.wait_for(lambda m: m.get("final")))["total"] > 3
    assert await asyncio.to_thread(process.wait, 60) == 0
    # The terminal's own signal would have been the second one.
    assert "second time" not in log.read_text()
    assert "Traceback" not in log.read_text()
    assert not _answers(port)


def _answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_asked_twice_it_ends_at_once(tmp_path, number):
    flags = ("--analyzers", FAULTY, "--workers", "1", "--no-camera-enabled")
    with running_server(tmp_path, *flags, watched=True) as server:
        async with ClientPeer(server.url, options={"faulty": {"end": "block"}}) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: "faulty" in m)
            processes = [media_process(server), *media_process(server).children(recursive=True)]
            server.process.send_signal(number)
            server.wait_until_logged("Session .* ends")
            # As a person does, who sees that it goes on.
            while server.process.poll() is None:
                server.process.send_signal(number)
                await asyncio.sleep(0.2)
            assert server.process.returncode == 1
        assert "as asked a second time" in server.log
        assert "Traceback" not in server.log
        await until(lambda: all(map(is_gone, processes)))


async def test_a_signal_to_all_of_its_processes_ends_it_in_order(server):
    media = media_process(server)
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        server.process.terminate()
        media.terminate()
        assert (await peer.wait_for(lambda m: m.get("final")))["total"] > 3
    assert await asyncio.to_thread(server.process.wait, 60) == 0


async def test_without_its_supervisor_the_server_ends_in_order(server):
    media = media_process(server)
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 3)
        await analyze_camera(server)
        processes = [media, *media.children(recursive=True)]
        memory = shared_memory(processes)
        server.process.kill()
        assert (await peer.wait_for(lambda m: m.get("final")))["total"] > 3
    await until(lambda: all(map(is_gone, processes)))
    assert memory
    assert not [path for path in memory if path.exists()]
    assert "The supervisor is gone: stopping" in server.log
    assert not _answers(server.port)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--port", "0"), "kinecast: --port: "),
        (("--no-such-flag",), "kinecast: unrecognized arguments: --no-such-flag"),
        (("--no-watchdog=1",), "kinecast: argument --no-watchdog: ignored explicit argument"),
        (("--no-watch",), "kinecast: unrecognized arguments: --no-watch "),
    ],
)
def test_bad_settings_are_one_line(flags, says):
    status, printed = run_until_exit(*flags)
    assert (status, printed.count("\n")) == (2, 1)
    assert printed.startswith(says)


def test_nonsense_in_the_environment_is_refused():
    status, printed = run_until_exit(env={"WATCHDOG": "perhaps"})
    assert (status, printed.count("\n")) == (2, 1)
    assert printed.startswith("kinecast: --no-watchdog: ")


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        home = {"XDG_DATA_HOME": str(tmp_path)}
        status, printed = run_until_exit("--port", port, *FLAGS, env=home)
    assert (status, printed.count("\n")) == (2, 1)
    assert "is in use" in printed


def test_a_bad_analyzer_is_found_when_it_listens_and_ends_it_too(tmp_path):
    flags = ("--analyzers", "tests.support.models:NotAnAnalyzer", "--no-camera-enabled")
    port = str(free_port())
    status, printed = run_until_exit("--port", port, *flags, env={"XDG_DATA_HOME": str(tmp_path)})
    assert status == 2
    assert "Kinecast serves" in printed
    assert "\nkinecast: --analyzers: " in printed
    assert "started again" not in printed


# ---- without one


@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_everything_is_in_one_process_if_wanted(tmp_path, monkeypatch, way):
    (tmp_path / ".env").write_text("export Watchdog = off\n" if way == "file" else "")
    if way == "environment":
        monkeypatch.setenv("WATCHDOG", "0")
    flags = ("--no-watchdog",) if way == "flag" else ()
    where = {"cwd": tmp_path, "path": str(ROOT)}
    with running_server(tmp_path, *FLAGS, *flags, watched=True, **where) as server:
        assert all(
            "resource_tracker" in " ".join(child.cmdline())
            or "server.workers.template" in child.cmdline()
            for child in psutil.Process(server.process.pid).children()
        )


def test_a_flag_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHDOG", "1")
    with running_server(tmp_path, *FLAGS, watched=True, anew=True) as server:
        assert media_process(server).cmdline() == psutil.Process(server.process.pid).cmdline()


def test_help_is_given_once():
    done = subprocess.run([*MODULE, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("usage: ") == 1
    assert "--no-watchdog" in done.stdout
