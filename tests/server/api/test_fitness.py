"""What the older exercise server's own clients send over HTTP, against ``--preset exercise``."""

import base64
import shutil

import aiohttp
import av
import numpy as np
import pytest
from pydantic import ConfigDict

from client_test.athlete.catalogue import CLIPS, STANDING
from client_test.athlete.clip import Clip, Shot
from client_test.athlete.people import MAN_IN_BLUE
from client_test.athlete.performance import Performance, Set
from server.api.exercise_words import NOBODY, STEP_BACK
from server.api.models_fitness import FitnessError, FormAnswer, FrameAnswer, MotionAnswer
from server.search import exercise_video
from tests.analyzers.exercise.movements import FAULTY
from tests.support import pictures
from tests.support.server import COUNTER, ROOT, running_server

# A picture of one pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7"
    "wAAAABJRU5ErkJggg=="
)
SAMPLE = ROOT / "sample-video.mp4"


class ExactError(FitnessError):
    model_config = ConfigDict(extra="forbid", strict=True)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    shutil.copy(SAMPLE, folder / "squats.mp4")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory, recordings):
    flags = ("--preset", "exercise", "--analyzers", "pose,exercise", "--workers", "1")
    flags += ("--record-to", str(recordings), "--expensive-per-minute", "0")
    log = tmp_path_factory.mktemp("server")
    with running_server(log, *flags, "--frames-per-second", "5") as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http, server, path, body):
    async with http.post(f"{server.url}{path}", json=body) as response:
        return response.status, await response.json()


def encoded(data):
    return base64.b64encode(data).decode()


def clip(path, seconds, fps=1):
    """A grey video."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
        for number in range(seconds * fps):
            grey.pts = number
            target.mux(stream.encode(grey))
        target.mux(stream.encode())
    return path.read_bytes()


async def test_a_picture(server, http):
    body = {"frame_base64": encoded(pictures.sample_jpegs(1)[0])}
    status, answer = await post(http, server, "/api/ml/analyze-frame", body)
    FrameAnswer.model_validate(answer, strict=True)
    assert (status, answer["success"], answer["message"]) == (200, True, "Success")
    seen = answer["data"]
    assert (seen["success"], seen["landmarks_count"]) == (True, 33)
    assert type(seen["score"]) is int
    assert seen["performance"]["target_latency_ms"] == 50


@pytest.mark.parametrize(
    ("name", "expected"),
    [("squat-oblique", "squat"), ("squat-side", "squat"), ("push-up", "pushup")],
)
async def test_a_still_is_scored(server, http, name, expected):
    body = {"frame_base64": encoded(pictures.rendered_jpeg(CLIPS[name]))}
    status, answer = await post(http, server, "/api/ml/analyze-frame", body)
    seen = answer["data"]
    assert (status, seen["exercise"], seen["success"]) == (200, expected, True)
    assert seen["still"] is True
    assert seen["score"] >= 70
    assert seen["feedback"]
    assert seen["warnings"] == []


async def test_a_still_of_somebody_who_stands_is_no_exercise(server, http):
    body = {"frame_base64": encoded(pictures.rendered_jpeg(CLIPS["squat-oblique"], at_turn=False))}
    _, answer = await post(http, server, "/api/ml/analyze-frame", body)
    seen = answer["data"]
    assert (seen["success"], seen["exercise"], seen["score"]) == (True, "standing", 0)
    assert (seen["feedback"], seen["warnings"]) == ([], [])


async def test_a_still_is_told_the_fault_that_it_shows(server, http):
    leaning = Performance(MAN_IN_BLUE, (Set(FAULTY["squat_torso_forward"], 1),), yaw_deg=85.0)
    clip = Clip("leaning", "a squat with the chest down", (Shot((leaning,), STANDING),))
    body = {"frame_base64": encoded(pictures.rendered_jpeg(clip))}
    _, answer = await post(http, server, "/api/ml/analyze-frame", body)
    seen = answer["data"]
    assert seen["exercise"] == "squat"
    assert [text.partition(":")[0] for text in seen["warnings"]] == ["Chest up"]
    assert 0 < seen["score"] < 90


async def test_a_picture_with_nobody_in_it(server, http):
    status, answer = await post(http, server, "/api/ml/analyze-frame", {"frame_base64": PIXEL})
    seen = answer["data"]
    assert (status, answer["success"]) == (200, True)
    assert (seen["success"], seen["exercise"], seen["score"]) == (False, "unknown", 0)
    assert seen["feedback"]


async def test_a_video_is_scored_however_fast_it_goes(server, http):
    body = {"video_base64": encoded(SAMPLE.read_bytes())}
    status, answer = await post(http, server, "/api/ml/analyze-video", body)
    assert status == 200, answer
    MotionAnswer.model_validate(answer, strict=True)
    done = answer["data"]
    assert done["exercise"] in done["exercises"]
    assert done["exercises"]["squat"]["reps"] >= 1
    assert done["reps"] == done["exercises"][done["exercise"]]["reps"] >= 2
    assert done["score"] > 50
    assert done["frames_with_pose"] > 0.9 * done["frames_analyzed"]
    assert done["frames_analyzed"] == pytest.approx(15 * done["duration_s"], rel=0.05)
    status, answer = await post(http, server, "/api/ai/analyze-form", body)
    assert status == 200
    FormAnswer.model_validate(answer, strict=True)
    form = answer["data"]
    assert form["overall_score"] == pytest.approx(done["score"] / 100, abs=0.01)
    assert form["confidence"] > 0.9
    assert form["recommendations"]
    assert not server.get("/sessions")["sessions"], "none is left"


async def test_a_recording(server, http):
    status, answer = await post(http, server, "/api/ml/analyze-batch", {"video_path": "squats.mp4"})
    assert (status, "squat" in answer["data"]["exercises"]) == (200, True)
    for path in ("../squats.mp4", "/etc/passwd", "none.mp4"):
        status, answer = await post(http, server, "/api/ml/analyze-batch", {"video_path": path})
        ExactError.model_validate(answer)
        assert status == 404


async def test_nobody_in_a_video(server, http, tmp_path):
    body = {"video_base64": encoded(clip(tmp_path / "grey.mp4", 3, 5))}
    status, answer = await post(http, server, "/api/ai/analyze-form", body)
    assert status == 200
    assert answer["data"] == {
        "overall_score": 0.0,
        "recommendations": [STEP_BACK],
        "detected_errors": [NOBODY],
        "confidence": 0.0,
    }
    _, answer = await post(http, server, "/api/ml/analyze-video", body)
    said = answer["data"]
    assert (said["exercise"], said["score"], said["reps"]) == ("unknown", 0, 0)
    assert (said["feedback"], said["warnings"]) == ([STEP_BACK], [NOBODY])


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/api/ml/analyze-frame", {}, "frame_base64"),
        ("/api/ml/analyze-frame", {"frame_base64": "@"}, "not base64"),
        ("/api/ml/analyze-frame", {"frame_base64": encoded(b"no picture")}, "no picture"),
        ("/api/ml/analyze-video", {"video_base64": encoded(b"no video")}, "can not be analyzed"),
        ("/api/ai/analyze-form", {"video_base64": 5}, "video_base64"),
        ("/api/ai/analyze-form", [], ""),
    ],
)
async def test_what_can_not_be_analyzed_is_told(server, http, path, body, says):
    status, answer = await post(http, server, path, body)
    ExactError.model_validate(answer)
    assert (status, answer["success"]) == (400, False)
    assert says in answer["message"]


async def test_a_video_that_is_too_long(server, http, tmp_path):
    data = clip(tmp_path / "long.mp4", int(exercise_video.MAX_S) + 5)
    body = {"video_base64": encoded(data)}
    status, answer = await post(http, server, "/api/ml/analyze-video", body)
    assert (status, "at most 180 s" in answer["message"]) == (400, True)


async def test_health(server, http):
    answer = server.get("/api/health")
    assert (answer["success"], answer["status"], answer["message"]) == (True, "ok", "Success")


async def test_a_server_without_exercises_says_so(http, tmp_path):
    with running_server(tmp_path, "--analyzers", COUNTER, "--workers", "1") as server:
        status, answer = await post(http, server, "/api/ml/analyze-frame", {"frame_base64": PIXEL})
    assert (status, answer["success"]) == (400, False)
    assert "pose" in answer["message"]


def test_the_state_of_the_analysis(server):
    answer = server.get("/api/ml/status")
    assert answer == {
        "success": True,
        "data": {
            "status": "ok",
            "available": True,
            "analyzers": {"pose": "ready", "exercise": "ready"},
            "target_latency_ms": 50,
        },
        "message": "Success",
    }


def test_without_the_analyzers_it_says_so(tmp_path):
    with running_server(tmp_path, "--analyzers", COUNTER, "--workers", "1") as lacking:
        data = lacking.get("/api/ml/status")["data"]
    assert (data["status"], data["available"]) == ("unavailable", False)
    assert data["analyzers"] == dict.fromkeys(("pose", "exercise"), "not among --analyzers")
