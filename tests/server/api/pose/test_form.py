"""Pictures in a form to POST /pose, as its clients send them and as they should not."""

import asyncio
import contextlib

import aiohttp
import numpy as np
import pytest

from tests.server.api.pose.answers import (
    FLAGS,
    STAND_IN,
    ExactAnswer,
    ExactError,
    post,
)
from tests.support import missing_pose, pictures
from tests.support.older_clients import ask, nose_of, socket_to
from tests.support.older_models import GREEN
from tests.support.pictures import plain_jpeg
from tests.support.server import COUNTER, running_server


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
    async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                return await socket_to(server, path)
            await asyncio.sleep(0.02)
