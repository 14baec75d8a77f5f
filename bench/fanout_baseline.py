"""What bench/fanout.py measures Kinecast against: each viewer with an encoder of aiortc's own.

Written like aiortc's webcam example: one camera, its frames shared by all (as `MediaRelay` does),
a peer connection for each viewer that encodes them for itself, aiortc used as it comes. The camera
is Kinecast's, so that both send the same pictures.
"""

import argparse
import asyncio
from fractions import Fraction
from pathlib import Path

import av
from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from bench.fanout_camera import stamp
from client_test.ice_hosts import offering
from server.camera.camera import Camera
from server.camera.clip import Clip
from server.camera.hooks import Hook
from server.camera.source import Mode
from server.media.capture import Capture

CLOCK_HZ = 90_000


class CameraTrack(MediaStreamTrack):
    """The camera's frames for one viewer: the newest, as in a call."""

    kind = "video"

    def __init__(self, shared: "SharedCamera") -> None:
        super().__init__()
        self._shared = shared
        self._came: asyncio.Queue[av.VideoFrame] = asyncio.Queue(1)
        shared.tracks.append(self)

    def put(self, frame: av.VideoFrame) -> None:
        """Let a frame wait; it replaces one that does."""
        if self._came.full():
            self._came.get_nowait()
        self._came.put_nowait(frame)

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        return await self._came.get()

    def stop(self) -> None:
        super().stop()
        if self in self._shared.tracks:
            self._shared.tracks.remove(self)


class SharedCamera:
    """Converts each picture once for all: only the encoders are every viewer's own."""

    def __init__(self, clip: Path) -> None:
        self.tracks: list[CameraTrack] = []
        self.camera = Camera(lambda: Clip(Mode(), clip), Hook(stamp))

    def begin(self) -> None:
        """Read the camera from now on."""
        self.camera.subscribe(self._take)

    def _take(self, capture: Capture) -> None:
        frame = capture.frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = int(capture.captured_s * CLOCK_HZ), Fraction(1, CLOCK_HZ)
        for track in list(self.tracks):
            track.put(frame)


def build_app(clip: Path, ice_addresses: list[str]) -> web.Application:
    """``POST /whep/camera`` and ``GET /health``."""
    shared = SharedCamera(clip)
    connections: set[RTCPeerConnection] = set()

    async def watch(request: web.Request) -> web.Response:
        connection = RTCPeerConnection(RTCConfiguration([]))
        connections.add(connection)

        @connection.on("connectionstatechange")
        async def on_state() -> None:
            if connection.connectionState in ("failed", "closed"):
                connections.discard(connection)
                await connection.close()

        connection.addTrack(CameraTrack(shared))
        with offering(ice_addresses):
            offer = RTCSessionDescription(await request.text(), "offer")
            await connection.setRemoteDescription(offer)
            await connection.setLocalDescription(await connection.createAnswer())
        sdp = connection.localDescription.sdp
        return web.Response(status=201, text=sdp, content_type="application/sdp")

    async def health(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "ready": True})

    async def start_up(app: web.Application) -> None:
        shared.begin()

    async def shut_down(app: web.Application) -> None:
        await asyncio.gather(*(connection.close() for connection in list(connections)))
        await shared.camera.stop()

    app = web.Application()
    app.router.add_post("/whep/camera", watch)
    app.router.add_get("/health", health)
    app.on_startup.append(start_up)
    app.on_shutdown.append(shut_down)
    return app


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clip", type=Path, required=True, help="the camera's film")
    parser.add_argument("--port", type=int, default=8094)
    parser.add_argument("--ice-address", action="append", default=None)
    arguments = parser.parse_args()
    app = build_app(arguments.clip, arguments.ice_address or ["127.0.0.1"])
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None)


if __name__ == "__main__":
    main()
