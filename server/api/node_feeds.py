"""What a node gives to others for their viewers: how a video is encoded, and its frames.

Only the other nodes reach these: they are in no table of routes but that of `joining.inner`.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSCloseCode, web

from server.api.context import METRICS, SESSIONS, STREAMS
from server.broadcast.viewer import Viewer
from server.camera.source import CameraUnavailable
from server.cluster.feed import FEED_PATH, OVER, STREAM_PATH, Wish, write_frame
from server.cluster.link import RETRY_AFTER_S
from server.http.route import Route
from server.media.encoder import Codec, Packet
from server.security.identity import IDENTITY
from server.sessions.metrics import Metrics
from server.tasks import Tasks
from signaling.errors import BadMessage, Busy

# A wish is some fifty characters.
_MAX_WISH_BYTES = 1024
GOODBYE_S = 1.0

FEEDS = web.AppKey("feeds", set[web.WebSocketResponse])


async def describe(request: web.Request) -> web.Response:
    """Which codecs a video can be had in, the cheapest first."""
    stream = request.app[STREAMS].find_here(request.query["name"], request[IDENTITY])
    return web.json_response({"codecs": [str(codec) for codec in stream.codecs]})


async def send(request: web.Request) -> web.StreamResponse:
    """Give a video's frames to a node, until it hangs up or the video ends."""
    stream = request.app[STREAMS].find_here(request.query["name"], request[IDENTITY])
    try:
        codec = Codec(request.query["codec"])
    except ValueError as error:
        raise BadMessage("codec: H264 or VP8") from error
    try:
        viewer = stream.watch(codec)
    except CameraUnavailable as error:
        raise Busy(f"no camera: {error}", retry_after_s=RETRY_AFTER_S) from error
    # A frame is compressed already.
    socket = web.WebSocketResponse(compress=False, max_msg_size=_MAX_WISH_BYTES, timeout=GOODBYE_S)
    metrics, feeds = request.app[METRICS], request.app[FEEDS]
    tasks = Tasks("feed to a node")
    metrics.node_feeds.inc()
    try:
        await socket.prepare(request)
        feeds.add(socket)
        sending = tasks.spawn(_send(viewer, socket, metrics), "send")
        tasks.spawn(_close_after(sending, socket, request.app), "close")
        # Until it hangs up, or `_close_after` does.
        async for message in socket:
            _heed(viewer, Wish.read(message.data))
    finally:
        feeds.discard(socket)
        metrics.node_feeds.dec()
        viewer.leave()
        await tasks.cancel()
    return socket


async def close_all(app: web.Application) -> None:
    """Hang up on the nodes that watch: this one is going, and the videos may come back."""
    feeds: set[web.WebSocketResponse] = app[FEEDS]
    await asyncio.gather(*(each.close(code=WSCloseCode.GOING_AWAY) for each in list(feeds)))


def _heed(viewer: Viewer, wish: Wish) -> None:
    if wish.key_frame:
        viewer.request_key_frame()
    if wish.estimate is not None:
        viewer.estimate = lambda: wish.estimate


async def _close_after(
    sending: asyncio.Task[None], socket: web.WebSocketResponse, app: web.Application
) -> None:
    await asyncio.wait({sending})
    # Of a node that is going, sessions end too, and their peers come back elsewhere.
    is_over = not app[SESSIONS].is_draining
    await socket.close(code=OVER if is_over else WSCloseCode.GOING_AWAY)


async def _send(viewer: Viewer, socket: web.WebSocketResponse, metrics: Metrics) -> None:
    """Send what a viewer's place gets.

    What is not taken waits there, some frames; beyond those, all are left out up to the next key
    frame (`Viewer.put`).
    """
    told = asyncio.Event()
    viewer.listen(told.set)
    next_one: list[Packet] = []

    def take(packet: Packet) -> bool:
        if next_one:
            return False
        next_one.append(packet)
        return True

    with contextlib.suppress(ConnectionError):
        while True:
            told.clear()
            viewer.give(take)
            if not next_one:
                if viewer.is_over:
                    return
                await told.wait()
                continue
            packet = next_one.pop()
            assert packet.pts is not None
            message = write_frame(bytes(packet), packet.pts, is_key_frame=packet.is_keyframe)
            await socket.send_bytes(message)
            metrics.node_frames.inc()
            metrics.node_bytes.inc(len(message))


FEED_ROUTES = (
    Route("GET", STREAM_PATH, describe, "How a video is encoded", None),
    Route("GET", FEED_PATH, send, "A video's frames", None, websocket=True),
)
