"""A feed from another node, whose end is played here: when it asks, waits and gives up."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import WSCloseCode, web

from server.cluster.feed import OVER, Wish, write_frame
from server.cluster.link import Link
from server.cluster.network import Way
from server.media.encoder import VIDEO_CLOCK_HZ, Codec
from server.security.identity import ANONYMOUS
from server.tasks import Tasks
from server.watching import remote_feed
from server.watching.remote_feed import RemoteFeed
from tests.support.viewing import Over, next_packet

WITHIN_S = 60.0


class OtherNode:
    """A node that has the video: sends what it is told to, and notes what is wished for."""

    def __init__(self, path):
        self.path = path
        self.wishes = []
        self.opened = 0
        self.is_there = True
        self.came = asyncio.Condition()
        self._socket = None

    async def serve(self, request):
        self._socket = socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with self.came:
            self.opened += 1
            self.came.notify_all()
        async for message in socket:
            async with self.came:
                self.wishes.append((time.monotonic(), Wish.read(message.data)))
                self.came.notify_all()
        return socket

    async def is_opened(self, times):
        async with asyncio.timeout(WITHIN_S), self.came:
            await self.came.wait_for(lambda: self.opened >= times)

    async def key_frames_asked(self, times):
        async with asyncio.timeout(WITHIN_S), self.came:
            await self.came.wait_for(lambda: len(self.key_frame_wishes) >= times)
        return self.key_frame_wishes

    @property
    def key_frame_wishes(self):
        return [came_s for came_s, wish in self.wishes if wish.key_frame]

    async def send(self, data, *, key_frame, ago_s=0.0):
        ticks = round((time.monotonic() - ago_s) * VIDEO_CLOCK_HZ)
        await self._socket.send_bytes(write_frame(data, ticks, is_key_frame=key_frame))

    async def hang_up(self, code):
        await self._socket.close(code=code)


@pytest.fixture
async def node(tmp_path):
    made = OtherNode(str(tmp_path / "00.sock"))
    app = web.Application()
    app.router.add_get("/", made.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, made.path).start()
    yield made
    await runner.cleanup()


@pytest.fixture
async def join(node):
    """Begins a feed, and joins it."""
    way = Way("http://node", lambda: aiohttp.UnixConnector(node.path))
    link, tasks, never = Link(0, way), Tasks("feeds"), asyncio.Event()

    def make(**more):
        async def open_feed(_):
            return await link.open_socket("/", ANONYMOUS) if node.is_there else None

        emptied = []
        feed = RemoteFeed(Codec.VP8, open_feed, never.wait, "yard", tasks, emptied.append, **more)
        return feed, feed.add(), emptied

    yield make
    await tasks.cancel()
    await link.close()


async def test_frames_come_as_they_are_and_their_times_rise(node, join):
    _, viewer, _ = join()
    await node.is_opened(1)
    await node.send(b"first", key_frame=True)
    await node.send(b"second", key_frame=False)
    first, second = await next_packet(viewer), await next_packet(viewer)
    assert [bytes(first), bytes(second)] == [b"first", b"second"]
    assert [first.is_keyframe, second.is_keyframe] == [True, False]
    assert second.pts > first.pts


async def test_key_frames_are_asked_for_once_a_second_for_all(node, join):
    feed, viewer, _ = join()
    others = [feed.add() for _ in range(20)]
    await node.is_opened(1)
    await node.send(b"first", key_frame=True)
    await next_packet(viewer)
    for each in (*others, viewer):
        each.request_key_frame()
    await node.key_frames_asked(1)
    for each in others:
        each.request_key_frame()
    first_s, second_s = (await node.key_frames_asked(2))[:2]
    # What is read late on a busy machine seems to come sooner after each other than it was sent.
    assert second_s - first_s > 0.5 * remote_feed.KEY_FRAME_EVERY_S
    viewer.request_key_frame()
    # One that comes meanwhile is for all who asked.
    await node.send(b"third", key_frame=True)
    while bytes(await next_packet(viewer)) != b"third":
        pass
    assert feed._asking is None


async def test_what_lay_in_a_socket_is_left_out_up_to_the_next_key_frame(node, join):
    _, viewer, _ = join()
    await node.is_opened(1)
    await node.send(b"first", key_frame=True)
    await node.send(b"old", key_frame=True, ago_s=2.0)
    await node.send(b"builds on it", key_frame=False)
    await node.key_frames_asked(1)
    await node.send(b"new", key_frame=True)
    assert [bytes(await next_packet(viewer)) for _ in range(2)] == [b"first", b"new"]


async def test_a_node_that_is_going_is_waited_for(node, join):
    _, viewer, _ = join()
    await node.is_opened(1)
    await node.send(b"first", key_frame=True)
    await next_packet(viewer)
    await node.hang_up(WSCloseCode.GOING_AWAY)
    await node.is_opened(2)
    await node.send(b"builds on what nobody has", key_frame=False)
    await node.send(b"again", key_frame=True)
    assert bytes(await next_packet(viewer)) == b"again"


async def test_a_video_that_has_ended_is_over(node, join, monkeypatch):
    monkeypatch.setattr(remote_feed, "MOVES_WITHIN_S", 0.2)
    _, viewer, emptied = join()
    await node.is_opened(1)
    node.is_there = False
    await node.hang_up(OVER)
    with pytest.raises(Over):
        await next_packet(viewer)
    assert viewer.why_over == "yard has ended"
    assert len(emptied) == 1
    assert node.opened == 1


@pytest.mark.parametrize("code", [OVER, WSCloseCode.GOING_AWAY])
async def test_a_video_that_moves_goes_on(node, join, code):
    """By its name, and by a session's id, which it keeps."""
    _, viewer, emptied = join(may_come_back=False)
    await node.is_opened(1)
    await node.hang_up(code)
    await node.is_opened(2)
    await node.send(b"again", key_frame=True)
    assert bytes(await next_packet(viewer)) == b"again"
    assert emptied == []


@pytest.mark.parametrize(("may_come_back", "within"), [(True, "0.4 s"), (False, "0.2 s")])
async def test_who_waits_too_long_is_told_why(node, join, monkeypatch, may_come_back, within):
    monkeypatch.setattr(remote_feed, "HOLD_S", 0.4)
    monkeypatch.setattr(remote_feed, "MOVES_WITHIN_S", 0.2)
    _, viewer, emptied = join(may_come_back=may_come_back)
    await node.is_opened(1)
    node.is_there = False
    await node.hang_up(WSCloseCode.GOING_AWAY)
    with pytest.raises(Over):
        await next_packet(viewer)
    assert f"yard did not come back within {within}" in viewer.why_over
    assert len(emptied) == 1
    assert node.opened == 1
