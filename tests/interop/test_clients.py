"""WebRTC stacks that are not ours watch by WHEP and publish by WHIP: frames counted at both ends.

`python -m tests.interop` prints the same as a table. A client that is not installed is skipped;
those of npm's are fetched once into the user's cache.
"""

import pytest

from tests.interop.clients import bars
from tests.interop.clients.registry import CLIENTS
from tests.interop.clients.trials import CAMERA_FLAGS, Trials
from tests.support.server import COUNTER, running_server

FRAMES = 40
# On the way to a connection a packet or two may be lost for good.
ENOUGH = 0.9 * FRAMES
# Neither Firefox nor @roamhq/wrtc brings H264; werift encodes nothing itself.
HAVE_H264 = ("chromium", "gstreamer", "werift")
WATCHES = [(name, "VP8") for name in CLIENTS] + [("chromium", "H264"), ("gstreamer", "H264")]
PUBLISHES = [(name, "VP8") for name in CLIENTS] + [("chromium", "H264"), ("gstreamer", "H264")]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    clip = bars.write_clips(tmp_path_factory.mktemp("clips"))
    flags = ("--analyzers", COUNTER, "--workers", "1", *CAMERA_FLAGS)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as server:
        yield Trials(server.url, clip, FRAMES)


@pytest.fixture(scope="module")
def installed():
    """Looks each client up once."""
    why = {}

    def installed(name):
        client = CLIENTS[name]
        if name not in why:
            why[name] = client.missing()
        if why[name] is not None:
            pytest.skip(f"{name}: {why[name]}. To install: {client.install}")
        return client

    return installed


@pytest.mark.parametrize("name", CLIENTS)
async def test_it_watches_the_camera(trials, installed, name):
    codec = "H264" if name in HAVE_H264 else "VP8"
    seen = await trials.watch_camera(installed(name), codec)
    assert seen.codec == codec
    assert seen.arrived >= FRAMES
    # werift counts frames by their packets.
    assert seen.picture == ("not looked at" if name == "werift" else "right")


@pytest.mark.parametrize(("name", "codec"), WATCHES)
async def test_it_watches_each_frame_of_a_publisher(trials, installed, name, codec):
    seen = await trials.watch_publisher(installed(name), codec)
    assert seen.codec == codec
    assert seen.sent == FRAMES
    assert ENOUGH <= seen.received <= FRAMES
    assert ENOUGH <= seen.arrived <= FRAMES
    assert seen.picture == ("not looked at" if name == "werift" else "right")


@pytest.mark.parametrize(("name", "codec"), PUBLISHES)
async def test_it_publishes(trials, installed, name, codec):
    client = installed(name)
    published = await trials.publish(client, codec)
    assert published.codec == codec
    assert published.sent >= FRAMES
    assert ENOUGH <= published.received <= published.sent
    assert 0 < published.analyzed <= published.received
    assert published.picture == ("right" if client.films_bars else "its own")
