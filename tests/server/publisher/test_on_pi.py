"""A Raspberry Pi as a peer: the real picamera2 in it, on a double of libcamera."""

import sys

import pytest

from tests.support import fake_pi
from tests.support.camera_peer import running_camera_peer
from tests.support.fake_pi import on_fake_pi
from tests.support.server import COUNTER, running_server

pytestmark = on_fake_pi

CAMERA = ("--camera", "picamera2", "--camera-size", "640x360", "--camera-fps", "20")
ON_A_PI_4 = (
    "import sys; from tests.support import fake_pi; fake_pi.install(); fake_pi.install_encoder();"
    "from server.publisher.__main__ import main; main(sys.argv[1:])"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def test_a_camera_that_is_plugged_in_later_and_comes_loose_is_published(server, tmp_path):
    wires = fake_pi.Wires(tmp_path)
    wires.set("absent")
    command = (sys.executable, "-c", ON_A_PI_4)
    environment = {fake_pi.FOLDER: str(tmp_path)}

    def goes_on(session):
        number = session["frames"]
        return server.wait_until(path, lambda s: s["frames"] > number + 5, 60)

    with running_camera_peer(
        tmp_path, server.url, "--name", "pi", env=environment, camera=CAMERA, command=command
    ) as peer:
        path = f"/sessions/{peer.wait_until_published()}"
        peer.wait_until_logged("The camera failed .*No camera number 0 found")
        assert server.get(path)["frames"] == 0
        wires.clear("absent")
        session = goes_on(server.get(path))
        assert session["last_result"]["size"] == [360, 640]
        wires.set("unplugged")
        peer.wait_until_logged("The camera failed .*Input/output error")
        loose = server.get(path)
        wires.clear("unplugged")
        # The same session: it was not given up meanwhile.
        assert goes_on(loose)["states"] == ["new", "streaming"]
        assert peer.stop() == 0
        assert "Traceback" not in peer.log
