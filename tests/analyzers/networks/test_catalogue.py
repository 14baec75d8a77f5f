"""Weights are fetched over HTTP from a server of the test's, and checked."""

import hashlib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from analyzers.networks import catalogue, fetching
from analyzers.networks.catalogue import Task, Weights, WeightsFile
from analyzers.networks.errors import FetchError
from analyzers.networks.fetching import Progress

pytest.importorskip("pooch", reason="pooch is not installed")

NETWORK = b"<net/>" * 5000
NUMBERS = bytes(range(256)) * 400


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, and remembers what it was asked for."""

    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        return


@pytest.fixture
def published(tmp_path):
    """A place where weights are published: its address, and the requests it got."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "net.xml").write_bytes(NETWORK)
    (folder / "net.bin").write_bytes(NUMBERS)
    asked = []
    handler = type("Remembering", (Handler,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def net(published):
    """Two files, with a checksum each of two kinds."""
    url, _ = published
    return Weights(
        "net",
        Task.DETECTION,
        "Apache-2.0",
        (
            WeightsFile(
                f"{url}/net.xml", len(NETWORK), f"sha384:{hashlib.sha384(NETWORK).hexdigest()}"
            ),
            WeightsFile(
                f"{url}/net.bin", len(NUMBERS), f"sha256:{hashlib.sha256(NUMBERS).hexdigest()}"
            ),
        ),
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_weights_are_fetched_the_network_itself_last(net, published, tmp_path):
    folder = tmp_path / "cache" / "models"
    told: list[Progress] = []
    assert fetching.fetch(net, folder, told.append) == folder / "net.xml"
    assert (folder / "net.xml").read_bytes() == NETWORK
    assert (folder / "net.bin").read_bytes() == NUMBERS
    assert published[1] == ["/net.bin", "/net.xml"]
    assert told[-1] == Progress("net.xml", len(NETWORK), len(NETWORK))
    assert all(0 < progress.received <= progress.size for progress in told)
    assert fetching.is_as_published(net, folder)


def test_what_is_there_is_not_fetched_again(net, published, tmp_path):
    fetching.fetch(net, tmp_path)
    published[1].clear()
    fetching.fetch(net, tmp_path)
    assert published[1] == []


def test_a_damaged_file_is_fetched_anew(net, published, tmp_path):
    fetching.fetch(net, tmp_path)
    published[1].clear()
    (tmp_path / "net.bin").write_bytes(NUMBERS[:-1] + b"?")
    assert not fetching.is_as_published(net, tmp_path)
    fetching.fetch(net, tmp_path)
    assert published[1] == ["/net.bin"]
    assert (tmp_path / "net.bin").read_bytes() == NUMBERS


def test_what_has_another_checksum_does_not_stay(net, tmp_path):
    file = net.files[1]
    wrong = WeightsFile(file.url, file.size, "sha256:" + "0" * 64)
    weights = Weights("net", net.task, net.licence, (net.files[0], wrong))
    folder = tmp_path / "cache"
    with pytest.raises(FetchError, match=r"net\.bin can not be fetched: .*hash") as raised:
        fetching.fetch(weights, folder)
    assert "\n" not in str(raised.value)
    assert names(folder) == []


def test_a_file_that_is_not_published_any_more_is_said_so(net, published, tmp_path):
    gone = WeightsFile(f"{published[0]}/gone.bin", 1, "sha256:" + "0" * 64)
    weights = Weights("gone", net.task, net.licence, (gone,))
    with pytest.raises(FetchError, match=r"gone\.bin can not be fetched: 404"):
        fetching.fetch(weights, tmp_path / "cache")


def test_nobody_there_is_said_so(tmp_path):
    # Port 9 is "discard"; nobody listens to it.
    nobody = WeightsFile("http://127.0.0.1:9/net.bin", 1, "sha256:" + "0" * 64)
    with pytest.raises(FetchError, match=r"^127\.0\.0\.1 can not be reached from here") as raised:
        fetching.fetch(Weights("net", Task.POSE, "MIT", (nobody,)), tmp_path)
    # And what to do, in the same line.
    assert f"copy net.bin from DIR into {tmp_path}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_not_published_can_not_be_fetched(tmp_path):
    weights = catalogue.known("yolox_nano")
    assert not fetching.is_as_published(weights, tmp_path)
    with pytest.raises(FetchError, match="yolox_nano has no published checksum"):
        fetching.fetch(weights, tmp_path)


@pytest.mark.parametrize("weights", catalogue.KNOWN, ids=lambda weights: weights.name)
def test_what_is_known_is_whole(weights):
    assert weights.licence in ("Apache-2.0", "MIT")
    digits = {"sha256": 64, "sha384": 96}
    for file in weights.files:
        algorithm, _, value = file.checksum.partition(":")
        assert len(value) == digits[algorithm]
        assert int(value, 16)
        assert file.url.startswith("https://")
        assert file.name.partition(".")[0] == weights.name
    for member in weights.packed.members if weights.packed else ():
        assert len(member.sha256) == 64
        assert int(member.sha256, 16)
        assert member.path.startswith(f"{weights.packed.release.project}/")
    assert (weights.size > 0) == bool(weights.files or weights.packed)
    if weights.task not in (Task.POSE, Task.FACE):
        assert weights.sidecar.task == weights.task


def test_names_by_task():
    assert catalogue.names(Task.POSE) == ["pose", "pose_landmarker_lite"]
    assert set(catalogue.names()) == {weights.name for weights in catalogue.KNOWN}
    assert catalogue.known("nothing") is None
