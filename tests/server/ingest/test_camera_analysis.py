"""The camera analyzed as a session of its own."""

import asyncio
import json
import urllib.error
import urllib.request

import av
import numpy as np
import pytest

from analyzers.registry import find
from server.camera.camera import Camera
from server.camera.pattern import Pattern
from server.camera.source import Mode
from server.ingest.camera_analysis import BY_REQUEST, CameraAnalysis, _as_analyzed
from server.media.capture import Capture, analyzed_size
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.workers.pool import WorkerPool
from signaling.errors import Busy
from tests.support.in_process import application
from tests.support.server import COUNTER, running_server

FLAGS = ("--analyzers", COUNTER, "--workers", "1")
CAMERA = ("--camera", "pattern", "--camera-size", "1280x720", "--camera-fps", "25")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("analyzed"), *FLAGS, *CAMERA) as running:
        yield running


def post(server, path, body=b""):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.headers, json.loads(answer.read())


def refusal(server, body):
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(server, "/sessions", body)
    return refused.value.code, json.loads(refused.value.read())["message"]


@pytest.fixture
def analyzed(server):
    """The session's address."""
    _, headers, _ = post(server, "/sessions", {"source": "camera"})
    yield headers["Location"]
    if server.get("/sessions")["sessions"]:
        server.delete(headers["Location"])


def results(server, path, count=1):
    return server.wait_until(path, lambda s: s["analyzed"] >= count and s["last_result"])


def test_it_is_a_session_like_any_other(server):
    status, headers, session = post(
        server, "/sessions", {"source": "camera", "options": {"counter": {"a": 1}}}
    )
    assert status == 201
    assert headers["Location"] == f"/sessions/{session['id']}"
    assert (session["name"], session["state"]) == ("camera", "streaming")
    assert session["analyzers"] == ["counter"]
    seen = results(server, headers["Location"], 5)["last_result"]
    assert seen["size"] == [360, 640], "small, of the same shape"
    assert seen["options"] == {"a": 1}
    # The pattern's bars, on average.
    assert seen["mean_rgb"] == pytest.approx([109, 109, 109], abs=12)
    assert server.get("/camera/status")["running"]
    server.delete(headers["Location"])
    ended = server.wait_until(headers["Location"], lambda s: s["state"] == "ended")
    assert ended["last_result"]["final"]
    assert ended["last_result"]["total"] >= 5
    server.wait_until("/camera/status", lambda s: s["viewers"] == 0)


def test_there_is_one_at_a_time(server, analyzed):
    code, message = refusal(server, {"source": "camera"})
    assert code == 409
    assert analyzed in message
    server.delete(analyzed)
    _, headers, _ = post(server, "/sessions", {"source": "camera"})
    results(server, headers["Location"])
    server.delete(headers["Location"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "not JSON"),
        (b"[1]", "valid dictionary"),
        ({}, "source"),
        ({"source": "yard"}, "'camera'"),
        ({"source": "camera", "analyzers": "pose"}, "analyzers"),
        ({"source": "camera", "analyzers": ["nothing"]}, "no analyzer 'nothing'"),
        ({"source": "camera", "options": {"nothing": {}}}, "no analyzer 'nothing'"),
    ],
)
def test_what_can_not_be_asked_for(server, body, told):
    code, message = refusal(server, body)
    assert code == 400
    assert told in message
    assert server.get("/sessions")["sessions"] == []


def test_it_goes_on_when_the_camera_was_away(server, analyzed):
    before = results(server, analyzed)
    post(server, "/camera/stop")
    assert not server.get("/camera/status")["running"]
    assert server.get(analyzed)["state"] == "streaming"
    post(server, "/camera/start")
    after = results(server, analyzed, server.get(analyzed)["analyzed"] + 3)
    assert after["last_result"]["count"] > before["last_result"]["count"], "it counts on"
    assert after["states"] == ["new", "streaming"]
    frames = [seen["last_result"]["frame"] for seen in (before, after)]
    assert frames[0]["pts"] < frames[1]["pts"]
    post(server, "/camera/stop")


async def test_without_a_camera_there_is_none(caplog):
    async with application("--no-camera-enabled", "--analyze-camera") as server:
        code, message = await asyncio.to_thread(refusal, server, {"source": "camera"})
    assert code == 503
    assert "switched off" in message
    assert "switched off" in caplog.text, "what was asked for can not be had"


def test_analyzed_from_the_start_until_somebody_ends_it(tmp_path):
    with running_server(tmp_path, *FLAGS, *CAMERA, "--analyze-camera") as server:
        running = server.wait_until("/sessions", lambda s: s["sessions"])["sessions"]
        assert [session["name"] for session in running] == ["camera"]
        results(server, f"/sessions/{running[0]['id']}", 3)
        server.delete(f"/sessions/{running[0]['id']}")
        server.wait_until("/camera/status", lambda s: s["viewers"] == 0)
        assert server.get("/sessions")["sessions"] == []
        assert server.stop() == 0
        assert "Traceback" not in server.log


async def test_kept_it_begins_again_unless_it_was_ended_on_purpose():
    pool = WorkerPool(1, find([COUNTER]))
    pool.start()
    camera = Camera(lambda: Pattern(Mode(64, 48, 25)))
    sessions = SessionManager(pool, ["counter"], Limits(4, 1.0), (), Metrics())
    analysis = CameraAnalysis(camera, sessions, first_pause_s=0.01)
    analysis.keep(pool.became_ready)

    async def running(but=None):
        async with asyncio.timeout(60):
            while (session := sessions.known.published("camera")) is but or session is None:
                await asyncio.sleep(0.01)
        return session

    try:
        first = await running()
        await sessions.end(first.sid, "it was in the way")
        second = await running(but=first)
        await sessions.end(second.sid, BY_REQUEST)
        # It would have begun again long before the camera is let go of.
        async with asyncio.timeout(60):
            while analysis._tasks:
                await asyncio.sleep(0.01)
        assert sessions.known.published("camera") is None
        assert camera.status()["viewers"] == 0
    finally:
        await analysis.close()
        await sessions.drain("the test is over")
        await camera.stop()
        await pool.stop()


async def test_without_room_the_camera_is_not_started():
    pool = WorkerPool(1, find([COUNTER]))
    camera = Camera(lambda: Pattern(Mode(64, 48, 25)))
    sessions = SessionManager(pool, ["counter"], Limits(0, 1.0), (), Metrics())
    analysis = CameraAnalysis(camera, sessions)
    with pytest.raises(Busy, match="taken"):
        analysis.start()
    assert camera.status()["state"] == "stopped"
    await analysis.close()


# ---- what is analyzed


def flat(width, height, level, pixel_format="yuv420p"):
    picture = np.full((height, width, 3), level, np.uint8)
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixel_format)


def level_of(frame):
    return frame.to_ndarray(format="rgb24").mean()


@pytest.mark.parametrize("pixel_format", ["yuv420p", "rgb24", "yuyv422"])
def test_a_large_picture_is_made_small(pixel_format):
    frame = _as_analyzed(Capture(flat(1536, 864, 200, pixel_format), 12.5))
    assert (frame.width, frame.height, frame.format.name) == (640, 360, "yuv420p")
    assert frame.time == 12.5
    assert level_of(frame) == pytest.approx(200, abs=3)


def test_where_the_camera_makes_a_small_one_that_is_taken():
    small = flat(640, 360, 50)
    frame = _as_analyzed(Capture(flat(1536, 864, 200), 12.5, small))
    assert level_of(frame) == pytest.approx(50, abs=3)
    # Not the very same: others look at it, and its time is set.
    assert frame is not small


@pytest.mark.parametrize(
    ("size", "analyzed"),
    [
        ((1536, 864), (640, 360)),
        ((1640, 1232), (640, 480)),
        ((640, 480), (640, 480)),
        ((321, 241), (320, 240)),
        ((8192, 64), (640, 4)),
    ],
)
def test_the_size_keeps_the_shape_and_is_even(size, analyzed):
    assert analyzed_size(*size) == analyzed
