"""What can be asked for on the command line beside settings."""

import subprocess
import sys
from importlib.metadata import version

from tests.support.server import COUNTER, MODULE, ROOT, running_server


def test_the_version():
    done = subprocess.run(
        [sys.executable, "-m", "server", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == f"kinecast {version('kinecast')}\n"


def test_serving_by_its_name(tmp_path):
    with running_server(tmp_path, "--analyzers", COUNTER, command=(*MODULE, "serve")) as server:
        assert server.get("/health")["ready"]


def test_a_camera_that_is_none_is_told_of(tmp_path):
    flags = ("--analyzers", COUNTER, "--camera", "nosuch.mp4")
    with running_server(tmp_path, *flags) as server:
        server.wait_until_logged("--camera: nosuch.mp4 is neither .*goes on without a camera")
        assert "nosuch.mp4" in server.get("/camera/status")["error"]


def test_no_camera_is_told_of_where_nobody_asked_for_one(tmp_path):
    with running_server(tmp_path, "--analyzers", COUNTER) as server:
        assert "camera" not in server.log.lower()
