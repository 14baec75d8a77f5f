"""What the doors of pose and person search say where nothing is there to run."""

import aiohttp
import pytest

from tests.support import pictures
from tests.support.older_clients import ask, socket_to
from tests.support.older_models import GREEN
from tests.support.person_search import encoded, post, single_frame
from tests.support.server import COUNTER, running_server

PICTURE = pictures.plain_jpeg(GREEN)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """It counts, and that is all."""
    log = tmp_path_factory.mktemp("server")
    with running_server(log, "--analyzers", COUNTER, "--workers", "1") as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_without_pose(server, http):
    form = aiohttp.FormData()
    form.add_field("image", PICTURE, filename="picture.jpg")
    async with http.post(f"{server.url}/pose", data=form) as response:
        assert response.status == 503
        assert "no analyzer 'pose'" in (await response.json())["detail"]
    async with socket_to(server, "/ws") as socket:
        for _ in range(2):
            assert "no analyzer 'pose'" in (await ask(socket, PICTURE))["detail"]


async def test_without_re_identification_it_says_how_to_get_it(server, http):
    status, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
    assert (status, answer["error_code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "--analyzers pose,exercise,reid" in answer["detail"]
    async with socket_to(server, "/video-stream/session_1") as socket:
        refused = await ask(socket, single_frame("x"))
        assert "--analyzers pose,exercise,reid" in refused["message"]
        assert refused["retry_after_s"] > 0
