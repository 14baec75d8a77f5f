"""A server on a Raspberry Pi: the real picamera2 in it, on a double of libcamera."""

import asyncio
import json
import urllib.request

import aiohttp
import av
import pytest

from tests.support import fake_pi
from tests.support.fake_pi import on_fake_pi
from tests.support.server import COUNTER, running_server
from tests.support.watcher import watcher

pytestmark = on_fake_pi

FLAGS = (
    *("--analyzers", COUNTER, "--workers", "1"),
    *("--camera", "picamera2", "--camera-size", "1280x720", "--camera-fps", "20"),
    *("--connections-per-address", "50"),
)


@pytest.fixture(scope="module")
def wires(tmp_path_factory):
    return fake_pi.Wires(tmp_path_factory.mktemp("wires"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, wires):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(fake_pi.FOLDER, str(wires.folder))
        # picamera2's software encoder stands for the hardware's.
        environment.setenv(fake_pi.ENCODER, "1")
        logs = tmp_path_factory.mktemp("pi")
        with running_server(logs, *FLAGS, command=fake_pi.COMMAND) as running:
            yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


def post(server, path, body=None):
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(server.url + path, data, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def check(frame):
    """The double's picture: dark on the left, a white edge on the right, no colours."""
    assert (frame.width, frame.height) == (1280, 720)
    rgb = frame.to_ndarray(format="rgb24").astype(int)
    assert rgb[20, 10] == pytest.approx([30, 30, 30], abs=15)
    assert rgb[20, -3] == pytest.approx([253, 253, 253], abs=15)


@pytest.mark.parametrize(("codec", "own"), [("H264", True), ("VP8", False)])
async def test_viewers_of_h264_get_the_pis_own_packets(server, http, codec, own):
    async with watcher(server, codec=codec) as first, watcher(server, codec=codec) as second:
        for viewer in (first, second):
            await viewer.watch(http)
            await viewer.wait_for(10)
            check(viewer.frames[-1])
        status = server.get("/camera/status")
        assert (status["backend"], status["own_encoder"]) == ("picamera2", own)
        assert status["viewers"] == 1
    server.wait_until("/camera/status", lambda s: s["viewers"] == 0)


def test_it_is_analyzed_in_small(server):
    session = post(server, "/sessions", {"source": "camera"})
    path = f"/sessions/{session['id']}"
    seen = server.wait_until(path, lambda s: s["analyzed"] >= 5)["last_result"]
    assert seen["size"] == [360, 640]
    server.delete(path)


def read_frames(url, count):
    with av.open(url, timeout=(30.0, 30.0)) as stream:
        return [frame for frame, _ in zip(stream.decode(video=0), range(count), strict=False)]


async def test_unplugged_all_who_watch_freeze_and_go_on(server, wires, http):
    session = await asyncio.to_thread(post, server, "/sessions", {"source": "camera"})
    path = f"/sessions/{session['id']}"

    async def status(condition, path="/camera/status", within_s=60):
        # Not on the event loop, which the viewer is served by.
        return await asyncio.to_thread(server.wait_until, path, condition, within_s)

    async with watcher(server, codec="H264") as viewer:
        await viewer.watch(http)
        await viewer.wait_for(5)
        # So many that they last beyond all that follows.
        mjpeg = asyncio.create_task(
            asyncio.to_thread(read_frames, f"{server.url}/stream.mjpg?width=320", 60)
        )
        await status(lambda s: s["viewers"] == 3)
        wires.set("unplugged")
        await status(lambda s: "Input/output error" in (s["error"] or ""))
        assert (await status(bool))["viewers"] == 3
        assert (await status(bool, path))["state"] == "streaming"
        assert not mjpeg.done()
        mark = len(viewer.frames)
        wires.clear("unplugged")
        await status(lambda s: s["running"], within_s=60)
        await viewer.wait_for(mark + 10)
        check(viewer.frames[-1])
        assert (await status(bool))["error"] is None
        assert len(await mjpeg) == 60
    analyzed = server.get(path)["analyzed"]
    server.wait_until(path, lambda s: s["analyzed"] > analyzed)
    server.delete(path)


def test_the_server_lets_go_of_the_camera(tmp_path, monkeypatch):
    """And stops in time, while the camera runs."""
    monkeypatch.setenv(fake_pi.FOLDER, str(tmp_path))
    with running_server(tmp_path, *FLAGS, command=fake_pi.COMMAND) as server:
        post(server, "/camera/start")
        server.wait_until("/camera/status", lambda s: s["running"])
        assert server.get("/camera/status")["own_encoder"] is False
        assert server.stop() == 0
        assert "Traceback" not in server.log
