"""A peer that watches by WHEP, as a player does."""

import asyncio
import contextlib

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from client_test.ice_hosts import offering

SDP = "application/sdp"


class Watcher:
    """A peer connection that receives video by WHEP and decodes it.

    Parameters
    ----------
    server
        Where.
    name
        What is watched.
    codec
        The only one that it takes, None for any.
    """

    def __init__(self, server, name="camera", codec=None):
        self.url = f"{server.url}/whep/{name}"
        self.frames = []
        self.connection = RTCPeerConnection(RTCConfiguration([]))
        self.connection.on("track", self._take)
        transceiver = self.connection.addTransceiver("video", "recvonly")
        if codec is not None:
            known = RTCRtpReceiver.getCapabilities("video").codecs
            transceiver.setCodecPreferences([c for c in known if c.mimeType == f"video/{codec}"])
        self.came = asyncio.Condition()
        self.ended = asyncio.Event()
        self.tasks = set()

    def _take(self, track):
        task = asyncio.create_task(self._read(track))
        self.tasks.add(task)

    async def _read(self, track):
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                async with self.came:
                    self.frames.append(frame)
                    self.came.notify_all()
        self.ended.set()

    async def offer(self):
        with offering(("127.0.0.1",)):
            await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def post(self, http, sdp=None, **headers):
        body = sdp if sdp is not None else await self.offer()
        return await http.post(self.url, data=body, headers={"Content-Type": SDP, **headers})

    async def watch(self, http):
        answer = await self.post(http)
        text = await answer.text()
        assert answer.status == 201, text
        await self.connection.setRemoteDescription(RTCSessionDescription(text, "answer"))
        return answer, text

    async def wait_for(self, count):
        async with asyncio.timeout(60), self.came:
            await self.came.wait_for(lambda: len(self.frames) >= count)


@contextlib.asynccontextmanager
async def watcher(server, name="camera", codec=None):
    """A watcher who leaves at the end."""
    made = Watcher(server, name, codec)
    try:
        yield made
    finally:
        await made.connection.close()
        for task in made.tasks:
            task.cancel()
