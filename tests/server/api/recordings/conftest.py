"""A server that records its camera, and a recording."""

import pytest

from tests.server.api.recordings.asked import FLAGS, start, stop, wait_for_frames
from tests.support.server import running_server


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings") / "made"


@pytest.fixture(scope="package")
def server(tmp_path_factory, folder):
    logs = tmp_path_factory.mktemp("server")
    with running_server(logs, *FLAGS, "--recordings", str(folder)) as running:
        yield running


@pytest.fixture(scope="package")
def finished(server):
    """A recording of a second or more."""
    start(server, name="finished")
    wait_for_frames(server, "finished", 30)
    return stop(server, "finished")
