"""The client's peer against the whole server: what older servers do not have."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from client_test.clip import ClipTrack
from client_test.errors import Rejected
from client_test.peer import ClientPeer
from tests.support.server import running_server

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server."""
    with running_server(
        tmp_path_factory.mktemp("server"), "--analyzers", "mock_model_1", "--workers", "1"
    ) as one:
        yield one.url


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("use", "door"), [("auto", "/signaling"), ("legacy", "/"), ("http", "/offer")]
)
async def test_every_door_leads_to_a_session(server: str, clip: Path, use: Any, door: str) -> None:
    async with ClientPeer(server, use=use) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        assert peer.door is not None
        assert peer.door.endswith(door)
        assert peer.session is not None
        assert peer.session.id
        assert peer.session.resume
        result = await peer.wait_for(lambda message: "hr" in message)
        assert result["frame"]["width"] == 320
        assert (await peer.end())["final"] is True


async def test_clocks_agree_on_one_machine(server: str, clip: Path) -> None:
    async with ClientPeer(server) as peer:
        await peer.connect(ClipTrack(clip, loop=True))
        clock = await peer.ping()
        assert 0 < clock.rtt_ms < 1000
        assert abs(clock.offset_ms) <= clock.rtt_ms / 2 + 2


async def test_rejection_says_why(server: str, clip: Path) -> None:
    track = ClipTrack(clip)
    async with ClientPeer(server, analyzers=["nonsense"]) as peer:
        with pytest.raises(Rejected, match="nonsense") as failure:
            await peer.connect(track)
    track.stop()
    assert failure.value.code == 400


async def test_what_the_server_sends_is_recorded(clip: Path, tmp_path: Path) -> None:
    movie, small = tmp_path / "received.mp4", ("--camera-size", "320x180", "--camera-fps", "30")
    flags = ("--analyzers", "mock_model_1", "--workers", "1", "--camera", "pattern", *small)
    with running_server(tmp_path, *flags) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "client_test.test", "--port", str(server.port), "--json"),
            *("--play-from", str(clip), "--play", "camera", "--record-to", str(movie)),
            cwd=ROOT,
        )
        assert await asyncio.wait_for(process.wait(), 60) == 0
    with av.open(movie) as received:
        frames = list(received.decode(video=0))
    assert len(frames) > 10
    assert (frames[-1].width, frames[-1].height) == (320, 180)


@pytest.mark.parametrize(
    "flags", [[], ["--results", "cbor"], ["--droppable"], ["--results", "cbor", "--droppable"]]
)
async def test_the_command_takes_results_in_any_way(
    server: str, clip: Path, tmp_path: Path, flags: list[str]
) -> None:
    record = tmp_path / "results.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client_test.test", "--port", server.rpartition(":")[2]),
        *("--video", str(clip), "--results-to", str(record), "--json", *flags),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert json.loads(out)["final"]["final"] is True
    results = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(results) > 2
    assert all("hr" in result for result in results)
