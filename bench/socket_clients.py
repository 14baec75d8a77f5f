"""A load of its own process: clients of the older WebSocket APIs, as many as are wanted.

Prints one JSON object. Each client sends the sample video's frames as JPEG, as a browser's canvas
encodes them, at a steady rate, whether it is answered or not. Latency is from handing a picture to
the socket to its answer's arrival, so the client's own work and its waiting for a processor are in
it: the machine is shared with the server.
"""

import argparse
import asyncio
import base64
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import av
import cv2

ROOT = Path(__file__).resolve().parent.parent
QUALITY = 80
PICTURES = 60


def load_pictures(clip: Path) -> list[bytes]:
    """Frames of a clip as JPEG."""
    with av.open(clip) as container:
        frames = container.decode(video=0)
        pictures = [next(frames).to_ndarray(format="bgr24") for _ in range(PICTURES)]
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    return [cv2.imencode(".jpg", picture, options)[1].tobytes() for picture in pictures]


class Client:
    """One socket and what it saw within the window."""

    def __init__(self, messages: list[bytes] | list[str]) -> None:
        self.latencies_ms: list[float] = []
        self.sent = 0
        self.errors = 0
        self.dropped = 0
        self.closed: int | None = None
        self._messages = messages
        self._sent_at_s: dict[int, float] = {}
        self._measures = False

    def begin_window(self) -> None:
        """What came until now was warming up."""
        self._measures = True

    async def run(
        self, socket: aiohttp.ClientWebSocketResponse, fps: float, first_s: float
    ) -> None:
        """Send and read until cancelled, or until the server closes the socket."""
        sending = asyncio.create_task(self._send(socket, fps, first_s))
        try:
            async for message in socket:
                self._take(json.loads(message.data))
            self.closed = socket.close_code
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(
        self, socket: aiohttp.ClientWebSocketResponse, fps: float, first_s: float
    ) -> None:
        number = 0
        while True:
            await asyncio.sleep(max(first_s + number / fps - time.monotonic(), 0))
            message = self._messages[number % len(self._messages)]
            number += 1
            self._sent_at_s[number] = time.monotonic()
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)
            self.sent += self._measures

    def _take(self, answer: dict[str, Any]) -> None:
        if answer.get("type") == "welcome":
            return
        if "frame" not in answer or "detail" in answer:
            self.errors += 1
            return
        sent_s = self._sent_at_s.pop(answer["frame"])
        for older in [number for number in self._sent_at_s if number < answer["frame"]]:
            del self._sent_at_s[older]
        self.dropped = answer["dropped"]
        if self._measures:
            self.latencies_ms.append((time.monotonic() - sent_s) * 1000)


async def stream(arguments: argparse.Namespace) -> dict[str, Any]:
    """Send with all clients at once and measure the window after the warm-up."""
    pictures: list[Any] = load_pictures(arguments.clip)
    if arguments.base64:
        pictures = [
            json.dumps({"frame_data": base64.b64encode(picture).decode(), "timestamp": 0})
            for picture in pictures
        ]
    clients = [Client(pictures) for _ in range(arguments.sockets)]
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(_session())
        sockets = [
            await stack.enter_async_context(http.ws_connect(arguments.url, max_msg_size=0))
            for _ in clients
        ]
        first_s = time.monotonic() + 0.1
        runs = [
            # They do not all send at the same moment.
            asyncio.create_task(
                client.run(socket, arguments.fps, first_s + i / arguments.fps / len(clients))
            )
            for i, (client, socket) in enumerate(zip(clients, sockets, strict=True))
        ]
        await asyncio.sleep(arguments.warm_up)
        for client in clients:
            client.begin_window()
        began_s, began_epoch_s, cpu_s = time.monotonic(), time.time(), time.process_time()
        await asyncio.sleep(arguments.seconds)
        report = {
            "began_epoch_s": began_epoch_s,
            "seconds": time.monotonic() - began_s,
            "client_cpu_s": time.process_time() - cpu_s,
            "clients": [
                {
                    "sent": client.sent,
                    "latencies_ms": [round(ms, 2) for ms in client.latencies_ms],
                    "errors": client.errors,
                    "closed": client.closed,
                }
                for client in clients
            ],
        }
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
    return report


async def idle(arguments: argparse.Namespace) -> None:
    """Open sockets that say nothing; hold them until a line comes in."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(_session())
        for _ in range(arguments.sockets):
            await stack.enter_async_context(http.ws_connect(arguments.url))
        print(json.dumps({"open": arguments.sockets}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)
    )


def main() -> int:
    """Run the load; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True, help="of the WebSocket")
    parser.add_argument("--clip", type=Path, default=ROOT / "sample-video.mp4")
    parser.add_argument("--sockets", type=int, default=1)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=15.0, help="the window")
    parser.add_argument("--warm-up", type=float, default=3.0)
    parser.add_argument("--base64", action="store_true", help="send JSON and not binary messages")
    parser.add_argument(
        "--idle", action="store_true", help="send nothing, wait for a line of input"
    )
    arguments = parser.parse_args()
    if arguments.idle:
        asyncio.run(idle(arguments))
    else:
        print(json.dumps(asyncio.run(stream(arguments))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
