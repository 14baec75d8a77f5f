"""The client for those who build on Kinecast, against a real server."""

import asyncio
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from client_test import client as client_module
from client_test.client import (
    Arrays,
    BadSource,
    Camera,
    Client,
    ClientError,
    Event,
    GaveUp,
    NoFinalResult,
    Rejected,
)
from tests.support.server import COUNTER, FAULTY, ROOT, free_port, running_server

WITHIN_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    flags = ("--analyzers", f"{COUNTER},{FAULTY}", "--workers", "1", "--resume-window", "60")
    with running_server(folder, *flags) as running:
        running.wait_until("/health", lambda h: all(w["ready"] for w in h["workers"]))
        yield running


def plain(rgb=(200, 60, 30), size=(96, 128)):
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = rgb
    return picture


def counted(count, **more):
    for _ in range(count):
        yield plain(**more)


async def endless():
    while True:
        yield plain()


async def test_a_file_to_its_end(server, clip):
    async with asyncio.timeout(WITHIN_S), Client(server.url, clip, analyzers=["counter"]) as client:
        numbers = [result.number async for result in client]
        assert client.final is not None
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 10
    assert client.final.is_final
    assert client.final["total"] >= len(numbers)
    assert client.final.dropped == client.final["dropped"]
    assert client.summary is client.final
    assert client.state == "ended"


@pytest.mark.parametrize("results", ["json", "cbor"])
async def test_arrays_arrive_as_they_are(server, results):
    source = Arrays(counted(40, size=(97, 129)), fps=30)
    async with asyncio.timeout(WITHIN_S), Client(server.url, source, results=results) as client:
        seen = [result async for result in client]
    assert source.count == 40
    assert seen[-1]["size"] == [96, 128], "an odd last row and column are cut off"
    assert all(abs(a - b) < 12 for a, b in zip(seen[-1]["mean_rgb"], (200, 60, 30), strict=True))
    steps_ms = [
        (after.pts_ms - before.pts_ms) / (after.number - before.number)
        for before, after in pairwise(seen)
    ]
    assert min(steps_ms) > 33
    assert set(seen[0]) >= {"frame", "timing", "count"}


async def test_asynchronous_pictures_until_the_program_has_enough(server):
    async with asyncio.timeout(WITHIN_S), Client(server.url, Arrays(endless())) as client:
        async for result in client:
            if result["count"] >= 20:
                break
        final = await client.end()
        assert final is client.final
        assert final["total"] >= 20
    gone = await asyncio.to_thread(server.get, "/sessions")
    assert client.session.id not in [each["id"] for each in gone["sessions"]]


async def test_keys_rate_options_and_notes(server):
    options = {"counter": {"colour": "red"}}
    settings = {"keys": ["count", "options"], "rate_hz": 5.0, "options": options}
    async with (
        asyncio.timeout(WITHIN_S),
        Client(server.url, Arrays(endless()), **settings) as client,
    ):
        results = []
        async for result in client:
            results.append(result)
            if len(results) == 3:
                client.note(ParticipantID="p1")
                client.configure({"counter": {"size": 3}})
            if result.get("options", {}).get("size") == 3:
                break
        assert "mean_rgb" not in results[-1]
        assert results[-1]["options"] == {"colour": "red", "size": 3}
        gaps_ms = [after.pts_ms - before.pts_ms for before, after in pairwise(results)]
        assert np.median(gaps_ms) > 100
        client.subscribe(["mean_rgb"])
        client.limit_rate(0)
        async for result in client:
            if "mean_rgb" in result:
                break
        status = await asyncio.to_thread(server.get, f"/sessions/{client.session.id}")
        assert status["notes"][0]["ParticipantID"] == "p1"


async def test_droppable_results_and_notices(server):
    told = []
    settings = {"droppable": True, "options": {"faulty": {"frame": "raise"}}}
    async with (
        asyncio.timeout(WITHIN_S),
        Client(server.url, Arrays(endless()), **settings, on_event=told.append) as client,
    ):
        numbers = []
        async for result in client:
            numbers.append(result.number)
            if len(numbers) == 40:
                break
        assert not np.isnan(result.latency_ms)
    assert numbers == sorted(set(numbers))
    (notice,) = [event for event in told if event.type == "notice"]
    assert (notice.code, notice.detail["analyzer"]) == ("analyzer_error", "faulty")
    states = [event.code for event in told if event.type == "state"]
    assert states == ["connecting", "live", "ended"]


async def test_a_lost_connection_comes_back_and_the_session_goes_on(server):
    told = []
    async with (
        asyncio.timeout(WITHIN_S),
        Client(server.url, Arrays(endless()), on_event=told.append) as client,
    ):
        async for result in client:
            if result["count"] >= 10:
                break
        before = client.session
        await client._connection._peer.vanish()
        async for after in client:
            if after["count"] >= result["count"] + 30:
                break
        assert client.session.id == before.id
        assert after.number > result.number
    states = [event.code for event in told if event.type == "state"]
    assert states == ["connecting", "live", "reconnecting", "live", "ended"]


async def test_another_program_goes_on_with_it(server):
    first = Client(server.url, Arrays(endless()))
    async with asyncio.timeout(WITHIN_S):
        await first.__aenter__()
        async for result in first:
            if result["count"] >= 10:
                break
        # As if its process had been killed.
        await first._connection._peer.vanish()
        await first._close()
        async with Client(server.url, Arrays(endless()), resume=first.session) as second:
            after = await anext(second)
            assert second.session.id == first.session.id
            assert after["count"] > 1


async def test_a_session_that_is_gone_begins_anew(server):
    told = []
    async with (
        asyncio.timeout(WITHIN_S),
        Client(server.url, Arrays(endless()), on_event=told.append) as client,
    ):
        async for result in client:
            if result["count"] >= 30:
                break
        before = client.session
        peer = client._connection._peer
        await peer.vanish()
        await asyncio.to_thread(server.delete, f"/sessions/{before.id}")
        async for result in client:
            if client.session.id != before.id and result["count"] >= 5:
                break
    assert "new_session" in [event.code for event in told]


async def to_the_end(client):
    async with asyncio.timeout(WITHIN_S), client:
        async for _ in client:
            pass


async def test_a_generator_that_raises_ends_it_and_is_told(server):
    def broken():
        yield from counted(10)
        raise ZeroDivisionError("no more film")

    client = Client(server.url, Arrays(broken()))
    with pytest.raises(ZeroDivisionError, match="no more film"):
        await to_the_end(client)
    assert client.final is not None, "the session was ended in good order"


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((96, 128), np.uint8), r"shape \(96, 128\) and type uint8"),
        (np.zeros((96, 128, 3)), "type float64"),
        (np.zeros((8, 8, 3), np.uint8), r"shape \(8, 8, 3\)"),
        ("a picture", "a str is no picture"),
    ],
)
async def test_what_is_no_picture_is_told(server, picture, words):
    with pytest.raises(BadSource, match=words):
        await to_the_end(Client(server.url, Arrays([picture])))


async def test_a_camera(server):
    camera = Camera("testsrc=size=160x120:rate=25", format="lavfi", size=None, fps=None)
    async with asyncio.timeout(WITHIN_S), Client(server.url, camera) as client:
        async for result in client:
            if result["count"] >= 10:
                break
    assert result["size"] == [120, 160]
    assert camera.readyState == "ended"


def test_a_camera_that_is_not_there():
    with pytest.raises(BadSource, match="/dev/video77 can not be opened"):
        Camera("/dev/video77")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadSource, match=r"none\.mp4 can not be sent"):
        Client("http://127.0.0.1:1", tmp_path / "none.mp4")


async def test_what_the_server_refuses_is_not_tried_again(server):
    told = []
    client = Client(server.url, Arrays(endless()), analyzers=["palmistry"], on_event=told.append)
    with pytest.raises(Rejected, match="palmistry") as refused:
        await client.__aenter__()
    assert refused.value.code == 400
    assert [event.code for event in told] == ["connecting", "ended"]
    with pytest.raises(NoFinalResult, match="not over yet"):
        client.summary  # noqa: B018


async def test_nobody_there():
    told = []
    url = f"http://127.0.0.1:{free_port()}"
    client = Client(url, Arrays(endless()), give_up_after_s=1.0, on_event=told.append)
    with pytest.raises(GaveUp, match=r"no connection within 1 s: .* Is the server running"):
        await client.__aenter__()
    assert issubclass(GaveUp, ClientError)
    assert told[1].code == "reconnecting"
    assert [event.detail["in_s"] for event in told if event.code == "reconnecting"] == [0.1, 0.5]


async def test_a_program_that_reads_slowly_gets_the_newest(server, monkeypatch):
    monkeypatch.setattr(client_module, "_MAX_WAITING", 5)
    async with asyncio.timeout(WITHIN_S), Client(server.url, Arrays(endless())) as client:
        while client.missed < 10:
            await asyncio.sleep(0.02)
        first = await anext(client)
        assert first.number > 10
    assert isinstance(Event("state", "live").detail, dict)


# ---- the document


def samples():
    text = (ROOT / "docs" / "python-client.md").read_text()
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("sample", samples(), ids=lambda text: text.split()[-1][:20])
def test_the_documents_samples_run_as_they_stand(server, tmp_path, sample):
    assert "client_test.client" in sample
    program = sample.replace("http://127.0.0.1:8083", server.url)
    program = program.replace('"sample-video.mp4"', repr(str(tmp_path / "clip.mp4")))
    program = program.replace('analyzers=["pose", "exercise"]', 'analyzers=["counter"]')
    program = program.replace('client.summary["exercise_summary"]', 'client.summary["total"]')
    program = program.replace('result.get("has_pose")', 'result.get("count")')
    program = program.replace('result["landmarks"][0]', 'result["count"]')
    # There is no camera here; what stands in for it is one to FFmpeg.
    program = program.replace(
        '"/dev/video0", size=(1280, 720), fps=30',
        '"testsrc=size=160x120:rate=25", format="lavfi", size=None, fps=None',
    )
    short_clip(tmp_path / "clip.mp4")
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=90
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def short_clip(path):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(30):
            picture = plain((number, 100, 100), (240, 320))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_mypy_strict_understands_a_user(tmp_path):
    """All of the samples, and that what is wrong is found."""
    user = tmp_path / "user.py"
    typed = samples()[0].replace("async def main():", "async def main() -> None:")
    user.write_text(typed)
    assert _mypy(user) == (0, "Success: no issues found in 1 source file\n")
    user.write_text(typed.replace('analyzers=["pose", "exercise"]', "rate_hz='ten'"))
    status, said = _mypy(user)
    assert status == 1
    assert 'Argument "rate_hz" to "Client" has incompatible type' in said


def _mypy(user):
    """Outside the checkout, without its settings, as somebody who has it on the path."""
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "", str(user)],
        cwd=user.parent,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(user.parent)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    return ran.returncode, ran.stdout
