"""The exercise scoring API, as its clients use it and as they should not."""

import asyncio
import base64
import json
import re
import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import psutil
import pytest
from pydantic import ConfigDict, Field
from websockets.exceptions import ConnectionClosed

from client_test.athlete.catalogue import CLIPS
from server.api.models_realtime import Analysis, RealtimeError, Welcome
from tests.support import older_models, pictures, snippets
from tests.support.older_clients import ask, receive, socket_to
from tests.support.older_models import BLUE, GREEN, RED
from tests.support.server import COUNTER, running_server

PATH = "/api/ai/realtime"
# What the API's documentation has people type, in one line.
TYPED = (
    '{"frame_data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7'
    'wAAAABJRU5ErkJggg==","timestamp":1234567890}'
)
FLAGS = ("--workers", "1", "--frames-per-second", "0")
STAND_INS = f"{older_models.__name__}:Pose,{older_models.__name__}:Exercise"
CAMERA_FPS = 15
NOBODY = (False, "none", None)
# In the sample someone begins to squat after a second.
SQUATS_S = 5


class ExactAnalysis(Analysis):
    model_config = ConfigDict(extra="forbid", strict=True)

    score: int | None = Field(ge=0, le=100)


class ExactError(RealtimeError):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExactWelcome(Welcome):
    model_config = ConfigDict(extra="forbid", strict=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Finds and scores exercises; what else is there does not run."""
    flags = ("--analyzers", f"pose,exercise,{COUNTER}", *FLAGS)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """A server whose analyzers see what a picture's colour says."""
    flags = ("--analyzers", STAND_INS, *FLAGS)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A server that expects the older one's clients."""
    flags = ("--preset", "exercise", "--analyzers", STAND_INS, *FLAGS)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
async def client(server):
    async with welcomed(server) as socket:
        yield socket


class welcomed:
    """A socket that has got its welcome."""

    def __init__(self, server):
        self._connecting = socket_to(server, PATH)

    async def __aenter__(self):
        socket = await self._connecting.__aenter__()
        welcome = await receive(socket)
        ExactWelcome.model_validate(welcome)
        assert (welcome["type"], welcome["target_latency_ms"]) == ("welcome", 50)
        assert welcome["message"]
        return socket

    async def __aexit__(self, *error):
        await self._connecting.__aexit__(*error)


def message_of(data: bytes, timestamp=None) -> str:
    """What a client's JSON.stringify makes of a picture."""
    return json.dumps({"frame_data": base64.b64encode(data).decode(), "timestamp": timestamp})


async def test_an_analysis_has_everything_that_clients_read(client):
    began = datetime.now(UTC)
    answer = await ask(client, message_of(pictures.sample_jpegs(1)[0], 1234567890))
    ExactAnalysis.model_validate(answer)
    assert set(answer) == {
        *("type", "success", "score", "exercise", "feedback", "warnings", "processing_time_ms"),
        *("total_latency_ms", "timestamp", "performance"),
        *("reps", "phase", "frame", "dropped", "client_timestamp", "landmarks_count", "still"),
    }
    assert (answer["type"], answer["success"]) == ("analysis", True)
    assert (answer["frame"], answer["dropped"], answer["client_timestamp"]) == (1, 0, 1234567890)
    assert 0 < answer["processing_time_ms"] <= answer["total_latency_ms"] + 1
    assert answer["performance"] == {
        "target_latency_ms": 50,
        "actual_latency_ms": answer["total_latency_ms"],
        "within_target": answer["total_latency_ms"] < 50,
    }
    assert answer["timestamp"].endswith("Z")
    at = datetime.fromisoformat(answer["timestamp"])
    assert began - timedelta(milliseconds=1) <= at <= datetime.now(UTC)


async def answers_to(server, played):
    """What is said of pictures that come at a camera's pace."""
    async with welcomed(server) as socket:
        began_s = asyncio.get_running_loop().time()

        async def play():
            for count, data in enumerate(played):
                due_s = began_s + count / CAMERA_FPS
                await asyncio.sleep(max(due_s - asyncio.get_running_loop().time(), 0))
                await socket.send(message_of(data, count))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(play())
            answers = [await receive(socket)]
            while answers[-1]["client_timestamp"] != len(played) - 1:
                answers.append(await receive(socket))
    return answers


async def test_somebody_who_squats_is_scored(server):
    """Played as a camera would; exercises are recognised by their pace."""
    played = pictures.sample_jpegs(30 * SQUATS_S)[:: 30 // CAMERA_FPS]
    # On a busy machine so many pictures may be skipped that nobody could tell what is done.
    said = []
    for _ in range(10):
        answers = await answers_to(server, played)
        for count, answer in enumerate(answers, 1):
            ExactAnalysis.model_validate(answer)
            assert answer["frame"] == answer["client_timestamp"] + 1, "each is of its own picture"
            assert answer["frame"] - answer["dropped"] == count
        said += answers
        squats = [answer for answer in said if answer["exercise"] == "squat"]
        phases = {answer["phase"] for answer in squats}
        reps = max(answer["reps"] for answer in said)
        praised = [a for a in squats if (a["score"] or 0) > 50 and a["feedback"]]
        if reps and phases >= {"down", "up"} and praised:
            break
    assert reps >= 1
    assert phases >= {"down", "up"}
    assert praised
    assert not all(answer["still"] for answer in said)


async def test_the_same_still_again_and_again_is_scored(server):
    still = message_of(pictures.rendered_jpeg(CLIPS["squat-oblique"]))
    async with welcomed(server) as socket:
        answers = [await ask(socket, still) for _ in range(26)]
    assert {each["exercise"] for each in answers} == {"squat"}
    assert {each["still"] for each in answers} == {True}
    assert {each["warnings"] == [] for each in answers} == {True}
    assert all(70 <= each["score"] <= 100 for each in answers)
    assert {each["reps"] for each in answers} == {0}


async def test_only_pose_and_exercise_run(server):
    async with welcomed(server) as socket:
        before = {session["id"] for session in server.get("/sessions")["sessions"]}
        await ask(socket, pictures.sample_jpegs(1)[0])
        (session,) = [s for s in server.get("/sessions")["sessions"] if s["id"] not in before]
        assert session["analyzers"] == ["pose", "exercise"]


async def test_what_the_analyzers_say_is_translated(stand_ins):
    async with welcomed(stand_ins) as socket:
        answer = await ask(socket, pictures.plain_jpeg(BLUE))
    said = {key: answer[key] for key in older_models.SEEN}
    assert said == {
        "exercise": "squat",
        "score": 85,
        "reps": 3,
        "phase": "down",
        "feedback": ["Good squat depth!", "Keep knees aligned"],
        "warnings": ["Minor knee cave detected"],
    }


async def test_nobody_in_the_picture_is_no_success_and_gets_advice(stand_ins):
    async with welcomed(stand_ins) as socket:
        await ask(socket, pictures.plain_jpeg(BLUE))
        answer = await ask(socket, pictures.plain_jpeg(GREEN))
    assert (answer["success"], answer["exercise"], answer["score"]) == NOBODY
    assert "Step back" in answer["feedback"][0]
    assert answer["warnings"]
    assert answer["landmarks_count"] == 0
    assert answer["reps"] == 3, "they may come back"


async def test_older_words(preset):
    async with welcomed(preset) as socket:
        nobody = await ask(socket, pictures.plain_jpeg(GREEN))
        somebody = await ask(socket, pictures.plain_jpeg(BLUE))
    assert (nobody["success"], nobody["exercise"], nobody["score"]) == (False, "unknown", 0)
    assert (somebody["exercise"], somebody["score"]) == ("squat", 85)
    assert somebody["landmarks_count"] == 33


async def test_a_picture_that_an_analyzer_fails_on_is_an_error(stand_ins):
    async with welcomed(stand_ins) as socket:
        await ask(socket, pictures.plain_jpeg(BLUE))
        why = await ask(socket, message_of(pictures.plain_jpeg(RED), 7))
        assert (why["type"], "no red ones" in why["message"]) == ("error", True)
        error = await receive(socket)
        ExactError.model_validate(error)
        assert error["client_timestamp"] == 7
        assert (await ask(socket, pictures.plain_jpeg(BLUE)))["frame"] == 3


async def test_a_real_frame_without_a_person(client):
    empty = pictures.jpeg(np.full((240, 320, 3), 128, np.uint8))
    answer = await ask(client, empty)
    assert (answer["success"], answer["exercise"], answer["score"]) == NOBODY


async def test_the_documentations_message(client):
    answer = await ask(client, TYPED)
    ExactAnalysis.model_validate(answer)
    assert (answer["success"], answer["exercise"], answer["score"]) == NOBODY
    assert answer["client_timestamp"] == 1234567890


async def test_the_documentations_message_typed_into_wscat(server):
    wscat = shutil.which("wscat")
    if wscat is None:
        pytest.skip("wscat is not installed: npm install -g wscat")
    process = await asyncio.create_subprocess_exec(
        *(wscat, "-c", f"ws://127.0.0.1:{server.port}{PATH}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert json.loads(await process.stdout.readline())["type"] == "welcome"
            process.stdin.write(f"{TYPED}\n".encode())
            # It writes a prompt before each message.
            answer = json.loads((await process.stdout.readline()).lstrip(b"> "))
    finally:
        process.kill()
        await process.wait()
    ExactAnalysis.model_validate(answer)
    assert answer["client_timestamp"] == 1234567890


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text,
        lambda text: f"data:image/jpeg;base64,{text}",
        lambda text: "\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
        lambda text: text.rstrip("="),
    ],
    ids=["plain", "data URL", "lines", "no padding"],
)
async def test_base64_in_all_its_forms(client, encode):
    for length in range(3):  # With each length of padding.
        data = pictures.sample_jpegs(1)[0] + bytes(length)
        text = encode(base64.b64encode(data).decode())
        assert (await ask(client, json.dumps({"frame_data": text})))["type"] == "analysis"


@pytest.mark.parametrize("timestamp", [0, -1, 1755599400123, 1.5, "2025-08-19T10:30:00Z", None])
async def test_the_clients_timestamp_comes_back_as_it_was(client, timestamp):
    answer = await ask(client, message_of(pictures.sample_jpegs(1)[0], timestamp))
    assert answer["client_timestamp"] == timestamp
    assert type(answer["client_timestamp"]) is type(timestamp)
    error = await ask(client, message_of(b"no picture", timestamp))
    ExactError.model_validate(error)
    assert error.get("client_timestamp") == timestamp


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("", "JSON"),
        ("hello", "JSON"),
        ('{"frame_data"', "JSON"),
        ("[]", "frame_data"),
        ("{}", "frame_data"),
        ('{"frame_data": 5}', "frame_data"),
        ('{"frame_data": "", "timestamp": [1]}', "timestamp"),
        ('{"frame_data": "", "timestamp": 1e999}', "timestamp"),
        ('{"frame_data": "' + "[" * 40_000 + '"}', "not base64"),
        ("[" * 40_000, "JSON"),
        ("[" * 100_000, "too many values"),
        ('{"frame_data": "@@@@"}', "not base64"),
        ('{"frame_data": "data:image/jpeg,abc"}', "data:image/jpeg;base64,"),
        ('{"frame_data": "aGVsbG8="}', "no picture"),
        (b"hello", "no picture"),
        (b"", "no picture"),
        (pictures.sample_jpegs(1)[0][:5000], "cut off"),
        (message_of(pictures.sample_jpegs(1)[0][:5000]), "cut off"),
        (pictures.jpeg_cut_inside(), "can not be decoded"),
        (pictures.bomb_png(), "30000 x 30000 pixels"),
        (message_of(pictures.bomb_jpeg()), "30000 x 30000 pixels"),
    ],
    ids=range(21),
)
async def test_what_is_no_picture_gets_an_error_and_the_socket_goes_on(server, message, says):
    async with welcomed(server) as other, welcomed(server) as socket:
        first = await ask(other, pictures.sample_jpegs(1)[0])
        error = await ask(socket, message)
        ExactError.model_validate(error)
        assert (error["type"], says in error["message"]) == ("error", True), error
        assert (await ask(socket, pictures.sample_jpegs(1)[0]))["type"] == "analysis"
        assert (await ask(other, pictures.sample_jpegs(1)[0]))["frame"] == first["frame"] + 1


@pytest.mark.parametrize(
    "encode",
    [
        pictures.cmyk_jpeg,
        pictures.deep_png,
        lambda rgb: pictures.animated_png((rgb, np.zeros_like(rgb))),
        pictures.turned_jpeg,
    ],
    ids=["cmyk", "16 bits", "animated", "turned by exif"],
)
async def test_unusual_pictures_are_analyzed(client, encode):
    answer = await ask(client, message_of(encode(pictures.sample_frames(1)[0])))
    ExactAnalysis.model_validate(answer)


async def test_a_killed_worker_is_told_and_answers_resume(stand_ins):
    async with welcomed(stand_ins) as socket:
        assert (await ask(socket, pictures.plain_jpeg(BLUE)))["frame"] == 1
        (worker,) = stand_ins.get("/health")["workers"]
        psutil.Process(worker["pid"]).kill()
        told = await receive(socket)
        assert (told["type"], "start anew" in told["message"]) == ("error", True)
        assert (await ask(socket, pictures.plain_jpeg(BLUE)))["frame"] == 2


async def test_a_session_that_is_ended_closes_the_socket(stand_ins):
    async with welcomed(stand_ins) as socket:
        await ask(socket, pictures.plain_jpeg(BLUE))
        (session,) = stand_ins.get("/sessions")["sessions"]
        await asyncio.to_thread(stand_ins.delete, f"/sessions/{session['id']}")
        told = await receive(socket)
        assert (told["type"], "ended over HTTP" in told["message"]) == ("error", True)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd.code == 1001


async def test_the_documents_own_messages(server, preset):
    document = snippets.document_with(PATH)
    # The message to type was broken into two lines by whoever printed it.
    broken = re.search(r'\{"frame_data":"iVBOR.*?\}', document, re.DOTALL)[0]
    typed = re.sub(r"\s*\n\s*", "", broken)
    assert typed == TYPED
    headings = (line.strip() for line in document.splitlines())
    heading = next(line for line in headings if line.endswith("Client Response:"))
    promised = json.loads(snippets.below(document, heading))
    async with welcomed(server) as socket:
        answer = await ask(socket, typed)
    assert set(promised) <= set(answer)
    for key, value in promised.items():
        # Nobody is in that picture of one pixel, so nothing is scored.
        assert type(answer[key]) is type(value) or key == "score", key
    async with welcomed(preset) as socket:
        answer = await ask(socket, typed)
    for key, value in promised.items():
        assert type(answer[key]) is type(value), key
    assert set(answer["performance"]) == set(promised["performance"])
