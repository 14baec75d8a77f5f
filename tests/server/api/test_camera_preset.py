"""What the older camera server's page and tools send and read, against ``--preset camera``."""

import asyncio
import io
import json
import textwrap
import urllib.error
import urllib.request

import av
import numpy as np
import pytest
from PIL import Image

from server.config import Settings, parse_settings
from tests.support.in_process import application
from tests.support.server import COUNTER, running_server

SMALL = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25")
# As theirs is: two arguments, OpenCV's colors. The left is made blue.
HOOK = """
    def annotate_frame(frame, timestamp):
        assert timestamp > 1_600_000_000
        frame[:, :80] = (255, 0, 0)
        return frame
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No variable of the machine's."""
    for name in [name for setting in Settings.settings() for name in setting.variables]:
        monkeypatch.delenv(name.partition("=")[0], raising=False)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def server(tmp_path_factory, recordings):
    folder = tmp_path_factory.mktemp("camera")
    (folder / "hooks.py").write_text(textwrap.dedent(HOOK))
    flags = ("--preset", "camera", "--analyzers", COUNTER, "--workers", "1", *SMALL)
    flags += ("--camera-hook", str(folder / "hooks.py"), "--recordings", str(recordings))
    with running_server(folder, *flags) as running:
        yield running


def ask(server, path, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def post(server, path, body=None):
    return json.loads(ask(server, path, "POST", body))


def code(server, path, method="GET", body=None):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, method, body)
    return refused.value.code


def picture(server, query=""):
    return np.asarray(Image.open(io.BytesIO(ask(server, f"/frame{query}"))))


def test_the_pages_way_through_it(server):
    before = server.get("/camera/status")
    assert (before["running"], before["backend"]) == (False, "pattern"), "named before it runs"
    assert code(server, "/frame") == 503
    assert post(server, "/camera/start")["ok"] is True
    assert server.get("/camera/status")["running"] is True, "at once"
    first = picture(server)
    assert post(server, "/camera/stop")["ok"] is True
    assert server.get("/camera/status")["running"] is False
    assert picture(server).shape == first.shape, "the last picture stays"


def test_the_hook_in_a_file_with_opencvs_colors(server):
    post(server, "/camera/start")
    red, green, blue = picture(server, "?quality=95")[90, 40].astype(int)
    assert blue > 200
    assert red < 60
    assert green < 60
    assert server.get("/camera/status")["hook"]["failures"] == 0


def test_a_recording_is_begun_and_ended(server, recordings):
    assert code(server, "/record/stop", "POST") == 409
    begun = post(server, "/record/start")
    assert (begun["ok"], begun["recording"]) == (True, True)
    status = server.get("/camera/status")
    assert (status["recording"], status["recording_path"]) == (True, begun["path"])
    assert code(server, "/record/start", "POST") == 409
    server.wait_until("/recordings", lambda r: r["recordings"][0]["frames"] > 10)
    ended = post(server, "/record/stop")
    assert ended == {"ok": True, "path": begun["path"], "recording": False}
    assert server.get("/camera/status")["recording"] is False
    with av.open(begun["path"]) as movie:
        assert len(list(movie.decode(video=0))) > 10
    # A path is a name here, whatever it leads to.
    named = post(server, "/record/start", {"path": "/data/my yard.mp4", "fps": 8, "codec": "mp4v"})
    assert named["path"] == str(recordings / "my-yard.mp4")
    post(server, "/record/stop")
    assert code(server, "/record/start", "POST", {"path": ".."}) == 400


def test_variables_of_theirs(monkeypatch):
    for name, value in {
        "PI_CAMERA_BACKEND": "opencv",
        "PICAM_VIDEO_SIZE": "640,480",
        "PICAM_FRAME_RATE": "30",
        "TARGET_STREAM_FPS": "8",
        "STREAM_JPEG_QUALITY": "85",
        "ROTATE_STREAM_180": "true",
        "ROTATE_STREAM_90": "0",
    }.items():
        monkeypatch.setenv(name, value)
    settings = parse_settings(["--preset", "camera"])
    assert (settings.camera, settings.camera_size, settings.camera_fps) == (
        *("opencv", (640, 480)),
        30,
    )
    assert (settings.stream_fps, settings.jpeg_quality, settings.camera_turn) == (8, 85, "180")
    monkeypatch.setenv("ROTATE_STREAM_90", "1")
    assert parse_settings([]).camera_turn == "90"
    assert parse_settings(["--camera-turn", "270"]).camera_turn == "270"


async def test_their_backends_are_known_and_others_are_told_of():
    def status_of(server):
        return server.get("/camera/status")

    async with application("--camera", "opencv") as server:
        assert (await asyncio.to_thread(status_of, server))["backend"] == "v4l2"
    async with application("--camera", "webcam") as server:
        status = await asyncio.to_thread(status_of, server)
    assert (status["enabled"], status["backend"]) == (False, "webcam-unavailable")
    assert "give picamera2, v4l2, pattern" in status["error"]


async def test_a_camera_on_its_side(tmp_path):
    def look(server):
        post(server, "/camera/start")
        turned = picture(server, "?quality=95")
        assert turned.shape == (320, 180, 3)
        # The pattern's leftmost bar is grey; turned counterclockwise, the left is at the bottom.
        assert turned[-5, 60].astype(int) == pytest.approx([191, 191, 191], abs=8)
        assert turned[5, 60].astype(int) == pytest.approx([0, 0, 191], abs=12)

    async with application(*SMALL, "--camera-turn", "90") as server:
        await asyncio.to_thread(look, server)
