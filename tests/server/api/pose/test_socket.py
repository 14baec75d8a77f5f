"""Pictures over /ws, as its clients send them and as they should not."""

import asyncio
import contextlib
import json
import signal

import av
import numpy as np
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.security import tokens
from server.security.identity import Scope
from tests.server.api.pose.answers import (
    FLAGS,
    SECRET,
    STAND_IN,
    ExactError,
    ExactFrame,
    form_of,
    post,
)
from tests.support import pictures
from tests.support.older_clients import ask, ask_each, nose_of, receive, socket_to
from tests.support.older_models import GREEN, RED, WHITE
from tests.support.pictures import plain_jpeg
from tests.support.server import running_server


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
                await asyncio.wait_for(socket.wait_closed(), 60)
                assert socket.close_code == 1001
        assert await asyncio.to_thread(server.process.wait, 60) == 0
        assert "Traceback" not in server.log


async def test_pictures_are_recorded_as_a_movie(strict, recordings):
    token = tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600)
    async with socket_to(strict, f"/ws?token={token}") as socket:
        for _ in range(10):
            await ask(socket, plain_jpeg(GREEN, (160, 120)))
        (session,) = strict.get(f"/sessions?token={token}")["sessions"]
    folder = recordings / session["id"]
    async with asyncio.timeout(60):
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
