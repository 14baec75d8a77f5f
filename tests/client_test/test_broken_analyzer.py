"""An analyzer that fails on every frame, as the client, the session and the server tell of it."""

import asyncio
import sys
from pathlib import Path

import pytest

from client_test.clip import ClipTrack
from client_test.peer import ClientPeer
from tests.support.server import COUNTER, ROOT, running_server

BROKEN = "tests.support.models:Broken"
SAID = {"analyzer": "broken", "phase": "frame", "message": "RuntimeError: no weights"}

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", f"{COUNTER},{BROKEN}", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


async def test_the_script_shows_it_and_exits_with_3(server, clip: Path) -> None:
    script = ROOT / "client_test" / "test.py"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), "--port", str(server.port), "--video", str(clip)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert "broken failed in frame: RuntimeError: no weights" in out.decode()
    assert process.returncode == 3


async def test_the_session_and_health_say_so(server, clip: Path) -> None:
    assert server.get("/health")["status"] == "ok"
    async with ClientPeer(server.url) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        await peer.wait_for(lambda m: m.get("type") == "analyzer_error")
        assert peer.session is not None
        assert server.get(f"/sessions/{peer.session.id}")["problems"] == [SAID]
        health = server.get("/health")
        assert health["status"] == "degraded"
        assert health["ready"]
        assert health["analyzers"]["counter"] == {"ready": True}
        assert health["analyzers"]["broken"]["reason"].startswith("failed in 1 of 1 sessions")
        await peer.end()
    server.wait_until("/health", lambda told: told["status"] == "ok")
