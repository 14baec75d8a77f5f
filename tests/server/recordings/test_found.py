"""A person is found in what was recorded, as in sessions' recordings."""

import asyncio

import aiohttp
import pytest

from tests.support.person_search import FLAGS, SAMPLE, encoded, post
from tests.support.server import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    with running_server(
        folder,
        *(*FLAGS, "--workers", "1"),
        *("--camera", str(SAMPLE), "--camera-size", "640x480"),
        *("--record-to", str(folder / "sessions"), "--recordings", str(folder / "asked")),
    ) as running:
        yield running


async def test_by_its_name_in_the_directory(server):
    async with aiohttp.ClientSession() as http:
        status, begun = await post(
            http, server, "/recordings", {"source": "camera", "name": "door", "seconds": 3}
        )
        assert status == 201, begun
        await asyncio.to_thread(
            server.wait_until,
            "/recordings",
            lambda answer: answer["recordings"][0]["state"] == "finished",
            60,
        )
        _, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
        wish = {"person": {"embedding": answer["embedding"]}, "video": {"path": "door.mp4"}}
        status, found = await post(http, server, "/find", wish)
        assert status == 200, found
        assert found["total_matches"] > 0
        for path in ("door", "../door.mp4", ".door.json", "nobody.mp4"):
            wish["video"]["path"] = path
            status, refused = await post(http, server, "/find", wish)
            assert status in (404, 422), (path, refused)
