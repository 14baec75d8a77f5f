"""Servers that find poses."""

import aiohttp
import pytest

from tests.server.api.pose.answers import FLAGS, SECRET, STAND_IN
from tests.support import pictures
from tests.support.older_clients import ask, socket_to
from tests.support.server import running_server


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """Finds poses, with limits that tests reach."""
    flags = ("--analyzers", "pose,exercise", *FLAGS, "--expensive-per-minute", "0")
    with running_server(
        tmp_path_factory.mktemp("server"), *flags, "--max-body-bytes", "1000000"
    ) as running:
        yield running


@pytest.fixture(scope="package")
def stand_in(tmp_path_factory):
    """A server whose pose does what a picture's colour says."""
    flags = ("--analyzers", STAND_IN, *FLAGS, "--max-message-bytes", "1000000")
    with running_server(tmp_path_factory.mktemp("stand_in"), *flags) as running:
        yield running


@pytest.fixture(scope="package")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="package")
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
