"""Kinecast's own ends of the line, by WHIP and WHEP: aiortc in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

import aiohttp
import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from client_test.ice_hosts import offering
from tests.interop.clients import bars
from tests.interop.clients.client import Codec

CONNECT_TIMEOUT_S = 20.0
FRAMES_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Seen:
    """What a viewer has decoded."""

    frames: int = 0
    left: list[int] | None = None
    right: list[int] | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, frame: av.VideoFrame) -> None:
        async with self._came:
            self.frames += 1
            self.left, self.right = bars.sides(frame)
            self._came.notify_all()

    async def wait_for(self, count: int) -> None:
        """Wait until so many have been decoded."""
        async with asyncio.timeout(FRAMES_TIMEOUT_S), self._came:
            await self._came.wait_for(lambda: self.frames >= count)


@contextlib.asynccontextmanager
async def publishing(url: str, track: MediaStreamTrack, codec: Codec) -> AsyncIterator[str]:
    """Publish a track; yields the session's path."""
    connection = RTCPeerConnection(RTCConfiguration([]))
    _only(connection.addTransceiver(track, "sendonly"), codec)
    async with _exchanged(connection, url) as link:
        yield link[link.index("<") + 1 : link.index(">")]


@contextlib.asynccontextmanager
async def watching(url: str, codec: Codec) -> AsyncIterator[Seen]:
    """Watch and decode."""
    connection = RTCPeerConnection(RTCConfiguration([]))
    seen = Seen()

    async def read(track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await seen.take(await track.recv())

    connection.on("track", lambda track: seen.tasks.add(asyncio.create_task(read(track))))
    _only(connection.addTransceiver("video", "recvonly"), codec)
    async with _exchanged(connection, url):
        yield seen
    for task in seen.tasks:
        task.cancel()


def _only(transceiver: RTCRtpTransceiver, codec: Codec) -> None:
    known = RTCRtpSender.getCapabilities("video").codecs
    wanted = (f"video/{codec}", "video/rtx")
    transceiver.setCodecPreferences([c for c in known if c.mimeType in wanted])


@contextlib.asynccontextmanager
async def _exchanged(connection: RTCPeerConnection, url: str) -> AsyncIterator[str]:
    """Offer, take the answer, wait for the connection; yields the answer's link."""
    connected, resource = asyncio.Event(), ""

    @connection.on("connectionstatechange")
    def note() -> None:
        if connection.connectionState == "connected":
            connected.set()

    async with aiohttp.ClientSession() as http:
        try:
            with offering(("127.0.0.1",)):
                await connection.setLocalDescription(await connection.createOffer())
            offer = connection.localDescription.sdp
            async with http.post(
                url, data=offer, headers={"Content-Type": "application/sdp"}
            ) as answer:
                text = await answer.text()
                if answer.status != 201:
                    raise RuntimeError(f"{url}: {answer.status}: {text}")
                resource, link = answer.headers["Location"], answer.headers.get("Link", "")
            await connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
            await asyncio.wait_for(connected.wait(), CONNECT_TIMEOUT_S)
            yield link
        finally:
            if resource:
                (await http.delete(urljoin(url, resource))).close()
            await connection.close()
