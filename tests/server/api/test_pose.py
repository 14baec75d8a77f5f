"""The pose API, as its clients use it and as they should not."""

import asyncio
import contextlib
import json
import resource
import signal

import aiohttp
import av
import numpy as np
import psutil
import pytest
from pydantic import ConfigDict
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.api.models_pose import PoseAnswer, PoseError, PoseFrame
from server.security import tokens
from server.security.identity import Scope
from tests.support import missing_pose, older_models, pictures
from tests.support.older_clients import ask, ask_each, nose_of, receive, socket_to
from tests.support.older_models import GREEN, RED, WHITE
from tests.support.pictures import plain_jpeg
from tests.support.server import COUNTER, running_server

FLAGS = ("--workers", "1", "--frames-per-second", "0")
SECRET = "a secret of this test, which is long enough"
STAND_IN = f"{older_models.__name__}:Pose"


class ExactFrame(PoseFrame):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExactAnswer(PoseAnswer):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExactError(PoseError):
    model_config = ConfigDict(extra="forbid", strict=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Finds poses, with limits that tests reach."""
    flags = ("--analyzers", "pose,exercise", *FLAGS, "--expensive-per-minute", "0")
    with running_server(
        tmp_path_factory.mktemp("server"), *flags, "--max-body-bytes", "1000000"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A server whose pose does what a picture's colour says."""
    flags = ("--analyzers", STAND_IN, *FLAGS, "--max-message-bytes", "1000000")
    with running_server(tmp_path_factory.mktemp("stand_in"), *flags) as running:
        yield running


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def strict(tmp_path_factory, recordings):
    """A server that asks for tokens, and records."""
    flags = ("--auth-secret", SECRET, "--record-to", str(recordings))
    log = tmp_path_factory.mktemp("strict")
    with running_server(log, "--analyzers", STAND_IN, *FLAGS, *flags) as running:
        yield running


@pytest.fixture
async def bystander(server):
    """Another client's socket, which must go on whatever happens on one."""
    async with socket_to(server, "/ws") as socket:
        first = await ask(socket, pictures.sample_jpegs(1)[0])
        yield socket
        after = await ask(socket, pictures.sample_jpegs(1)[0])
        assert (after["frame"], after["dropped"]) == (first["frame"] + 1, 0)
        assert after["has_pose"]


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def post(http, server, data, name="image"):
    """Post a form with one file; returns the status and the answer."""
    form = aiohttp.FormData()
    form.add_field(name, data, filename="picture.jpg", content_type="image/jpeg")
    async with http.post(f"{server.url}/pose", data=form) as response:
        return response.status, await response.json()


# ---- WS /ws


async def test_each_picture_is_answered_in_order(server):
    async with socket_to(server, "/ws") as socket:
        answers = await ask_each(socket, pictures.sample_jpegs(20))
    for number, answer in enumerate(answers, 1):
        ExactFrame.model_validate(answer)
        assert (answer["frame"], answer["dropped"]) == (number, 0)
        assert answer["has_pose"]
        assert [mark["index"] for mark in answer["landmarks"]] == list(range(33))
        assert answer["landmarks"][0]["name"] == "nose"
    assert len({nose_of(answer) for answer in answers}) > 10, "each is of its own picture"


async def test_png_does_as_well_as_jpeg(server):
    frame = pictures.sample_frames(1)[0]
    async with socket_to(server, "/ws") as first, socket_to(server, "/ws") as second:
        jpeg = await ask(first, pictures.jpeg(frame))
        png = await ask(second, pictures.png(frame))
    assert nose_of(png) == pytest.approx(nose_of(jpeg), abs=0.01)


async def test_older_waiting_pictures_are_skipped_and_counted(server):
    sent = 81
    async with socket_to(server, "/ws") as socket:
        answers = [await ask(socket, pictures.sample_jpegs(1)[0])]
        for data in pictures.sample_jpegs(20) * (sent // 20):
            await socket.send(data)
        while answers[-1]["frame"] < sent:
            answers.append(await receive(socket))
    assert len(answers) < sent
    for count, answer in enumerate(answers, 1):
        assert answer["frame"] - answer["dropped"] == count, "what is not answered was dropped"


async def test_a_flood_of_pictures_gets_its_last_one_answered(server, bystander):
    """More of them while one is analyzed than anybody remembers."""
    sent, small = 4000, plain_jpeg(GREEN)
    async with socket_to(server, "/ws") as socket:
        for _ in range(sent):
            await socket.send(small)
        count, answer = 1, await receive(socket)
        while answer["frame"] < sent:
            count, answer = count + 1, await receive(socket)
    assert answer["frame"] - answer["dropped"] == count


async def test_answers_that_a_slow_reader_misses_are_counted_as_dropped(stand_in):
    sent = 40
    await asyncio.to_thread(stand_in.wait_until, "/sessions", lambda a: not a["sessions"])
    async with socket_to(stand_in, "/ws", max_queue=1, max_size=None) as socket:
        for number in range(1, sent + 1):
            await socket.send(plain_jpeg(WHITE))
            await asyncio.to_thread(
                stand_in.wait_until,
                "/sessions",
                lambda answer, n=number: (
                    (answer["sessions"] or [{"analyzed": 0}])[0]["analyzed"] == n
                ),
            )
        answers = []
        while not answers or answers[-1]["landmarks"]:
            # The answer to a small picture tells that all before it were read, or dropped.
            await socket.send(plain_jpeg(GREEN))
            answers.append(await receive(socket))
    assert len(answers) < sent, "it read too slowly for all"
    for count, answer in enumerate(answers, 1):
        assert answer["frame"] - answer["dropped"] == count


async def test_only_pose_runs_and_the_session_is_one_like_any(server):
    async with socket_to(server, "/ws") as socket:
        before = {session["id"] for session in server.get("/sessions")["sessions"]}
        await ask_each(socket, [*pictures.sample_jpegs(3), pictures.jpeg_cut_inside()])
        (session,) = [s for s in server.get("/sessions")["sessions"] if s["id"] not in before]
        assert session["analyzers"] == ["pose"]
        counts = {key: session[key] for key in ("frames", "analyzed", "unreadable", "dropped")}
        assert counts == {"frames": 4, "analyzed": 3, "unreadable": 1, "dropped": 0}
    path = f"/sessions/{session['id']}"
    ended = await asyncio.to_thread(server.wait_until, path, lambda s: s["state"] == "ended")
    assert ended["end_reason"] == "the client is gone"
    assert ended["last_result"]["pose_summary"] == {"frames": 3, "frames_with_pose": 3}


async def test_a_socket_that_sends_nothing_has_no_session(server):
    before = len(server.get("/sessions")["sessions"])
    async with socket_to(server, "/ws") as socket:
        await ask(socket, "hello")
        assert len(server.get("/sessions")["sessions"]) == before


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("hello", "binary message"),
        ('{"frame_data": ""}', "binary message"),
        (b"", "no picture"),
        (b"GIF89a" + bytes(100), "no picture"),
        (pictures.sample_jpegs(1)[0][:5000], "cut off"),
        (pictures.png(pictures.sample_frames(1)[0])[:-50], "cut off"),
        (pictures.bomb_png(), "30000 x 30000 pixels: send at most"),
        (pictures.bomb_jpeg(), "30000 x 30000 pixels: send at most"),
    ],
    ids=["text", "json", "empty", "gif", "cut jpeg", "cut png", "png bomb", "jpeg bomb"],
)
async def test_what_is_no_picture_gets_an_error_and_the_socket_goes_on(
    server, bystander, message, says
):
    async with socket_to(server, "/ws") as socket:
        error = await ask(socket, message)
        ExactError.model_validate(error)
        assert says in error["detail"]
        assert "frame" not in error
        answer = await ask(socket, pictures.sample_jpegs(1)[0])
        assert (answer["frame"], answer["has_pose"]) == (1, True)


async def test_a_picture_that_is_damaged_inside_is_told_by_its_number(server, bystander):
    async with socket_to(server, "/ws") as socket:
        good = pictures.sample_jpegs(1)[0]
        first, error, third = await ask_each(socket, [good, pictures.jpeg_cut_inside(), good])
    ExactError.model_validate(error)
    assert error["frame"] == 2
    assert "can not be decoded" in error["detail"]
    assert (first["frame"], third["frame"], third["dropped"]) == (1, 3, 0)


@pytest.mark.parametrize(
    "encode",
    [
        pictures.cmyk_jpeg,
        pictures.deep_png,
        lambda rgb: pictures.animated_png((rgb, np.zeros_like(rgb))),
        lambda rgb: pictures.jpeg(rgb, progressive=True),
        pictures.turned_jpeg,
    ],
    ids=["cmyk", "16 bits", "animated", "progressive", "turned by exif"],
)
@pytest.mark.parametrize("door", ["socket", "post"])
async def test_unusual_pictures_give_the_same_landmarks(server, http, bystander, encode, door):
    frame = pictures.sample_frames(1)[0]

    async def landmarks(data):
        if door == "post":
            return (await post(http, server, data))[1]
        async with socket_to(server, "/ws") as socket:
            return await ask(socket, data)

    usual, unusual = await landmarks(pictures.jpeg(frame)), await landmarks(encode(frame))
    assert nose_of(unusual) == pytest.approx(nose_of(usual), abs=0.015)


async def test_a_message_that_is_too_long_closes_its_own_socket_only(stand_in):
    async with socket_to(stand_in, "/ws") as other, socket_to(stand_in, "/ws") as socket:
        assert (await ask(other, plain_jpeg(GREEN)))["frame"] == 1
        await socket.send(bytes(1_000_001))
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert closed.value.rcvd.code == 1009
        assert (await ask(other, plain_jpeg(GREEN)))["frame"] == 2


def form_of(data):
    form = aiohttp.FormData()
    form.add_field("image", data, filename="picture.jpg")
    return form


async def test_a_picture_that_the_analyzer_fails_on(stand_in, http):
    async with socket_to(stand_in, "/ws") as socket:
        assert await ask(socket, plain_jpeg(GREEN)) == {
            "landmarks": [],
            "has_pose": False,
            "frame": 1,
            "dropped": 0,
        }
        why = await ask(socket, plain_jpeg(RED))
        assert "no red ones" in why["detail"]
        # And not what was found in the picture before.
        error = ExactError.model_validate(await receive(socket))
        assert error.frame == 2
        assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 3
        # Why it fails is told once.
        assert ExactError.model_validate(await ask(socket, plain_jpeg(RED))).frame == 4
    status, answer = await post(http, stand_in, plain_jpeg(RED))
    assert status == 500
    assert "detail" in ExactError.model_validate(answer).model_fields_set


async def test_who_wants_scores_is_told_that_there_is_no_exercise(stand_in):
    async with socket_to(stand_in, "/api/ai/realtime") as socket:
        assert (await receive(socket))["type"] == "welcome"
        error = await ask(socket, plain_jpeg(GREEN))
        assert (error["type"], "no analyzer 'exercise'" in error["message"]) == ("error", True)


async def test_a_killed_worker_is_told_and_answers_resume(stand_in):
    async with socket_to(stand_in, "/ws") as socket:
        assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 1
        (worker,) = stand_in.get("/health")["workers"]
        psutil.Process(worker["pid"]).kill()
        assert "worker" in (await receive(socket))["detail"]
        answer = await ask(socket, plain_jpeg(GREEN))
        assert answer["frame"] == 2
        assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 3


async def test_a_session_that_is_ended_closes_the_socket(server, http):
    async with socket_to(server, "/ws") as socket:
        before = {session["id"] for session in server.get("/sessions")["sessions"]}
        await ask(socket, pictures.sample_jpegs(1)[0])
        (sid,) = {s["id"] for s in server.get("/sessions")["sessions"]} - before
        async with http.delete(f"{server.url}/sessions/{sid}") as response:
            assert response.status == 200
        assert "ended over HTTP" in (await receive(socket))["detail"]
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (
            1001,
            "the session is over: ended over HTTP",
        )


async def test_a_server_that_stops_closes_its_sockets(tmp_path):
    with running_server(tmp_path, "--analyzers", STAND_IN, *FLAGS) as server:
        async with socket_to(server, "/ws") as idle, socket_to(server, "/ws") as busy:
            await ask(busy, plain_jpeg(GREEN))
            server.process.send_signal(signal.SIGINT)
            for socket in (idle, busy):
                await asyncio.wait_for(socket.wait_closed(), 20)
                assert socket.close_code == 1001
        assert await asyncio.to_thread(server.process.wait, 20) == 0
        assert "Traceback" not in server.log


async def test_pictures_are_recorded_as_a_movie(strict, recordings):
    token = tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600)
    async with socket_to(strict, f"/ws?token={token}") as socket:
        for _ in range(10):
            await ask(socket, plain_jpeg(GREEN, (160, 120)))
        (session,) = strict.get(f"/sessions?token={token}")["sessions"]
    folder = recordings / session["id"]
    async with asyncio.timeout(20):
        while not (folder / "summary.json").exists():
            await asyncio.sleep(0.02)
    with av.open(folder / "video.mp4") as movie:
        frames = list(movie.decode(video=0))
    assert len(frames) == 10
    assert frames[0].to_ndarray(format="rgb24").mean(axis=(0, 1)) == pytest.approx(GREEN, abs=14)
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [line["final"] for line in lines] == [False] * 10 + [True]
    assert json.loads((folder / "summary.json").read_text())["frames"] == 10


async def test_where_tokens_are_asked_for(strict, http):
    """A page can only put it into the address; the session is its bearer's alone."""
    mine, theirs = (tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600) for _ in range(2))
    with pytest.raises(InvalidStatus) as refused:
        await socket_to(strict, "/ws")
    assert refused.value.response.status_code == 401
    form = form_of(plain_jpeg(GREEN))
    async with http.post(f"{strict.url}/pose", data=form) as response:
        assert response.status == 401
    form = form_of(plain_jpeg(GREEN))
    async with http.post(f"{strict.url}/pose?token={mine}", data=form) as response:
        assert response.status == 200
    async with socket_to(strict, f"/ws?token={mine}") as socket:
        assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 1
        async with http.get(f"{strict.url}/sessions?token={mine}") as response:
            (session,) = (await response.json())["sessions"]
        address = f"{strict.url}/sessions/{session['id']}"
        async with http.delete(f"{address}?token={theirs}") as response:
            assert response.status == 403
        assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 2
        async with http.delete(f"{address}?token={mine}") as response:
            assert response.status == 200


# ---- POST /pose


async def test_a_posted_picture_is_answered(server, http, bystander):
    status, answer = await post(http, server, pictures.sample_jpegs(1)[0])
    assert status == 200
    ExactAnswer.model_validate(answer)
    assert answer["has_pose"]
    assert len(answer["landmarks"]) == 33
    async with socket_to(server, "/ws") as socket:
        same = await ask(socket, pictures.sample_jpegs(1)[0])
    assert nose_of(answer) == pytest.approx(nose_of(same), abs=0.01)


async def test_a_posted_picture_without_a_person(server, http):
    empty = pictures.jpeg(np.full((240, 320, 3), 128, np.uint8))
    assert await post(http, server, empty) == (200, {"landmarks": [], "has_pose": False})


async def test_other_fields_may_come_before_the_picture(server, http):
    form = aiohttp.FormData({"comment": "x" * 10_000})
    form.add_field("image", pictures.sample_jpegs(1)[0], filename="picture.jpg")
    async with http.post(f"{server.url}/pose", data=form) as response:
        assert (response.status, (await response.json())["has_pose"]) == (200, True)


@pytest.mark.parametrize(
    ("data", "name", "status", "says"),
    [
        (b"hello", "image", 400, "no picture"),
        (b"", "image", 400, "no picture"),
        (pictures.jpeg_cut_inside(), "image", 400, "can not be decoded"),
        (pictures.sample_jpegs(1)[0][:5000], "image", 400, "cut off"),
        (pictures.sample_jpegs(1)[0], "picture", 400, "no field named 'image'"),
        (pictures.bomb_png(), "image", 413, "30000 x 30000 pixels"),
        (pictures.bomb_jpeg(), "image", 413, "30000 x 30000 pixels"),
        (bytes(1_000_001), "image", 413, "more than 1000000 bytes"),
    ],
    ids=["text", "empty", "damaged", "cut", "field", "png bomb", "jpeg bomb", "bytes"],
)
async def test_what_is_posted_wrongly(server, http, bystander, data, name, status, says):
    got, error = await post(http, server, data, name)
    ExactError.model_validate(error)
    assert (got, says in error["detail"]) == (status, True), error


FORM = "multipart/form-data; boundary=x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="image"\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"{}", "application/json", id="json"),
        pytest.param(b"", "multipart/form-data", id="no boundary"),
        pytest.param(b"", "multipart/form-data; boundary=" + "x" * 100, id="long boundary"),
        pytest.param(b"hello", FORM, id="no form"),
        pytest.param(b"--x\r\n", FORM, id="ends at once"),
        pytest.param(HEAD + b"\r\nhal", FORM, id="ends in the picture"),
        pytest.param(HEAD + b"A: b\r\n" * 5000, FORM, id="many headers"),
        pytest.param(HEAD + b"A: " + b"b" * 100_000, FORM, id="long header"),
        pytest.param(HEAD + b"\xff\xfe\r\n\r\n\r\n--x--", FORM, id="no header"),
        pytest.param(
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--", FORM, id="nested"
        ),
    ],
)
async def test_a_body_that_is_no_form(server, http, bystander, body, kind):
    headers = {"Content-Type": kind}
    async with http.post(f"{server.url}/pose", data=body, headers=headers) as response:
        assert response.status == 400
        ExactError.model_validate(await response.json())


async def test_a_body_without_end_is_not_read_to_its_end(server, http, bystander):
    async def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
        while True:
            yield bytes(65536)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with asyncio.timeout(20):
        async with http.post(f"{server.url}/pose", data=endless(), headers=headers) as response:
            assert response.status == 413
            assert "more than 1000000 bytes" in (await response.json())["detail"]


@pytest.mark.parametrize(
    ("again", "says"),
    [
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n', "more than 100 fields"),
        (b"a\r\n", "outside of its fields"),
    ],
    ids=["empty fields", "before the first"],
)
async def test_what_makes_no_field_is_not_read_to_its_end(server, http, bystander, again, says):
    async def endless():
        while True:
            yield again * 1000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with asyncio.timeout(20):
        async with http.post(f"{server.url}/pose", data=endless(), headers=headers) as response:
            assert response.status == 400
            assert says in (await response.json())["detail"]


# The last is one that aiohttp refuses with 400 if it is asked to inflate anything.
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_compressed_body_is_not_inflated(server, http, bystander, encoding):
    headers = {"Content-Type": FORM, "Content-Encoding": encoding}
    body = HEAD + b"\r\n" + pictures.sample_jpegs(1)[0] + b"\r\n--x--\r\n"
    async with http.post(f"{server.url}/pose", data=body, headers=headers) as response:
        assert response.status == 415
        assert response.headers["Accept-Encoding"] == "identity"
        assert "compressed" in (await response.json())["message"]


async def test_memory_that_is_not_there_is_an_error(stand_in, http):
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    large, small = pictures.png(noise), plain_jpeg(GREEN)
    # Files in shared memory are files.
    with largest_file(stand_in.process.pid, len(large)):
        async with socket_to(stand_in, "/ws") as socket:
            for _ in range(2):
                error = ExactError.model_validate(await ask(socket, large))
                assert "no memory left" in error.detail
                assert error.retry_after_s
                assert "landmarks" in await ask(socket, small)
        status, answer = await post(http, stand_in, large)
        assert (status, "no memory left" in answer["detail"]) == (503, True)
        assert (await post(http, stand_in, small))[0] == 200


@contextlib.contextmanager
def largest_file(pid, size):
    """Let a process write no file that is larger."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def test_pictures_that_come_while_the_workers_load(tmp_path, http):
    """Only then does anybody know what can run."""
    flags = ("--analyzers", f"{COUNTER},{missing_pose.__name__}:Pose", *FLAGS)
    with running_server(tmp_path, *flags, until_ready=False) as server:
        async with await socket_when_up(server, "/ws") as socket:
            posting = asyncio.create_task(post(http, server, plain_jpeg(GREEN)))
            assert missing_pose.REASON in (await ask(socket, plain_jpeg(GREEN)))["detail"]
            status, answer = await posting
            assert (status, missing_pose.REASON in answer["detail"]) == (503, True), answer
            # And from then on.
            assert missing_pose.REASON in (await ask(socket, plain_jpeg(GREEN)))["detail"]
            status, answer = await post(http, server, plain_jpeg(GREEN))
            assert (status, missing_pose.REASON in answer["detail"]) == (503, True), answer
    with running_server(tmp_path, "--analyzers", STAND_IN, *FLAGS, until_ready=False) as server:
        async with await socket_when_up(server, "/ws") as socket:
            posting = asyncio.create_task(post(http, server, plain_jpeg(GREEN)))
            assert (await ask(socket, plain_jpeg(GREEN)))["frame"] == 1
            assert (await posting)[0] == 200


async def socket_when_up(server, path):
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                return await socket_to(server, path)
            await asyncio.sleep(0.02)


async def test_a_client_that_is_gone_ends_its_session(server):
    before = len(server.get("/sessions")["sessions"])
    socket = await socket_to(server, "/ws")
    await ask(socket, pictures.sample_jpegs(1)[0])
    assert len(server.get("/sessions")["sessions"]) == before + 1
    with contextlib.suppress(ConnectionClosed):
        socket.transport.abort()
    await asyncio.to_thread(
        server.wait_until, "/sessions", lambda answer: len(answer["sessions"]) == before
    )
