"""WHIP and WHEP where the server asks for tokens: a page of another origin, and as OBS does it."""

from urllib.parse import urljoin

import aiohttp
import pytest
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)

from client_test.ice_hosts import offering
from server.security import tokens
from server.security.identity import Scope
from tests.interop.clients import bars
from tests.interop.clients.client import Task
from tests.interop.clients.registry import CLIENTS
from tests.support.server import COUNTER, running_server
from tests.support.tracks import ColourTrack, ToneTrack
from tests.support.watcher import SDP, Watcher

SECRET = "as long as it has to be to be one"
FLAGS = ("--analyzers", COUNTER, "--workers", "1", "--no-camera-enabled", "--auth-secret", SECRET)
FRAMES = 20


def token(scope, subject):
    return tokens.issue(SECRET, [Scope(scope)], 3600, subject)


ANN, BOB, CAROL = token("publish", "ann"), token("publish", "bob"), token("view", "carol")
OPERATOR = token("control", "operator")


def bearer(of):
    return {"Authorization": f"Bearer {of}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = (*FLAGS, "--allow-origin", "*")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="module")
def chromium():
    client = CLIENTS["chromium"]
    if why := client.missing():
        pytest.skip(f"{why}. To install: {client.install}")
    return client


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return str(bars.write_clips(tmp_path_factory.mktemp("clips")))


async def test_a_page_of_another_origin_publishes_and_another_watches(server, http, chromium, clip):
    """The offer goes first, the candidates after it by PATCH."""
    publish = Task("publish", f"{server.url}/whip/yard", "H264", ANN, trickle=True, clip=clip)
    watch = Task("watch", f"{server.url}/whep/yard", "H264", CAROL, trickle=True)
    async with chromium.at_work(publish) as sending:
        told = await sending.wait_for(lambda told: told["frames"] >= FRAMES, "frames")
        assert told["trickled"] > 0
        async with chromium.at_work(watch) as seeing:
            told = await seeing.wait_for(lambda told: told["frames"] >= FRAMES, "frames")
            assert told["trickled"] > 0
            assert bars.is_right(told["left"], told["right"])
            seeing.say("leave")
            await seeing.wait_for(lambda told: told.get("done"), "its leave")
        sending.say("leave")
        told = await sending.wait_for(lambda told: told.get("done"), "its leave")
    async with http.get(server.url + told["session"], headers=bearer(OPERATOR)) as answer:
        ended = await answer.json()
    assert ended["end_reason"] == "its WHIP resource was deleted"


async def test_as_obs_does_it(server, http):
    """Sound before video, H264 alone, a bearer token, Location taken as relative, DELETE."""
    connection = RTCPeerConnection(RTCConfiguration([], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    connection.addTransceiver(ToneTrack(), "sendonly")
    video = connection.addTransceiver(ColourTrack(), "sendonly")
    h264 = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType == "video/H264"]
    video.setCodecPreferences(h264[:1])
    with offering(("127.0.0.1",)):
        await connection.setLocalDescription(await connection.createOffer())
    offer, endpoint = connection.localDescription.sdp, f"{server.url}/whip/studio"
    assert offer.index("m=audio") < offer.index("m=video")

    async def post(url, of, body=offer):
        headers = {"Content-Type": SDP, "User-Agent": "OBS-Studio/31.0", **of}
        return await http.post(url, data=body, headers=headers)

    for of, status in (({}, 401), (bearer("nonsense"), 401), (bearer(CAROL), 403)):
        assert (await post(endpoint, of)).status == status
    answer = await post(endpoint, bearer(ANN))
    assert answer.status == 201, await answer.text()
    resource = urljoin(endpoint, answer.headers["Location"])
    try:
        await connection.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        await watched_by_carol(server, http)
        # The name is Ann's while she publishes, and so is what it can be ended by.
        assert (await post(endpoint, bearer(BOB))).status == 409
        for of, status in (({}, 401), (bearer(CAROL), 403), (bearer(BOB), 403)):
            assert (await http.delete(resource, headers=of)).status == status
        assert (await http.delete(resource, headers=bearer(ANN))).status == 200
        assert (await http.delete(resource, headers=bearer(ANN))).status == 404
    finally:
        await connection.close()


async def watched_by_carol(server, http):
    """Who may view watches what is published; who may only publish does not."""
    viewer = Watcher(server, "studio")
    try:
        offer = await viewer.offer()
        for of, status in (({}, 401), (bearer(BOB), 403)):
            assert (await viewer.post(http, offer, **of)).status == status
        answer = await viewer.post(http, offer, **bearer(CAROL))
        text = await answer.text()
        assert answer.status == 201, text
        await viewer.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        await viewer.wait_for(5)
        resource = urljoin(viewer.url, answer.headers["Location"])
        assert (await http.delete(resource, headers=bearer(BOB))).status == 403
        assert (await http.delete(resource, headers=bearer(CAROL))).status == 200
    finally:
        await viewer.connection.close()
        for task in viewer.tasks:
            task.cancel()
