"""Nothing of a person is stored unless recording is on."""

import aiohttp
import psutil
import pytest

from client_test.peer import ClientPeer
from server.security import keys
from tests.support.server import COUNTER, ROOT, running_server
from tests.support.tracks import ColourTrack

PLACES = (
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Every directory that a program writes to by itself; all are empty."""
    for name in PLACES:
        folder = tmp_path / "places" / name
        folder.mkdir(parents=True)
        monkeypatch.setenv(name, str(folder))
    (tmp_path / "places" / "cwd").mkdir()
    return tmp_path / "places"


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def written_by(pid):
    """Regular files that a process and its children have open for writing."""
    root = psutil.Process(pid)
    opened = {
        file.path
        for process in [root, *root.children(recursive=True)]
        for file in process.open_files()
        if file.mode not in ("r", "rb")
    }
    # Frames cross to the workers in shared memory, which is no disk.
    return {path for path in opened if not path.startswith("/dev/shm/")}


async def stream(server):
    """One session, looked at in every way, to its end; returns what was written meanwhile."""
    async with ClientPeer(server.url) as peer, aiohttp.ClientSession() as http:
        await peer.connect(ColourTrack())
        await peer.wait_for(lambda m: m.get("count", 0) > 20)
        written = written_by(server.process.pid)
        async with http.get(f"{server.url}/sessions/{peer.session.id}") as response:
            assert (await response.json())["last_result"]["count"] > 0
        await peer.end()
    return written


async def test_a_session_leaves_no_file(places, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with running_server(tmp_path, *flags, cwd=places / "cwd", path=str(ROOT)) as server:
        log = f"server-{server.port}.log"
        written = await stream(server)
    assert {path.rsplit("/", 1)[-1] for path in written} <= {log}
    assert files_in(places) == set()
    # A key is nobody's.
    assert files_in(tmp_path / "data") == {f"kinecast/{keys.FILE_NAME}"}


async def test_with_recording_it_leaves_what_was_asked_for_and_there_only(places, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1", "--record-to", str(tmp_path / "kept"))
    with running_server(tmp_path, *flags, cwd=places / "cwd", path=str(ROOT)) as server:
        assert any(path.endswith("video.webm") for path in await stream(server))
    assert {name.split("/")[-1] for name in files_in(tmp_path / "kept")} == {
        "video.webm",
        "results.jsonl",
        "summary.json",
    }
    assert files_in(places) == set()
