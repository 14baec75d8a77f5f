"""What Kinecast is measured against: servers written like aiortc's own examples.

The first is like the server example. It takes an offer over HTTP, pulls frames from the track one
after another, analyzes each in a thread and sends the result over the data channel. Nothing is
dropped and aiortc is used as it comes, so a stream that needs more than the machine has is served
later and later.

With ``--clip``, the second is like the webcam example: one film for a camera, its frames relayed to
all, a peer connection for each viewer that encodes them for itself.
"""

import argparse
import asyncio
import itertools
import json
import time
from collections import ChainMap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaPlayer, MediaRelay
from aiortc.mediastreams import MediaStreamError

from analyzers.pose import Pose
from bench.harness import barcode
from client_test.ice_hosts import offering


async def answer(connection: RTCPeerConnection, sdp: str, ice_addresses: list[str]) -> str:
    """Take an offer; returns the answer's SDP."""
    with offering(ice_addresses):
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
    text: str = connection.localDescription.sdp
    return text


def new_app() -> web.Application:
    """An application with ``GET /health``."""

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "ready": True})

    app = web.Application()
    app.router.add_get("/health", health)
    return app


class BaselineSession:
    """One peer: its analyzers, its track and its data channel."""

    def __init__(self, sid: str, analyzers: list[Any]) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._sid = sid
        self._analyzers = analyzers
        self._channel: RTCDataChannel | None = None
        self._frames = 0
        self._reading: asyncio.Task[None] | None = None
        self.connection.on("datachannel", self._on_channel)
        self.connection.on("track", self._on_track)

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self.connection.close()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel

        @channel.on("message")
        def on_message(text: str) -> None:
            if text == "end session":
                ends = [analyzer.end(self._sid) or {} for analyzer in self._analyzers]
                self._send(dict(ChainMap(*ends)) | {"final": True})
                self._channel = None

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        for analyzer in self._analyzers:
            await asyncio.to_thread(analyzer.start, self._sid)
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            result = await asyncio.to_thread(self._analyze, frame)
            self._frames += 1
            self._send(result | {"final": False})

    def _analyze(self, frame: av.VideoFrame) -> dict[str, Any]:
        rgb = frame.to_ndarray(format="rgb24")
        pts_ms = (frame.time or 0.0) * 1000
        said = [analyzer.frame(self._sid, rgb, pts_ms) or {} for analyzer in self._analyzers]
        frame = {"number": self._frames, "pts": pts_ms}
        return dict(ChainMap(*said)) | {"frame": frame, "dropped": 0}

    def _send(self, result: dict[str, Any]) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(result | {"timestamp": round(time.time() * 1000)}))


def build_app(factories: list[Callable[[], Any]], ice_addresses: list[str]) -> web.Application:
    """``POST /offer``."""
    sessions: set[BaselineSession] = set()
    numbers = itertools.count()

    async def offer(request: web.Request) -> web.Response:
        sdp = (await request.json())["sdp"]
        session = BaselineSession(f"baseline-{next(numbers)}", [make() for make in factories])
        sessions.add(session)
        answered = await answer(session.connection, sdp, ice_addresses)
        return web.json_response({"sdp": answered, "type": "answer"})

    async def shut_down(app: web.Application) -> None:
        await asyncio.gather(*(session.close() for session in sessions))

    app = new_app()
    app.router.add_post("/offer", offer)
    app.on_shutdown.append(shut_down)
    return app


def build_camera_app(clip: Path, ice_addresses: list[str]) -> web.Application:
    """``POST /whep/camera``."""
    player, relay = MediaPlayer(str(clip), loop=True), MediaRelay()
    connections: set[RTCPeerConnection] = set()

    async def watch(request: web.Request) -> web.Response:
        connection = RTCPeerConnection(RTCConfiguration([]))
        connections.add(connection)

        @connection.on("connectionstatechange")
        async def on_state() -> None:
            if connection.connectionState in ("failed", "closed"):
                connections.discard(connection)
                await connection.close()

        # The newest frame, as in a call.
        connection.addTrack(relay.subscribe(player.video, buffered=False))
        sdp = await answer(connection, await request.text(), ice_addresses)
        return web.Response(status=201, text=sdp, content_type="application/sdp")

    app = new_app()
    app.router.add_post("/whep/camera", watch)
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ice-address", action="append", required=True)
    parser.add_argument("--clip", type=Path, help="serve this film as a camera")
    arguments = parser.parse_args()
    if arguments.clip:
        app = build_camera_app(arguments.clip, arguments.ice_address)
    else:
        # Pose as such servers run it.
        factories = [lambda: Pose("mediapipe"), barcode.BarcodeReader]
        app = build_app(factories, arguments.ice_address)
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None)


if __name__ == "__main__":
    main()
