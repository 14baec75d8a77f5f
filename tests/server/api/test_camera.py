"""The camera as its clients have it: status, one picture, MJPEG, whatever else goes wrong."""

import asyncio
import concurrent.futures
import io
import json
import socket
import time
import urllib.error
import urllib.request

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.support.elsewhere import elsewhere  # noqa: F401
from tests.support.in_process import application
from tests.support.server import COUNTER, running_server

FLAGS = ("--analyzers", COUNTER, "--workers", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("camera"),
        *FLAGS,
        *("--camera", "pattern", "--camera-size", "640x360", "--camera-fps", "25"),
        *("--connections-per-address", "50"),
    ) as running:
        yield running


def ask(server, path, method="GET"):
    request = urllib.request.Request(server.url + path, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, answer.read()


def refusal(server, path, method="GET"):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, method)
    return refused.value.code, json.loads(refused.value.read())["message"]


@pytest.fixture
def running(server):
    ask(server, "/camera/start", "POST")
    server.wait_until("/camera/status", lambda s: s["running"])
    yield server
    ask(server, "/camera/stop", "POST")


def test_stopped_it_has_no_picture(server):
    status = server.get("/camera/status")
    assert (status["running"], status["state"]) == (False, "stopped")
    code, message = refusal(server, "/frame")
    assert code == 503
    assert "/camera/start" in message


def test_one_picture(running):
    headers, data = ask(running, "/frame")
    assert headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(data)).size == (640, 360)
    _, small = ask(running, "/frame?width=320&quality=30")
    assert Image.open(io.BytesIO(small)).size == (320, 180)
    assert len(small) < len(data)


@pytest.mark.parametrize("query", ["width=1", "quality=1000", "fps=0", "width=wide"])
@pytest.mark.parametrize("path", ["/frame", "/stream.mjpg"])
def test_what_can_not_be_wished_for(running, path, query):
    code, message = refusal(running, f"{path}?{query}")
    assert code == 400
    assert query.partition("=")[0] in message


def test_start_and_stop(server):
    _, answer = ask(server, "/camera/start", "POST")
    assert json.loads(answer)["backend"] == "pattern"
    status = server.wait_until("/camera/status", lambda s: s["fps"] > 20)
    assert (status["width"], status["height"], status["held"]) == (640, 360, True)
    _, answer = ask(server, "/camera/stop", "POST")
    assert json.loads(answer)["state"] == "stopped"


def read_parts(url, count):
    """The JPEGs of an MJPEG stream, read as the standard has multipart."""
    with urllib.request.urlopen(url, timeout=60) as stream:
        kind, _, boundary = stream.headers["Content-Type"].partition("; boundary=")
        assert kind == "multipart/x-mixed-replace"
        parts = []
        assert stream.readline() == f"--{boundary}\r\n".encode()
        for _ in range(count):
            head = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(": ")
                head[name] = value
            assert head["Content-Type"] == "image/jpeg"
            parts.append((float(head["X-Timestamp"]), stream.read(int(head["Content-Length"]))))
            assert stream.readline() == b"\r\n"
            assert stream.readline() == f"--{boundary}\r\n".encode()
        return parts


def test_mjpeg_starts_the_camera_and_lets_it_go(server):
    parts = read_parts(f"{server.url}/stream.mjpg", 10)
    pictures = [np.asarray(Image.open(io.BytesIO(data))) for _, data in parts]
    assert {p.shape for p in pictures} == {(360, 640, 3)}
    assert (pictures[0] != pictures[-1]).any(), "it moves"
    times = [at for at, _ in parts]
    assert times == sorted(times)
    assert abs(times[-1] - time.time()) < 5
    server.wait_until("/camera/status", lambda s: s["viewers"] == 0)
    server.wait_until("/camera/status", lambda s: s["state"] == "stopped", within_s=60)


def test_head_of_the_stream_is_a_head_and_no_more(server):
    """What followed would be taken for the answer to the next request of the connection."""
    ask(server, "/camera/stop", "POST")
    asked = b"HEAD /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n"
    following = b"GET /docs.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(asked + following)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, rest = answers.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"multipart/x-mixed-replace" in head
    assert rest.startswith(b"HTTP/1.1 200 OK"), rest[:80]
    assert not server.get("/camera/status")["running"], "nobody watches"


def test_a_slower_rate(running):
    times = [at for at, _ in read_parts(f"{running.url}/stream.mjpg?fps=5", 6)]
    assert 0.17 < np.mean(np.diff(times)) < 0.4


def test_many_watch_at_once(running):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        url = f"{running.url}/stream.mjpg"
        streams = list(pool.map(lambda _: read_parts(url, 15), range(8)))
    pictures = [{data for _, data in parts} for parts in streams]
    assert all(pictures)
    # The pattern moves, so the same bytes are the same picture.
    assert sum(map(len, pictures)) > len(set().union(*pictures))


def test_a_viewer_who_does_not_read_slows_nobody(running):
    with socket.create_connection(("127.0.0.1", running.port)) as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 200"
        times = [at for at, _ in read_parts(f"{running.url}/stream.mjpg", 50)]
        assert np.median(np.diff(times)) < 3 / 25
        # After ten seconds it is given up.
        running.wait_until("/camera/status", lambda s: s["viewers"] == 0, within_s=60)


def test_opencv_reads_it(running):
    capture = cv2.VideoCapture(f"{running.url}/stream.mjpg")
    pictures = [capture.read() for _ in range(5)]
    capture.release()
    assert all(found for found, _ in pictures)
    assert pictures[-1][1].shape == (360, 640, 3)


def test_ffmpeg_reads_it(running):
    with av.open(f"{running.url}/stream.mjpg") as stream:
        frames = [frame for frame, _ in zip(stream.decode(video=0), range(5), strict=False)]
    assert {(f.width, f.height) for f in frames} == {(640, 360)}


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--no-camera-enabled",), "switched off"),
        (("--camera", "nothing.mp4"), "nothing.mp4 is neither"),
        (("--camera", "picamera2"), "sudo apt install python3-picamera2"),
        ((), "--camera"),
    ],
)
async def test_without_a_camera_all_else_works(flags, reason):
    def check(server):
        for path, method in (
            ("/frame", "GET"),
            ("/stream.mjpg", "GET"),
            ("/camera/start", "POST"),
            ("/camera/stop", "POST"),
        ):
            code, message = refusal(server, path, method)
            assert code == 503
            assert reason in message
        status = server.get("/camera/status")
        assert not status["enabled"]
        assert reason in status["error"]
        assert server.get("/health")["analyzers"]
        assert server.get("/sessions") == {"sessions": []}

    async with application(*flags) as server:
        await asyncio.to_thread(check, server)


async def test_a_device_that_is_not_plugged_in_yet():
    def check(server):
        assert json.loads(ask(server, "/camera/start", "POST")[1])["backend"] == "v4l2"
        status = server.wait_until("/camera/status", lambda s: s["starts"] >= 2)
        assert "there is no /dev/video99: is the camera plugged in?" in status["error"]
        assert not status["running"]
        code, message = refusal(server, "/frame")
        assert code == 503
        assert "/dev/video99" in message

    async with application("--camera", "/dev/video99") as server:
        await asyncio.to_thread(check, server)


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({"PI_CAMERA_BACKEND": "pattern"}, "pattern"),
        ({"CAMERA": "pattern"}, "pattern"),
        ({"CAMERA_ENABLED": "0", "PI_CAMERA_BACKEND": "pattern"}, None),
    ],
)
async def test_the_environment_chooses(monkeypatch, environment, backend):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def check(server):
        status = server.get("/camera/status")
        assert status["enabled"] == (backend is not None)
        if backend is not None:
            assert json.loads(ask(server, "/camera/start", "POST")[1])["backend"] == backend

    async with application() as server:
        await asyncio.to_thread(check, server)


async def test_a_hook_changes_what_everyone_sees(tmp_path, monkeypatch):
    (tmp_path / "my_hook.py").write_text("def negative(rgb):\n    return 255 - rgb\n")
    monkeypatch.syspath_prepend(tmp_path)
    flags = ("--camera", "pattern", "--camera-size", "320x180")

    def check(server):
        ask(server, "/camera/start", "POST")
        server.wait_until("/camera/status", lambda s: s["running"])
        picture = np.asarray(Image.open(io.BytesIO(ask(server, "/frame?quality=95")[1])))
        # The pattern's leftmost bar is 191.
        assert picture[90, 5].astype(int) == pytest.approx([64, 64, 64], abs=8)
        assert server.get("/camera/status")["hook"] == {
            "failures": 0,
            "skipped": 0,
            "error": None,
        }

    async with application(*flags, "--camera-hook", "my_hook:negative") as server:
        await asyncio.to_thread(check, server)


def test_stopping_the_server_does_not_wait_for_viewers(tmp_path):
    with running_server(tmp_path, *FLAGS, "--camera", "pattern") as server:
        stream = urllib.request.urlopen(f"{server.url}/stream.mjpg", timeout=60)
        assert stream.read(1000)
        assert server.stop() == 0
        assert "Traceback" not in server.log
        stream.close()
