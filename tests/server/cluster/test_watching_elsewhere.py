"""Publishers at one node, viewers at others: real peers, real nodes that really die."""

import asyncio
import contextlib
import itertools
import signal

import aiohttp
import cv2
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from client_test.client import Client
from client_test.ice_hosts import offering
from client_test.peer import ClientPeer
from server.security.identity import Identity, Scope
from tests.support import numbered
from tests.support.nodes import (
    START_WITHIN_S,
    OneNode,
    all_ready,
    media_processes,
    running_nodes,
)
from tests.support.watcher import SDP, watcher

NODES = 3
WITHIN_S = 60.0
# Pictures that nobody has sent since: what waited in a socket is not taken for going on.
MORE = 25
pytestmark = pytest.mark.timeout(400)
_names = (f"yard{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    camera = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25")
    with running_nodes(tmp_path_factory.mktemp("server"), NODES, *camera) as running:
        yield running


@pytest.fixture
async def nodes(server):
    await asyncio.to_thread(server.wait_until, "/health", all_ready, START_WITHIN_S)
    return [OneNode(server, number) for number in range(NODES)]


@pytest.fixture
def name():
    return next(_names)


class Publisher:
    """Sends numbered pictures by WHIP."""

    def __init__(self, name, codec="VP8"):
        self.name = name
        self.track = numbered.NumberedPictures()
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        transceiver = self.connection.addTransceiver(self.track, "sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([c for c in known if c.mimeType == f"video/{codec}"])
        self.resource = None

    async def publish(self, http, url):
        with offering(("127.0.0.1",)):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        sdp = self.connection.localDescription.sdp
        headers = {"Content-Type": SDP}
        async with http.post(f"{url}/whip/{self.name}", data=sdp, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 201, text
            self.resource = answer.headers["Location"]
        await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))


@contextlib.asynccontextmanager
async def publishing(node, name, codec="VP8", by=None):
    publisher = Publisher(name, codec)
    try:
        async with node.http(by) if by else node.http() as http:
            await publisher.publish(http, node.url)
        yield publisher
    finally:
        await publisher.connection.close()


@contextlib.asynccontextmanager
async def watching(node, name, codec=None):
    async with watcher(node, name, codec) as viewer, node.http() as http:
        await viewer.watch(http)
        await viewer.wait_for(1)
        yield viewer


def worst(frame):
    """By how much a picture differs from what was sent."""
    grey = cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY)
    return numbered.check(grey)[1]


async def goes_on(*viewers, more=MORE):
    """Each gets so many more pictures, and they are as they were sent."""
    for viewer in viewers:
        await viewer.wait_for(len(viewer.frames) + more)
        assert viewer.connection.connectionState == "connected"
        assert max(map(worst, viewer.frames[-more // 2 :])) < numbered.DAMAGED


async def settled(node, metric, value):
    async with asyncio.timeout(WITHIN_S):
        while await node.metric(metric) != value:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_viewers_of_a_node_get_one_feed_and_the_second_costs_nothing(nodes, name, codec):
    """In the publisher's codec, and by transcoding where the video is."""
    at, b, c = nodes
    async with publishing(at, name, "VP8") as publisher, watching(b, name, codec) as first:
        await goes_on(first)
        counts = []
        async with contextlib.AsyncExitStack() as stack:
            for more_viewers in (0, 3):
                for _ in range(more_viewers):
                    await stack.enter_async_context(watching(b, name, codec))
                assert await at.metric("kinecast_node_feeds") == 1
                began, sent = publisher.track.number, await at.metric("kinecast_node_frames_total")
                await goes_on(first, more=50)
                now = await at.metric("kinecast_node_frames_total")
                counts.append((now - sent) / (publisher.track.number - began))
            assert max(counts) < 1.3
            viewer = await stack.enter_async_context(watching(c, name, codec))
            await goes_on(first, viewer)
            assert await at.metric("kinecast_node_feeds") == 2
        await settled(at, "kinecast_node_feeds", 1)
    # Whoever watched was the last.
    await settled(at, "kinecast_node_feeds", 0)


async def test_an_annotated_view_comes_from_elsewhere_too(nodes, name):
    at, b, _ = nodes
    async with publishing(at, name), watching(b, f"{name}/annotated") as viewer:
        await viewer.wait_for(MORE)


async def test_the_camera_is_seen_at_every_node(nodes):
    async with watching(nodes[1], "camera") as one, watching(nodes[2], "camera") as two:
        await one.wait_for(MORE)
        await two.wait_for(MORE)
        assert await nodes[0].metric("kinecast_node_feeds") == 2


async def test_viewers_are_spread_and_end_with_their_publisher(server, nodes, name):
    async with (
        publishing(nodes[0], name) as publisher,
        aiohttp.ClientSession() as http,
        contextlib.AsyncExitStack() as stack,
    ):
        viewers, at = [], set()
        for _ in range(12):
            viewer = await stack.enter_async_context(watcher(server, name))
            answer, _ = await viewer.watch(http)
            viewers.append((viewer, answer.headers["Location"]))
            at.add(answer.headers["Location"].split("/")[-1][:2])
        assert len(at) > 1
        for viewer, _ in viewers:
            await viewer.wait_for(1)
        # Through any door, as all that is about them.
        for _, resource in viewers[:6]:
            async with http.delete(server.url + resource) as answer:
                assert answer.status == 200
        async with http.delete(server.url + publisher.resource) as answer:
            assert answer.status == 200
        for viewer, _ in viewers[6:]:
            await asyncio.wait_for(viewer.ended.wait(), WITHIN_S)
        async with http.options(f"{server.url}/whep/{name}") as answer:
            assert answer.status == 404


async def test_who_watches_by_a_socket_is_told_why_it_is_over(server, nodes, name):
    """At whichever node they are, through whichever door."""
    async with contextlib.AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(publishing(nodes[0], name))
        peers = []
        for _ in range(6):
            peer = await stack.enter_async_context(ClientPeer(server.url, play=name))
            connection = peer._new_connection()
            connection.addTransceiver("video", "recvonly")
            peer.open_channels(connection)
            with offering(("127.0.0.1",)):
                await connection.setLocalDescription(await connection.createOffer())
            await peer._exchange_descriptions(connection)
            peers.append(peer)
        assert {peer.session for peer in peers} == {None}
        async with aiohttp.ClientSession() as http:
            await http.delete(server.url + publisher.resource)
        told = [await peer.wait_for(lambda m: m.get("type") == "error", WITHIN_S) for peer in peers]
        assert {each["data"]["code"] for each in told} == {404}
        assert all("has ended" in each["data"]["message"] for each in told)
        # Those at other nodes.
        assert any(name in each["data"]["message"] for each in told)


async def test_who_may_watch_a_session_is_asked_where_it_is(nodes, name):
    """By its id it is its owner's, whichever node they come through."""
    ann = Identity("ann", frozenset({Scope.PUBLISH, Scope.VIEW}), "ann")
    bob = Identity("bob", frozenset({Scope.PUBLISH, Scope.VIEW}), "bob")
    async with publishing(nodes[0], name, by=ann):
        async with nodes[0].http(ann) as http, http.get("http://node/sessions") as answer:
            (session,) = (await answer.json())["sessions"]
        for who, status in ((ann, 204), (bob, 404)):
            url = f"http://node/whep/{session['id']}"
            async with nodes[1].http(who) as http, http.options(url) as answer:
                assert answer.status == status


async def test_the_codec_changes_on_the_way(nodes, name):
    """A publisher comes back with another codec: viewers elsewhere go on in theirs."""
    at, b, _ = nodes
    async with publishing(at, name, "VP8") as first, watching(b, name, "VP8") as viewer:
        await goes_on(viewer)
        await first.connection.close()
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    async with publishing(at, name, "H264"), watching(b, name, "H264") as other:
                        await goes_on(viewer, other)
                    break
                except AssertionError as error:
                    # Its loss is not noticed yet.
                    if "published as" not in str(error):
                        raise
                    await asyncio.sleep(0.1)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_viewers_elsewhere_go_on_when_the_publisher_is_back(server, nodes, name, how):
    """The node that has it dies or goes; it comes back at another one, where others watched it."""
    at, b, c = nodes[2], nodes[1], nodes[0]
    async with publishing(at, name), watching(b, name) as one, watching(c, name) as two:
        await goes_on(one, two)
        media_processes(server)[2].send_signal(how)
        async with asyncio.timeout(WITHIN_S):
            while True:
                async with b.http() as http, http.options(f"http://node/whep/{name}") as answer:
                    if answer.status == 404:
                        break
                await asyncio.sleep(0.05)
        async with publishing(b, name):
            await goes_on(one, two)
            assert not one.ended.is_set()
            assert not two.ended.is_set()


async def test_viewers_elsewhere_go_with_a_session_that_moves(server, nodes, name):
    """Its node drains, and its client goes to another one, where one of them is, or is not."""
    pictures = numbered.NumberedPictures()
    async with Client(server.url, pictures, name=name, give_up_after_s=WITHIN_S) as client:
        number = int(client.session.id[:2], 16)
        one, two = (node for node in nodes if node is not nodes[number])
        async with watching(one, name) as first, watching(two, name) as second:
            await goes_on(first, second)
            draining = media_processes(server)[number]
            draining.send_signal(signal.SIGTERM)
            await asyncio.to_thread(draining.wait, 2 * WITHIN_S)
            await goes_on(first, second)
            assert not first.ended.is_set()
            assert not second.ended.is_set()


async def test_a_node_that_stands_still_holds_up_only_its_own(server, nodes, name):
    at, b, c = nodes
    async with publishing(at, name), watching(b, name) as still, watching(c, name) as other:
        await goes_on(still, other)
        victim = media_processes(server)[1]
        victim.suspend()
        try:
            # Two seconds of pictures, more than waits for a node.
            await goes_on(other, more=50)
        finally:
            victim.resume()
        await goes_on(still, other)
        # Where the video is: all wait for it, and nobody leaves.
        victim = media_processes(server)[0]
        victim.suspend()
        await asyncio.sleep(2)
        victim.resume()
        await goes_on(still, other)
