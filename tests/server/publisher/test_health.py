"""What a camera says of itself over the data channel, and where it is shown."""

import json
import time

import pytest

from client_test.peer import ClientPeer
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack

HEALTH = {
    "type": "health",
    "temperature_c": 61.5,
    "throttled": ["under-voltage", "throttled earlier"],
    "fps": 19.8,
    "uptime_s": 86400.5,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("server"), "--analyzers", COUNTER, "--workers", "1"
    ) as running:
        yield running


async def is_done(peer):
    """Wait until all that was sent before has been read."""
    await peer.ping(count=1)


async def test_it_is_shown_with_the_session_and_in_the_list(server):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        assert server.get(f"/sessions/{peer.session.id}")["health"] is None
        peer.send(HEALTH)
        await is_done(peer)
        shown = server.get(f"/sessions/{peer.session.id}")["health"]
        assert abs(shown.pop("received_at") - time.time() * 1000) < 60_000
        assert shown == {key: value for key, value in HEALTH.items() if key != "type"}
        # A later one takes its place; what is not known then is left out.
        peer.send({"type": "health", "fps": 12, "bitrate": 900_000, "invented": "x" * 1000})
        await is_done(peer)
        listed = server.get("/sessions")["sessions"]
        (shown,) = [s["health"] for s in listed if s["id"] == peer.session.id]
        assert shown.keys() == {"received_at", "fps", "bitrate"}
        await peer.end()


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature_c": "hot"},
        {"temperature_c": 1e9},
        {"fps": -1},
        {"uptime_s": 1e99},
        {"bitrate": 1.5},
        {"throttled": ["x" * 65]},
        {"throttled": ["under-voltage"] * 17},
        {"throttled": ["<b>\n"]},
        {"throttled": [{"deep": 1}]},
    ],
    ids=str,
)
async def test_what_is_out_of_bounds_is_refused_and_not_kept(server, wrong):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        peer.send({**HEALTH, **wrong})
        error = await peer.wait_for(lambda m: m.get("type") == "error")
        assert error["code"] == 400
        assert next(iter(wrong)) in error["message"]
        assert server.get(f"/sessions/{peer.session.id}")["health"] is None
        await peer.end()


async def test_no_number_that_json_lacks_is_kept(server):
    async with ClientPeer(server.url) as peer:
        await peer.connect(ColourTrack())
        for value in ("NaN", "Infinity", "-Infinity"):
            peer.send(json.dumps({"type": "health"})[:-1] + f', "fps": {value}}}')
            await peer.wait_for(lambda m: m.get("type") == "error")
        # Still JSON.
        assert server.get(f"/sessions/{peer.session.id}")["health"] is None
        await peer.end()
