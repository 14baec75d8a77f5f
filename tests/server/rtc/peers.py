"""Two peers in one process, and tracks that a test steps."""

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import (
    RTCPeerConnection,
    VideoStreamTrack,
)

from server import rtc
from server.media.encoder import Codec, Encoder

WITHIN_S = 60.0


class StepTrack(VideoStreamTrack):
    """Gives one frame each time it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: asyncio.Queue[int] = asyncio.Queue()
        self.sent = 0

    def step(self) -> None:
        self._steps.put_nowait(self.sent)
        self.sent += 1

    async def recv(self) -> av.VideoFrame:
        number = await self._steps.get()
        # Plain enough for a frame to fit one packet.
        frame = av.VideoFrame.from_ndarray(
            np.full((120, 160, 3), number * 8 % 256, np.uint8), format="rgb24"
        )
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
        return frame


class EncodedTrack(rtc.PacketTrack):
    """The same, of frames that are encoded already."""

    def __init__(self) -> None:
        super().__init__()
        self._encoder = Encoder(Codec.VP8, 500_000)
        self._packetizer = rtc.Packetizer("VP8")
        self._waiting: list[av.Packet] = []
        self.sent = 0

    def step(self) -> None:
        picture = np.full((120, 160, 3), self.sent * 8 % 256, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        (packet,) = self._encoder.encode(frame, self.sent / 30, key_frame=False)
        self._packetizer.mark(packet)
        self._waiting.append(packet)
        self.sent += 1
        self.flow()

    def flow(self) -> None:
        while self._waiting and self.send(self._waiting[0]):
            self._waiting.pop(0)


either_track = pytest.mark.parametrize("pair", [StepTrack, EncodedTrack], indirect=True)


async def connect(offerer: RTCPeerConnection, answerer: RTCPeerConnection) -> None:
    connected = asyncio.Event()

    @answerer.on("connectionstatechange")
    def _() -> None:
        if answerer.connectionState == "connected":
            connected.set()

    await offerer.setLocalDescription(await offerer.createOffer())
    await answerer.setRemoteDescription(offerer.localDescription)
    await answerer.setLocalDescription(await answerer.createAnswer())
    await offerer.setRemoteDescription(answerer.localDescription)
    await asyncio.wait_for(connected.wait(), WITHIN_S)
