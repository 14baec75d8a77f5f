"""Publishing by WHIP: what is sent is analyzed and can be watched; what is refused."""

import asyncio
import contextlib

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from client_test.ice_hosts import offering
from client_test.peer import ClientPeer
from signaling.ice import MAX_CANDIDATES
from tests.support.server import COUNTER, free_port, running_server
from tests.support.tracks import ColourTrack
from tests.support.watcher import SDP, watcher

FRAGMENT = "application/trickle-ice-sdpfrag"
RED, BLUE = (200, 60, 30), (30, 60, 200)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("whip"),
        *("--analyzers", COUNTER, "--workers", "1", "--no-camera-enabled"),
        *("--connections-per-address", "50"),
    ) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


class Publisher:
    """A peer connection that sends video by WHIP."""

    def __init__(self, server, name, rgb=RED):
        self.server = server
        self.url = f"{server.url}/whip/{name}"
        self.track = ColourTrack(rgb=rgb)
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.connection.addTransceiver(self.track, "sendonly")

    async def offer(self):
        with offering(("127.0.0.1",)):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def post(self, http, sdp=None):
        body = sdp or await self.offer()
        return await http.post(self.url, data=body, headers={"Content-Type": SDP})

    async def publish(self, http):
        answer = await self.post(http)
        text = await answer.text()
        assert answer.status == 201, text
        await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return answer

    def session(self):
        """What the server says of the session that was opened last."""
        return next(s for s in self.sessions() if s["name"] == self.url.rpartition("/")[2])

    def sessions(self):
        return self.server.get("/sessions")["sessions"]


@contextlib.asynccontextmanager
async def publisher(server, name, rgb=RED):
    made = Publisher(server, name, rgb)
    try:
        yield made
    finally:
        await made.connection.close()


async def until_analyzed(server, sid, count):
    return await asyncio.to_thread(
        server.wait_until, f"/sessions/{sid}", lambda status: status["analyzed"] >= count
    )


def colour(frame):
    """The mean of a frame's lower half, where nothing moves."""
    return frame.to_ndarray(format="rgb24")[60:].mean(axis=(0, 1))


async def test_what_is_published_is_analyzed_and_watched(server, http):
    async with publisher(server, "yard") as sender:
        answer = await sender.publish(http)
        assert answer.content_type == SDP
        assert answer.headers["ETag"].startswith('"')
        assert answer.headers["Location"].startswith("/whip/yard/")
        link = answer.headers["Link"]
        assert link.endswith('; rel="urn:kinecast:session"')
        sid = link[len("</sessions/") : link.index(">")]
        status = await until_analyzed(server, sid, 10)
        assert status["name"] == "yard"
        assert status["last_result"]["mean_rgb"] == pytest.approx(RED, abs=12)
        async with watcher(server, "yard") as viewer:
            await viewer.watch(http)
            await viewer.wait_for(10)
            assert colour(viewer.frames[-1]) == pytest.approx(RED, abs=12)
            gone = await http.delete(server.url + answer.headers["Location"])
            assert gone.status == 200
            # Whoever watches is told that it is over.
            await asyncio.wait_for(viewer.ended.wait(), 60)
        ended = server.wait_until(f"/sessions/{sid}", lambda s: s["state"] == "ended")
        assert ended["end_reason"] == "its WHIP resource was deleted"
        assert ended["last_result"]["final"] is True
        assert (await http.delete(server.url + answer.headers["Location"])).status == 404
        async with watcher(server, "yard") as viewer:
            assert (await viewer.post(http)).status == 404


async def test_a_name_is_one_publishers_at_a_time(server, http):
    async with publisher(server, "gate") as first, publisher(server, "gate", BLUE) as second:
        answer = await first.publish(http)
        refused = await second.post(http)
        assert refused.status == 409
        assert '"gate"' in (await refused.json())["message"]
        assert (await http.delete(server.url + answer.headers["Location"])).status == 200
        deadline = asyncio.get_running_loop().time() + 60
        while (again := await second.post(http)).status == 409:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)
        assert again.status == 201
        await http.delete(server.url + again.headers["Location"])


async def test_a_publisher_that_was_lost_goes_on_with_its_session(server, http):
    async with publisher(server, "porch") as first:
        lost = (await first.publish(http)).headers["Location"]
        sid = first.session()["id"]
        counted = (await until_analyzed(server, sid, 5))["frames"]
        await first.connection.close()
    await asyncio.to_thread(
        server.wait_until, f"/sessions/{sid}", lambda s: s["state"] == "disconnected"
    )
    async with publisher(server, "porch") as second:
        answer = await second.publish(http)
        assert second.session()["id"] == sid
        # Hanging up what was lost, as clients do, does not end what goes on.
        assert (await http.delete(server.url + lost)).status == 404
        await until_analyzed(server, sid, counted + 5)
        await http.delete(server.url + answer.headers["Location"])


async def test_the_websocket_publishes_too(server, http):
    async with ClientPeer(server.url, publish="hall", use="websocket") as peer:
        await peer.connect(ColourTrack(rgb=BLUE))
        async with watcher(server, "hall") as viewer:
            await viewer.watch(http)
            await viewer.wait_for(5)
            assert colour(viewer.frames[-1]) == pytest.approx(BLUE, abs=12)
        # The session's id is as good, for whom it belongs to.
        async with watcher(server, peer.session.id) as viewer:
            await viewer.watch(http)
            await viewer.wait_for(2)
        await peer.end()


async def test_candidates_may_come_later(server, http):
    async with publisher(server, "late") as sender:
        lines = (await sender.offer()).splitlines(keepends=True)
        bare = "".join(line for line in lines if "candidate" not in line)
        answer = await sender.post(http, bare)
        assert answer.status == 201
        await sender.connection.setRemoteDescription(
            RTCSessionDescription(await answer.text(), "answer")
        )
        fragment = "a=mid:0\r\n" + "".join(x for x in lines if x.startswith("a=candidate"))
        resource, etag = server.url + answer.headers["Location"], answer.headers["ETag"]
        for headers, status in (
            ({"If-Match": etag, "Content-Type": "text/plain"}, 415),
            ({"Content-Type": FRAGMENT}, 428),
            ({"If-Match": '"another"', "Content-Type": FRAGMENT}, 412),
            ({"If-Match": "*", "Content-Type": FRAGMENT}, 422),
            ({"If-Match": etag, "Content-Type": FRAGMENT}, 204),
        ):
            patched = await http.patch(resource, data=fragment, headers=headers)
            assert patched.status == status
        await until_analyzed(server, sender.session()["id"], 3)
        await http.delete(resource)


async def test_candidates_do_not_come_without_end(server, http):
    async with publisher(server, "many") as sender:
        answer = await sender.publish(http)
        resource = server.url + answer.headers["Location"]
        headers = {"If-Match": answer.headers["ETag"], "Content-Type": FRAGMENT}

        async def patch(count):
            # Discarding, on loopback (RFC 863).
            line = "a=candidate:{0} 1 udp {0} 127.0.0.1 9 typ host\r\n"
            fragment = "a=mid:0\r\n" + "".join(line.format(n + 1) for n in range(count))
            return await http.patch(resource, data=fragment, headers=headers)

        assert (await patch(MAX_CANDIDATES)).status == 204
        refused = await patch(1)
        assert refused.status == 400
        assert "too many candidates" in (await refused.json())["message"]
        # What is there goes on.
        sid = sender.session()["id"]
        await until_analyzed(server, sid, sender.session()["analyzed"] + 5)
        await http.delete(resource)


async def test_a_refused_offer_leaves_the_session_its_name(tmp_path, http):
    port = free_port()
    with running_server(
        tmp_path,
        *("--analyzers", COUNTER, "--workers", "1", "--no-camera-enabled"),
        *("--ice-port-range", f"{port}-{port}"),
    ) as server:
        async with publisher(server, "first") as sender:
            offer = {"sdp": await sender.offer(), "type": "offer"}
            answer = await http.post(f"{server.url}/offer", json={**offer, "publish": "first"})
            assert answer.status == 200
            resume = (await answer.json())["session"]["resume"]
            again = {**offer, "publish": "second", "resume": resume}
            # The only port is taken.
            assert (await http.post(f"{server.url}/offer", json=again)).status == 503
            assert [s["name"] for s in sender.sessions()] == ["first"]


async def test_what_is_refused(server, http):
    async with publisher(server, "refused") as sender:
        offer = await sender.offer()

        async def post(path, data=offer, kind=SDP):
            return await http.post(server.url + path, data=data, headers={"Content-Type": kind})

        answers = {
            "kind": (await post("/whip/refused", kind="application/json"), 415),
            "no SDP": (await post("/whip/refused", "nonsense"), 400),
            "watches only": (
                await post("/whip/refused", offer.replace("a=sendonly", "a=recvonly")),
                422,
            ),
            "no codec of ours": (
                await post("/whip/refused", offer.replace("VP8", "VP9").replace("H264", "AV1")),
                422,
            ),
            "the camera's name": (await post("/whip/camera"), 400),
            "no name": (await post("/whip/a%20b"), 400),
            "too large": (await post("/whip/refused", "v=0" + "x" * 2_000_000), 413),
            "unknown analyzer": (await post("/whip/refused?analyzers=nobody"), 400),
            "GET": (await http.get(f"{server.url}/whip/refused"), 405),
            "no such publisher": (await http.delete(f"{server.url}/whip/refused/nobody"), 404),
        }
        for what, (answer, status) in answers.items():
            assert answer.status == status, (what, await answer.text())
            body = await answer.json()
            assert body["code"] == status
            assert body["message"]
    assert not sender.sessions()


async def test_options_say_what_may_be_posted(server, http):
    answer = await http.options(f"{server.url}/whip/yard")
    assert answer.status == 204
    assert answer.headers["Accept-Post"] == SDP
