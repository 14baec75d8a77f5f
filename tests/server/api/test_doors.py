"""TLS, the WebSocket-only mode, ICE servers, health and metrics, recordings."""

import asyncio
import json
import logging
import shutil
import signal
import subprocess
import urllib.error

import aiohttp
import av
import pytest

from client_test.errors import Rejected
from client_test.peer import ClientPeer
from tests.support.in_process import application
from tests.support.server import CONSOLE_SCRIPT, COUNTER, running_server
from tests.support.tracks import ColourTrack, ToneTrack

FLAGS = ("--analyzers", COUNTER, "--workers", "1")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return "--cert-file", str(cert), "--key-file", str(key)


@pytest.fixture(scope="module")
def secured(tmp_path_factory, certificate):
    """A server with that certificate."""
    log = tmp_path_factory.mktemp("secured")
    with running_server(log, *FLAGS, *certificate, scheme="https") as running:
        yield running


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def server(tmp_path_factory, recordings):
    """A server that records."""
    log = tmp_path_factory.mktemp("server")
    with running_server(log, *FLAGS, "--record-to", str(recordings)) as running:
        yield running


@pytest.mark.parametrize("use", ["websocket", "legacy", "http"])
async def test_both_ports_speak_tls(secured, use):
    async with ClientPeer(secured.url, use=use, insecure=True) as peer:
        await _connect_when_up(peer)
        await peer.wait_for(lambda m: m.get("count", 0) > 2, 60)
        await peer.end()


async def _connect_when_up(peer):
    async with asyncio.timeout(60):
        while True:
            try:
                await peer.connect(ColourTrack())
            except Exception as error:
                if "refused" not in str(error).lower() and "cannot" not in str(error).lower():
                    raise
                await asyncio.sleep(0.1)
            else:
                return


async def test_the_websocket_alone(tmp_path):
    with running_server(tmp_path, *FLAGS, "--websocket-only") as server:
        async with ClientPeer(server.url, use="legacy") as peer:
            await _connect_when_up(peer)
            await peer.wait_for(lambda m: m.get("count", 0) > 2, 60)
            await peer.end()
        with pytest.raises(urllib.error.URLError):
            server.get("/health")


async def test_the_older_clients_conversation(server):
    """Offer on the bare next port, answer read, socket closed at once: the session goes on."""
    async with ClientPeer(server.url, use="legacy") as peer:
        await peer.connect(ColourTrack())
        await peer._websocket.close()
        mark = (await peer.wait_for(lambda m: "count" in m))["count"]
        await peer.wait_for(lambda m: m.get("count", 0) > mark + 30)
        await peer.end()


async def test_ice_servers_with_credentials_that_expire(caplog):
    caplog.set_level(logging.DEBUG)
    servers = "stun:stun.example:3478,turn:turn.example:3478?transport=udp"
    flags = ("--ice-servers", servers, "--turn-secret", "geheim", "--turn-ttl", "600")
    async with (
        application(*flags) as server,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{server.url}/signaling") as ws,
    ):
        for kind in ("ice-servers", "ice-servers-request"):
            await ws.send_json({"type": kind})
            answer = await ws.receive_json(timeout=60)
            assert answer["type"] == "ice-servers"
            stun, turn = answer["data"]
            assert stun == {"urls": ["stun:stun.example:3478"]}
            assert int(turn["username"].split(":")[0]) > 1_600_000_000
            assert turn["credential"]
    assert "geheim" not in caplog.text


async def test_health_names_what_is_ready_and_what_is_not(tmp_path):
    (tmp_path / "lacking.py").write_text(
        "from analyzers.base_model import AnalyzerUnavailable, BaseModel\n"
        "class Lacking(BaseModel):\n"
        "    def __init__(self):\n"
        "        raise AnalyzerUnavailable('needs a part: pip install part')\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        return None\n"
    )
    flags = ("--analyzers", f"{COUNTER},lacking:Lacking", "--workers", "1")
    with running_server(tmp_path, *flags, path=str(tmp_path)) as server:
        health = server.get("/health")
        assert health["status"] == "degraded"
        assert health["analyzers"]["counter"] == {"ready": True}
        assert health["analyzers"]["lacking"]["ready"] is False
        assert "pip install part" in health["analyzers"]["lacking"]["reason"]
        # Sessions run with the rest; asking for what is missing says why.
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: "count" in m)
            await peer.end()
        with pytest.raises(Rejected, match="pip install part"):
            async with ClientPeer(server.url, analyzers=["lacking"]) as peer:
                await peer.connect(ColourTrack())


async def test_the_console_script_finds_a_model_in_the_working_directory(tmp_path):
    """Even in a project that has packages called as ours are."""
    for decoy in ("server", "analyzers", "signaling"):
        (tmp_path / decoy).mkdir()
        (tmp_path / decoy / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    (tmp_path / "mine.py").write_text(
        "from analyzers.base_model import BaseModel\n"
        "class Brightness(BaseModel):\n"
        "    def frame(self, sid, frame, timestamp):\n"
        "        return {'brightness': float(frame.mean())}\n"
    )
    flags = ("--analyzers", "mine:Brightness", "--workers", "1")
    with running_server(tmp_path, *flags, command=CONSOLE_SCRIPT, cwd=tmp_path) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack(rgb=(90, 90, 90)))
            result = await peer.wait_for(lambda m: "brightness" in m)
            assert result["brightness"] == pytest.approx(90, abs=15)
            await peer.end()


async def test_metrics_count_what_passes(server):
    names = {
        "in": "kinecast_frames_in_total",
        "analyzed": "kinecast_frames_analyzed_total",
        "total": 'kinecast_stage_seconds_count{stage="total"}',
        "counter": 'kinecast_analyzer_seconds_count{analyzer="counter"}',
    }
    before = {
        key: server.metric(name) if name in server.get("/metrics") else 0
        for key, name in names.items()
    }
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 20)
        assert server.metric('kinecast_sessions{state="streaming"}') == 1
        final = await peer.end()
    counted = {key: server.metric(name) - before[key] for key, name in names.items()}
    assert counted["in"] >= final["frame"]["number"]
    assert final["count"] - 1 <= counted["analyzed"] <= final["count"]
    assert counted["total"] == counted["counter"] == counted["analyzed"]
    assert server.metric("kinecast_workers_ready") == 1
    assert server.metric('kinecast_sessions{state="streaming"}') == 0


async def test_a_recording_holds_picture_sound_results_and_summary(server, recordings):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ToneTrack(), ColourTrack(size=(320, 240), rgb=(40, 180, 90)))
        await peer.wait_for(lambda m: m.get("count", 0) > 60)
        final = await peer.end()
    folder = recordings / peer.session.id
    await asyncio.to_thread(
        server.wait_until, f"/sessions/{peer.session.id}", lambda s: s["state"] == "ended"
    )
    summary = json.loads(_wait_for_file(folder / "summary.json"))
    with av.open(folder / "video.webm") as movie:
        frames = list(movie.decode(video=0))
    with av.open(folder / "video.webm") as movie:
        sound = sum(frame.samples for frame in movie.decode(audio=0)) / 48_000
    assert len(frames) >= 50
    assert (frames[0].width, frames[0].height) == (320, 240)
    mean = frames[-1].to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert mean == pytest.approx([40, 180, 90], abs=14)
    lasts = frames[-1].time - frames[0].time
    assert lasts == pytest.approx(final["frame"]["pts"] / 1000, abs=0.3), "the frames' own times"
    assert sound == pytest.approx(lasts, abs=0.5)
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [line["final"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["total"] == final["total"]
    assert summary["id"] == peer.session.id
    assert summary["final"]["total"] == final["total"]
    assert summary["end_reason"] == "the client ended it"
    recording = summary["recording"]
    assert (recording["files"], recording["frames_written"]) == (["video.webm"], len(frames))


async def test_a_recording_is_playable_after_the_server_was_killed(tmp_path):
    recordings = tmp_path / "recordings"
    with running_server(tmp_path, *FLAGS, "--record-to", str(recordings)) as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            last = await peer.wait_for(lambda m: m.get("count", 0) > 90, 60)
            children = _children(server.process.pid)
            server.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(server.process.wait, 60)
        with av.open(recordings / peer.session.id / "video.webm") as movie:
            frames = list(movie.decode(video=0))
        assert frames[-1].time * 1000 >= last["frame"]["pts"] - 1000, "at most a second is lost"
        results = (recordings / peer.session.id / "results.jsonl").read_text().splitlines()
        assert json.loads(results[-1])["frame"]["pts"] >= last["frame"]["pts"] - 1100
    # Workers end when the server's end of their connection is gone.
    async with asyncio.timeout(60):
        while any(_is_running(pid) for pid in children):
            await asyncio.sleep(0.05)


def _wait_for_file(path):
    import time

    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.02)
    return path.read_text()


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _is_running(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
