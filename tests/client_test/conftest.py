"""Servers and clips that the clients are tried on."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import web
from av import VideoFrame

from bench.harness import barcode
from bench.harness.baseline import build_app

CLIP_RATE_HZ = 30
CLIP_FRAMES = 45


class Numbered:
    """Answers with the number in the frame's corner, and as pose says whether there is one."""

    has_pose = True

    def __init__(self) -> None:
        self.frames = 0

    def start(self, sid: str) -> None:
        """Nothing to prepare."""

    def frame(self, sid: str, frame: np.ndarray, timestamp_ms: float) -> dict[str, Any]:
        """The number."""
        self.frames += 1
        return {"barcode": barcode.read(frame), "has_pose": self.has_pose}

    def end(self, sid: str) -> dict[str, Any]:
        """How many frames there were."""
        return {"frames": self.frames}


class Poseless(Numbered):
    """Never sees anybody."""

    has_pose = False


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.5 s of numbered frames, a keyframe every 20."""
    path = tmp_path_factory.mktemp("clip") / "numbered.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"g": "20", "preset": "ultrafast", "bf": "2"}
        for number in range(CLIP_FRAMES):
            image = np.full((240, 320, 3), 90, np.uint8)
            barcode.stamp(image, number)
            container.mux(stream.encode(VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


ServeApp = Callable[[web.Application], Any]


@pytest.fixture
async def serve() -> AsyncIterator[ServeApp]:
    """Serves applications on free ports of loopback; returns each one's port."""
    runners: list[web.AppRunner] = []

    async def start(app: web.Application) -> int:
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def http_only(serve: ServeApp) -> str:
    """A server that takes offers by HTTP alone and reads numbers."""
    return f"http://127.0.0.1:{await serve(build_app([Numbered], ['127.0.0.1']))}"


@pytest.fixture
async def poseless(serve: ServeApp) -> str:
    """The same, seeing nobody."""
    return f"http://127.0.0.1:{await serve(build_app([Poseless], ['127.0.0.1']))}"
