"""``POST /clip``: what was found, to take away."""

import asyncio
import contextlib
import io
import os
import tempfile
from pathlib import Path

import aiohttp
import av
import pytest

from tests.support.person_search import SAMPLE

RECORDED = "one/video.mp4"


def form(**fields):
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        more = {"filename": "clip.mp4"} if name == "file" else {}
        data.add_field(name.strip("_"), value, **more)
    return data


async def ask(http, server, **body):
    async with http.post(f"{server.url}/clip", **body) as answer:
        return answer.status, answer.headers, await answer.read()


def length_s(data):
    with av.open(io.BytesIO(data)) as video:
        frames = [frame.time for frame in video.decode(video=0)]
    assert frames[0] == pytest.approx(0, abs=0.01)
    return frames[-1]


async def test_of_a_recording(http, server):
    wish = {"video_path": RECORDED, "from": 5, "to": 7}
    status, headers, data = await ask(http, server, json=wish)
    assert status == 200, data
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Disposition"] == 'attachment; filename="clip-4.0-7.0.mp4"'
    assert float(headers["X-Clip-From"]) <= 5
    assert length_s(data) == pytest.approx(7 - float(headers["X-Clip-From"]), abs=0.05)


async def test_of_a_video_that_comes_along(http, server):
    with SAMPLE.open("rb") as file:
        body = form(from_="1", to="2.5", file=file)
        status, headers, data = await ask(http, server, data=body)
    assert status == 200, data
    assert length_s(data) == pytest.approx(2.5 - float(headers["X-Clip-From"]), abs=0.05)


async def test_many_at_once(http, server):
    wishes = [{"video_path": RECORDED, "from": n, "to": n + 1} for n in range(6)]
    got = await asyncio.gather(*(ask(http, server, json=wish) for wish in wishes))
    for wish, (status, headers, data) in zip(wishes, got, strict=True):
        assert status == 200
        assert length_s(data) == pytest.approx(wish["to"] - float(headers["X-Clip-From"]), abs=0.05)


@pytest.mark.parametrize(
    ("wish", "status", "says"),
    [
        ({"video_path": RECORDED, "from": 2, "to": 1}, 400, "a time after from"),
        ({"video_path": RECORDED, "from": 0, "to": 601}, 400, "600 s later at most"),
        ({"video_path": RECORDED, "from": -1, "to": 1}, 400, "from"),
        ({"video_path": RECORDED, "from": "nan", "to": 1}, 400, "from"),
        ({"video_path": RECORDED, "to": 1}, 400, "from"),
        ({"from": 0, "to": 1}, 400, "name a recording, or send a form"),
        ({"video_path": "../outside.mp4", "from": 0, "to": 1}, 404, "no file"),
        ({"video_path": "link.mp4", "from": 0, "to": 1}, 404, "no file"),
        ({"video_path": "notes.mp4", "from": 0, "to": 1}, 422, "no clip"),
        ({"video_path": RECORDED, "from": 1000, "to": 1001}, 422, "it is over after 13"),
    ],
)
async def test_what_is_refused(http, server, wish, status, says):
    got, _, data = await ask(http, server, json=wish)
    assert got == status, data
    assert says in data.decode()


async def test_a_form_that_is_refused(http, server):
    for body, says in (
        (form(from_="0", to="1"), "name a recording, or send a form"),
        (form(from_="x", to="1", file=b"no video"), "from"),
        (form(from_="0", to="1", file=b"no video"), "no clip"),
    ):
        status, _, data = await ask(http, server, data=body)
        assert status in (400, 422)
        assert says in data.decode()


def clips_open(server):
    """Descriptors of clips that the server still has."""
    folder = Path(f"/proc/{server.process.pid}/fd")
    found = []
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += [name for name in (os.readlink(entry),) if "kinecast-clip-" in name]
    return found


def clips_kept():
    return list(Path(tempfile.gettempdir()).glob("kinecast-clip-*"))


async def test_nothing_is_left_behind(http, server):
    """Neither files nor descriptors, also when the client goes."""
    wish = {"video_path": RECORDED, "from": 0, "to": 13}
    for _ in range(5):
        async with http.post(f"{server.url}/clip", json=wish) as answer:
            answer.close()
    for _ in range(5):
        assert (await ask(http, server, json=wish))[0] == 200
    async with asyncio.timeout(60):
        while clips_open(server) or clips_kept():
            await asyncio.sleep(0.1)
