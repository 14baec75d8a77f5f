"""One server that re-identifies people for all these files, and what it reads."""

import itertools
import shutil

import aiohttp
import av
import pytest
from cryptography.fernet import Fernet

from tests.support import sources
from tests.support.person_search import FLAGS, SAMPLE, encoded, post
from tests.support.server import running_server


@pytest.fixture(scope="package")
def key():
    """What embeddings are sealed with."""
    return Fernet.generate_key().decode()


@pytest.fixture(scope="package")
def site():
    """A web server with sources, which a test puts there."""
    with sources.Site().running() as running:
        yield running


@pytest.fixture(scope="package")
def recordings(tmp_path_factory):
    """A directory with the sample, and things beside it that nobody should get at."""
    folder = tmp_path_factory.mktemp("data")
    inside = folder / "recordings"
    (inside / "one").mkdir(parents=True)
    shutil.copy(SAMPLE, inside / "one" / "video.mp4")
    _begin(inside / "one" / "short.mp4")
    (inside / "notes.mp4").write_text("no video")
    shutil.copy(SAMPLE, folder / "outside.mp4")
    (inside / "link.mp4").symlink_to(folder / "outside.mp4")
    (inside / "up").symlink_to(folder)
    return inside


def _begin(path):
    """The sample's first three seconds."""
    with av.open(SAMPLE) as source, av.open(path, "w") as target:
        played = source.streams.video[0]
        stream = target.add_stream_from_template(played)
        for packet in itertools.islice(source.demux(played), 90):
            packet.stream = stream
            target.mux(packet)


@pytest.fixture(scope="package")
def server(tmp_path_factory, recordings, site, key):
    """Re-identifies people, reads the sample and what `site` has."""
    allowed = ("one/*.mp4", f"http://127.0.0.1:{site.port}/*", "255", "*-published")
    flags = [flag for pattern in allowed for flag in ("--allow-source", pattern)]
    # In one word: a key may begin with a dash.
    flags += [f"--encryption-key={key}"]
    log = tmp_path_factory.mktemp("server")
    with running_server(log, *FLAGS, "--record-to", str(recordings), *flags) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def embedding(http, server):
    """The person of the sample."""
    status, answer = await post(http, server, "/upload-embedding", {"image": encoded()})
    assert status == 200, answer
    return answer["embedding"]
