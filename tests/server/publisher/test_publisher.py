"""A camera as a peer of a server elsewhere: real processes on both sides, and what can happen."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import urllib.request

import aiohttp
import pytest

from server import rtc
from server.camera.camera import Camera
from server.camera.pattern import Pattern
from server.camera.source import Mode
from server.publisher.destination import parse_destination
from server.publisher.publisher import Publication, Publisher
from tests.support.camera_peer import running_camera_peer
from tests.support.server import COUNTER, running_server
from tests.support.watcher import watcher

ANALYZED = ("--analyzers", COUNTER, "--workers", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), *ANALYZED) as running:
        yield running


def count(session):
    last = session["last_result"]
    return last["count"] if last else 0


def analyzed(server, sid, more_than=0):
    """Wait until a session has had more frames analyzed than that."""
    return server.wait_until(f"/sessions/{sid}", lambda s: count(s) > more_than)


def final_of(server, sid):
    """Begin to read a session's results; returns what waits for the final one."""
    url = f"{server.url}/sessions/{sid}/results"
    response = urllib.request.urlopen(url, timeout=60)
    found = []

    def read():
        with response:
            results = (json.loads(line[5:]) for line in response if line.startswith(b"data:"))
            found.extend(result for result in results if result.get("final"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()

    def wait():
        thread.join(60)
        assert found, "no final result"
        return found[0]

    return wait


def test_its_pictures_are_analyzed_and_sigterm_ends_the_session(server, tmp_path):
    with running_camera_peer(tmp_path, server.url, "--name", "yard") as peer:
        sid = peer.wait_until_published("a new session")
        session = analyzed(server, sid, 5)
        assert session["name"] == "yard"
        assert session["state"] == "streaming"
        assert session["last_result"]["size"] == [240, 320]
        # A test pattern, not black: of the bars' seven colours each channel is on in four.
        assert all(60 < level < 140 for level in session["last_result"]["mean_rgb"])
        # What it says of itself: at once, and then every 10 s with what was sent since.
        session = server.wait_until(
            f"/sessions/{sid}", lambda s: s["health"] and "fps" in s["health"], 40
        )
        assert session["health"]["fps"] > 0
        assert session["health"]["bitrate"] > 0
        assert session["health"]["uptime_s"] > 0
        final = final_of(server, sid)
        assert peer.stop(signal.SIGTERM) == 0
        assert final()["total"] > 5
        session = server.get(f"/sessions/{sid}")
        assert session["states"] == ["new", "streaming", "ending", "ended"]
        assert session["end_reason"] == "the client ended it"
        assert "got its final result" in peer.log


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_others_watch_it_by_its_name(server, tmp_path, codec):
    with running_camera_peer(tmp_path, server.url, "--name", "pond") as peer:
        await asyncio.to_thread(
            analyzed, server, await asyncio.to_thread(peer.wait_until_published)
        )
        async with aiohttp.ClientSession() as http, watcher(server, "pond", codec) as viewer:
            await viewer.watch(http)
            await viewer.wait_for(5)
        rgb = viewer.frames[-1].to_ndarray(format="rgb24").astype(int)
        assert rgb.shape == (240, 320, 3)
        # The pattern's bars below its clock: white, yellow, cyan, green, magenta, red, blue.
        bars = [tuple(rgb[120, (2 * n + 1) * 320 // 14] > 96) for n in range(7)]
        assert bars == [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]


def test_sigint_ends_one_that_never_found_its_server(tmp_path):
    with running_camera_peer(tmp_path, "http://127.0.0.1:9") as peer:
        peer.wait_until_logged("can not be reached: Connection refused: again in")
        assert peer.stop(signal.SIGINT) == 0
        # While the server is away, the camera rests.
        assert "Camera: " not in peer.log


def test_a_server_that_is_killed_finds_it_again(tmp_path):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(running_server(tmp_path, *ANALYZED))
        peer = stack.enter_context(running_camera_peer(tmp_path, first.url, "--name", "yard", "-v"))
        sid = peer.wait_until_published()
        analyzed(first, sid)
        first.process.kill()
        peer.wait_until_logged("the connection is lost")
        # It tries and tries: what it logs of the later ones goes to the debug log.
        peer.wait_until_logged(r"(?s)Connection refused: again in .*Connection refused: again in ")
        second = stack.enter_context(running_server(tmp_path, *ANALYZED, port=first.port))
        again = peer.wait_until_published("a new session, counts begin anew")
        assert again != sid
        analyzed(second, again)
        assert second.get(f"/sessions/{again}")["name"] == "yard"


def test_after_a_silence_the_session_goes_on(server, tmp_path):
    with running_camera_peer(tmp_path, server.url, "--name", "porch") as peer:
        sid = peer.wait_until_published()
        before = count(analyzed(server, sid, 5))
        # As a machine does that slept, or whose network was away.
        os.kill(peer.process.pid, signal.SIGSTOP)
        waiting = server.wait_until(f"/sessions/{sid}", lambda s: s["state"] == "disconnected", 60)
        os.kill(peer.process.pid, signal.SIGCONT)
        assert peer.wait_until_published("continued") == sid
        after = analyzed(server, sid, count(waiting))
        assert count(waiting) >= before
        assert after["states"] == ["new", "streaming", "disconnected", "streaming"]


async def test_it_continues_its_session_before_the_server_misses_it(server, monkeypatch):
    rtc.install()
    rtc.set_ice_hosts(["127.0.0.1"])
    publication = Publication(parse_destination(server.url), True, "roof", "", None)
    publisher = Publisher(publication, Camera(lambda: Pattern(Mode(160, 120, 10))))
    said = asyncio.Queue()
    monkeypatch.setattr(publisher, "_say", lambda level, what, more="": said.put_nowait(what))
    running = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(40):
            first = await said.get()
            await asyncio.to_thread(analyzed, server, re.search(r"session (\w+), a new", first)[1])
            # The socket is gone; the server is told nothing, and so the name is still taken.
            await publisher._link._connection.sctp.transport.transport.stop()
            assert await said.get() == "the connection is lost"
            assert await said.get() == first.replace("a new session", "continued")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await publisher.stop()
        rtc.set_ice_hosts([])


def test_a_name_that_is_taken_is_asked_for_again(server, tmp_path):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(running_camera_peer(tmp_path, server.url, "--name", "gate"))
        first.wait_until_published()
        second = stack.enter_context(running_camera_peer(tmp_path, server.url, "--name", "gate"))
        second.wait_until_logged("the name is taken")
        assert first.stop() == 0
        analyzed(server, second.wait_until_published())


def test_a_session_ended_by_the_server_is_followed_by_a_new_one(server, tmp_path):
    with running_camera_peer(tmp_path, server.url, "--name", "lane") as peer:
        sid = peer.wait_until_published()
        server.delete(f"/sessions/{sid}")
        peer.wait_until_logged("the server has ended the session")
        again = peer.wait_until_logged(r"(?s)has ended the session.*session (\w+), a new session")[
            1
        ]
        assert again != sid
        analyzed(server, again)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


@pytest.fixture
def two_networks():
    """A network namespace with a cable to this one: its name, our address, its two addresses."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    name = f"kinecast-{os.getpid()}"
    ours, theirs = f"kc{os.getpid()}a"[-15:], f"kc{os.getpid()}b"[-15:]
    try:
        ip("netns", "add", name)
    except subprocess.CalledProcessError:
        pytest.skip("network namespaces can not be made here")
    try:
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        ip("addr", "add", "198.18.77.1/24", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", name, "link", "set", theirs, "up")
        ip("-n", name, "addr", "add", "198.18.77.2/24", "dev", theirs)
        yield name, theirs
    finally:
        # The cable goes with its end.
        ip("netns", "del", name)


def test_a_change_of_network_is_survived(two_networks, tmp_path):
    name, cable = two_networks
    flags = (*ANALYZED, "--host", "198.18.77.1", "--no-auth", "--ice-address", "198.18.77.1")
    within = ("ip", "netns", "exec", name)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path, *flags, until_ready=False))
        server.url = f"http://198.18.77.1:{server.port}"
        server.wait_until_logged("which load now", 60)
        server.wait_until("/health", lambda health: health["ready"], 60)
        peer = stack.enter_context(
            running_camera_peer(
                tmp_path, server.url, "--name", "car", ice_address="", within=within
            )
        )
        sid = peer.wait_until_published()
        before = count(analyzed(server, sid, 5))
        ip("-n", name, "addr", "del", "198.18.77.2/24", "dev", cable)
        ip("-n", name, "addr", "add", "198.18.77.3/24", "dev", cable)
        assert peer.wait_until_published("continued") == sid
        assert count(analyzed(server, sid, before + 5)) > before
        assert "not encrypted" in peer.log
