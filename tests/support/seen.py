"""Peers that publish and watch numbered pictures, and what was seen of them."""

import asyncio
import contextlib
import json

import cv2
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from client_test.ice_hosts import offering
from server import rtc
from tests.support.lossy import without_candidates
from tests.support.numbered import DAMAGED, FPS, check
from tests.support.watcher import Watcher

WITHIN_S = 60.0


class Seen:
    """Which pictures somebody saw, how they looked, and their times in RTP's clock."""

    def __init__(self):
        self.numbers = []
        self.worst = []
        self.times = []
        self.ended = asyncio.Event()
        self._came = asyncio.Condition()

    async def add(self, number, worst, pts=None):
        async with self._came:
            self.numbers.append(number)
            self.worst.append(worst)
            self.times.append(pts)
            self._came.notify_all()

    async def wait_for(self, count):
        """Wait for so many more."""
        wanted = len(self.numbers) + count
        async with asyncio.timeout(WITHIN_S), self._came:
            await self._came.wait_for(lambda: len(self.numbers) >= wanted)

    async def wait_for_number(self, number):
        """Wait for this picture."""
        async with asyncio.timeout(WITHIN_S), self._came:
            await self._came.wait_for(lambda: number in self.numbers)

    def check(self, since=0):
        """None was damaged, and none was long in coming.

        What is lost is waited for for a second, and then for a key frame, which may be lost too.
        """
        assert None not in self.numbers[since:]
        assert max(self.worst[since:]) < DAMAGED
        assert np.diff(self.numbers[since:]).min() > 0
        assert np.diff(self.numbers[since:]).max() <= 3 * FPS


@contextlib.asynccontextmanager
async def watching(server, http, name, codec, line=None):
    """Someone who watches, maybe over a line that loses something."""
    viewer, seen = Watcher(server, name, codec), Seen()
    seen.connection = viewer.connection

    async def read(track):
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                rgb = frame.to_ndarray(format="rgb24")
                await seen.add(*check(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), frame.pts)
        seen.ended.set()

    viewer._read = read
    try:
        offer = await viewer.offer()
        answer = await viewer.post(http, without_candidates(offer) if line else offer)
        sdp = await answer.text()
        assert answer.status == 201, sdp
        if line is not None:
            sdp = await line.through(sdp)
        await viewer.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        yield seen
    finally:
        await viewer.connection.close()
        for task in viewer.tasks:
            task.cancel()
        await rtc.decoders_ended()


@contextlib.asynccontextmanager
async def publishing(server, http, name, codec, track, line=None, resume=None):
    """Someone who publishes; gives what the analyzer has seen, and how to resume."""
    seen, tasks = Seen(), set()
    connection = RTCPeerConnection(RTCConfiguration([]))
    transceiver = connection.addTransceiver(track, "sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    wanted = (f"video/{codec}", "video/rtx")
    transceiver.setCodecPreferences([c for c in known if c.mimeType in wanted])
    rtc.on_key_frame_request(transceiver.sender, track.request_key_frame)
    channel = connection.createDataChannel("results")

    @channel.on("message")
    def on_message(text):
        message = json.loads(text)
        if "worst" in message:
            tasks.add(asyncio.create_task(seen.add(message["number"], message["worst"])))

    try:
        with offering(("127.0.0.1",)):
            await connection.setLocalDescription(await connection.createOffer())
        offer = connection.localDescription.sdp
        body = {
            "sdp": without_candidates(offer) if line else offer,
            "type": "offer",
            "publish": name,
            **({"resume": resume} if resume else {}),
        }
        answer = await http.post(f"{server.url}/offer", json=body)
        text = await answer.text()
        assert answer.status == 200, text
        told = json.loads(text)
        sdp = await line.through(told["sdp"]) if line else told["sdp"]
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        seen.session = told["session"]
        yield seen
    finally:
        await connection.close()
