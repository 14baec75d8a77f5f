"""What Kinecast is measured against: a server written like aiortc's own server example.

It takes an offer over HTTP, pulls frames from the track one after another, analyzes each in a
thread and sends the result over the data channel. Nothing is dropped and aiortc is used as it
comes, so a stream that needs more than the machine has is served later and later.
"""

import argparse
import asyncio
import importlib
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from analyzers.pose import Pose
from client_test.ice_hosts import offering

DEFAULT_ANALYZERS = "bench.baseline:mediapipe_pose,bench.barcode_analyzer:BarcodeReader"


def mediapipe_pose() -> Pose:
    """Pose as such servers run it."""
    return Pose("mediapipe")


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

    async def answer(self, offer: dict[str, str], ice_addresses: list[str]) -> dict[str, str]:
        """Negotiate; returns the answer as the wire has it."""
        with offering(ice_addresses):
            await self.connection.setRemoteDescription(RTCSessionDescription(**offer))
            await self.connection.setLocalDescription(await self.connection.createAnswer())
        local = self.connection.localDescription
        return {"sdp": local.sdp, "type": local.type}

    async def close(self) -> None:
        """Hang up; the analyzers' sessions end."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self.connection.close()

    def _on_channel(self, channel: RTCDataChannel) -> None:
        self._channel = channel

        @channel.on("message")
        def on_message(text: str) -> None:
            if text == "end session":
                self._send(self._end() | {"final": True})
                self._channel = None

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self._reading = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        for analyzer in self._analyzers:
            await asyncio.to_thread(analyzer.start, self._sid)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, VideoFrame)
            result = await asyncio.to_thread(self._analyze, frame)
            self._frames += 1
            self._send(result | {"final": False})

    def _analyze(self, frame: VideoFrame) -> dict[str, Any]:
        rgb = frame.to_ndarray(format="rgb24")
        pts_ms = (frame.time or 0.0) * 1000
        merged: dict[str, Any] = {}
        for analyzer in self._analyzers:
            merged |= analyzer.frame(self._sid, rgb, pts_ms) or {}
        number = self._frames
        return merged | {"frame": {"number": number, "pts": pts_ms}, "dropped": 0}

    def _end(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for analyzer in self._analyzers:
            merged |= analyzer.end(self._sid) or {}
        return merged

    def _send(self, result: dict[str, Any]) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(json.dumps(result | {"timestamp": round(time.time() * 1000)}))


def build_app(factories: list[Callable[[], Any]], ice_addresses: list[str]) -> web.Application:
    """The baseline's HTTP application: ``POST /offer`` and ``GET /health``."""
    sessions: set[BaselineSession] = set()
    numbers = itertools.count()

    async def offer(request: web.Request) -> web.Response:
        body = await request.json()
        session = BaselineSession(f"baseline-{next(numbers)}", [make() for make in factories])
        sessions.add(session)
        description = {"sdp": body["sdp"], "type": body["type"]}
        return web.json_response(await session.answer(description, ice_addresses))

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "ready": True})

    async def shut_down(app: web.Application) -> None:
        await asyncio.gather(*(session.close() for session in sessions))

    app = web.Application()
    app.router.add_post("/offer", offer)
    app.router.add_get("/health", health)
    app.on_shutdown.append(shut_down)
    return app


def load_factory(path: str) -> Callable[[], Any]:
    """What makes an analyzer: the class or function that ``package.module:name`` names."""
    module, _, name = path.partition(":")
    factory: Callable[[], Any] = getattr(importlib.import_module(module), name)
    return factory


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--ice-address", action="append", default=None)
    parser.add_argument("--analyzers", default=DEFAULT_ANALYZERS, help="package.module:name,…")
    arguments = parser.parse_args()
    factories = [load_factory(path) for path in arguments.analyzers.split(",") if path]
    app = build_app(factories, arguments.ice_address or ["127.0.0.1"])
    web.run_app(app, host=arguments.host, port=arguments.port, print=None)


if __name__ == "__main__":
    main()
