"""Watching by WHEP: a peer that decodes what it gets, and everything that can be refused."""

import asyncio
import contextlib
import re

import aiohttp
import pytest
from aiortc import RTCSessionDescription

from tests.support.in_process import application
from tests.support.server import COUNTER, running_server
from tests.support.watcher import SDP, watcher

FLAGS = (
    *("--analyzers", COUNTER, "--workers", "1"),
    *("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25"),
    *("--max-viewers", "4", "--connections-per-address", "50"),
)
FRAGMENT = "application/trickle-ice-sdpfrag"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("whep"), *FLAGS) as running:
        yield running


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


def viewers(server):
    return server.get("/camera/status")["viewers"]


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_a_viewer_sees_the_camera(server, http, codec):
    async with watcher(server, codec=codec) as viewer:
        answer, sdp = await viewer.watch(http)
        assert answer.content_type == SDP
        assert answer.headers["ETag"].startswith('"')
        assert codec in sdp
        await viewer.wait_for(10)
        frame = viewer.frames[-1]
        assert (frame.width, frame.height) == (320, 180)
        # The pattern's bars, left and right.
        picture = frame.to_ndarray(format="rgb24").astype(int)
        assert picture[90, 10] == pytest.approx([191, 191, 191], abs=25)
        assert picture[90, 310] == pytest.approx([0, 0, 191], abs=25)
        gone = await http.delete(server.url + answer.headers["Location"])
        assert gone.status == 200
        await asyncio.wait_for(viewer.ended.wait(), 60)
        again = await http.delete(server.url + answer.headers["Location"])
        assert again.status == 404


async def test_without_a_wish_it_is_h264_and_each_can_come_and_go(server, http):
    async with contextlib.AsyncExitStack() as stack:
        many = [await stack.enter_async_context(watcher(server)) for _ in range(3)]
        for viewer in many:
            _, sdp = await viewer.watch(http)
            assert "H264" in sdp
        for viewer in many:
            await viewer.wait_for(5)
        # One encoder, so the camera has one listener.
        assert viewers(server) == 1
        await many[0].connection.close()
        mark = len(many[1].frames)
        await many[1].wait_for(mark + 10)
    await asyncio.to_thread(
        server.wait_until, "/camera/status", lambda status: status["viewers"] == 0
    )


async def test_a_key_frame_that_is_asked_for_comes(server, http):
    # Of H264, aiortc's decoder tells which frames were key frames.
    async with watcher(server, codec="H264") as viewer:
        await viewer.watch(http)
        await viewer.wait_for(30)
        receiver = viewer.connection.getReceivers()[0]
        async with asyncio.timeout(60):
            mark = len(viewer.frames)
            while not any(frame.key_frame for frame in viewer.frames[mark:]):
                for ssrc in list(receiver._RTCRtpReceiver__remote_streams):
                    await receiver._send_rtcp_pli(ssrc)
                await viewer.wait_for(len(viewer.frames) + 1)


async def test_candidates_may_come_later(server, http):
    async with watcher(server) as viewer:
        offer = await viewer.offer()
        lines = offer.splitlines(keepends=True)
        candidates = [line for line in lines if line.startswith("a=candidate")]
        bare = "".join(line for line in lines if "candidate" not in line)
        answer = await viewer.post(http, bare)
        assert answer.status == 201
        await viewer.connection.setRemoteDescription(
            RTCSessionDescription(await answer.text(), "answer")
        )
        resource, etag = server.url + answer.headers["Location"], answer.headers["ETag"]
        fragment = "a=mid:0\r\n" + "".join(candidates)
        for headers, status in (
            ({"If-Match": etag, "Content-Type": "text/plain"}, 415),
            ({"Content-Type": FRAGMENT}, 428),
            ({"If-Match": '"another"', "Content-Type": FRAGMENT}, 412),
            ({"If-Match": "*", "Content-Type": FRAGMENT}, 422),
            ({"If-Match": etag, "Content-Type": FRAGMENT}, 204),
        ):
            patched = await http.patch(resource, data=fragment, headers=headers)
            assert patched.status == status
        bad = await http.patch(
            resource,
            data="a=candidate:nonsense",
            headers={"If-Match": etag, "Content-Type": FRAGMENT},
        )
        assert bad.status == 400
        await viewer.wait_for(3)


async def test_what_a_viewer_would_send_is_not_taken(server, http):
    """It would be decoded for nobody, and kept."""
    async with watcher(server) as viewer:
        viewer.connection.getTransceivers()[0].direction = "sendrecv"
        viewer.connection.addTransceiver("video", "sendonly")
        viewer.connection.addTransceiver("audio", "sendrecv")
        _, sdp = await viewer.watch(http)
        assert re.findall("^a=(sendonly|sendrecv|recvonly|inactive)", sdp, re.MULTILINE) == [
            "sendonly",
            "inactive",
            "inactive",
        ]
        await viewer.wait_for(3)


async def test_what_is_refused(server, http):
    async with watcher(server) as viewer:
        offer = await viewer.offer()
        answers = {
            "kind": (await http.post(viewer.url, data=offer), 415),
            "no SDP": (await viewer.post(http, "nonsense"), 400),
            "sends only": (await viewer.post(http, offer.replace("recvonly", "sendonly")), 406),
            "unknown name": (
                await http.post(
                    f"{server.url}/whep/nobody", data=offer, headers={"Content-Type": SDP}
                ),
                404,
            ),
            "no text": (await viewer.post(http, b"v=0\xff\xfe"), 400),
            "no such viewer": (await http.delete(f"{viewer.url}/nobody"), 404),
        }
        for what, (answer, status) in answers.items():
            assert answer.status == status, (what, await answer.text())
            body = await answer.json()
            assert body["code"] == status
            assert body["message"]
    assert viewers(server) == 0


async def test_no_more_viewers_than_allowed(server, http):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            viewer = await stack.enter_async_context(watcher(server))
            await viewer.watch(http)
            await viewer.wait_for(1)
        one_more = await stack.enter_async_context(watcher(server))
        answer = await one_more.post(http)
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0


async def test_viewers_who_come_at_once_and_do_not_connect_take_each_others_place(server, http):
    async with contextlib.AsyncExitStack() as stack:
        many = [await stack.enter_async_context(watcher(server)) for _ in range(8)]
        offers = [await viewer.offer() for viewer in many]
        answers = await asyncio.gather(
            *(viewer.post(http, offer) for viewer, offer in zip(many, offers, strict=True))
        )
        # Those that were sent away while they were answered are told so.
        assert {answer.status for answer in answers} <= {201, 503}
        deleted = [
            (await http.delete(server.url + answer.headers["Location"])).status
            for answer in answers
            if answer.status == 201
        ]
        assert deleted.count(200) == 4


async def test_a_charset_that_nobody_knows_does_not_matter(server, http):
    """SDP is UTF-8, whatever the header says."""
    async with watcher(server) as viewer:
        kind = {"Content-Type": f"{SDP}; charset=klingon"}
        answer = await viewer.post(http, await viewer.offer(), **kind)
        assert answer.status == 201, await answer.text()
        await http.delete(server.url + answer.headers["Location"])


async def test_options_tell_the_servers_for_ice(http):
    flags = ("--ice-servers", "stun:127.0.0.1:1,turn:127.0.0.1:1", "--turn-secret", "s3cret")
    async with application("--camera", "pattern", *flags) as server:
        answer = await http.options(f"{server.url}/whep/camera")
        assert answer.status == 204
        assert answer.headers["Accept-Post"] == SDP
        stun, turn = answer.headers.getall("Link")
        assert stun == '<stun:127.0.0.1:1>; rel="ice-server"'
        assert turn.startswith('<turn:127.0.0.1:1>; rel="ice-server"; ')
        assert re.search(r'; username="\d+:127.0.0.1"; credential="\S+"; ', turn)


async def test_without_a_camera(http):
    async with application("--no-camera-enabled") as server, watcher(server) as viewer:
        answer = await viewer.post(http)
        assert answer.status == 503
        assert "switched off" in (await answer.json())["message"]


async def test_the_server_stops_with_viewers(tmp_path, http):
    with running_server(tmp_path, *FLAGS) as server:
        async with watcher(server) as viewer:
            await viewer.watch(http)
            await viewer.wait_for(3)
            assert await asyncio.to_thread(server.stop) == 0
            await asyncio.wait_for(viewer.ended.wait(), 60)
        assert "Traceback" not in server.log
