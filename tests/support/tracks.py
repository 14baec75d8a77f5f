"""Tracks to send to a server."""

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection

from client_test.ice_hosts import offering

VIDEO_CLOCK_HZ = 90_000
AUDIO_RATE_HZ = 48_000


class ColourTrack(MediaStreamTrack):
    """Plain pictures of one colour at a steady rate; small, so that many fit on one machine."""

    kind = "video"

    def __init__(
        self,
        fps: float = 30,
        size: tuple[int, int] = (160, 120),
        rgb: tuple[int, int, int] = (200, 60, 30),
    ) -> None:
        super().__init__()
        self.size = size
        self.sent = 0
        self._fps = fps
        self._rgb = rgb
        self._began_s: float | None = None

    async def recv(self) -> av.VideoFrame:
        if self._began_s is None:
            self._began_s = time.monotonic()
        due_s = self._began_s + self.sent / self._fps
        await asyncio.sleep(max(due_s - time.monotonic(), 0))
        width, height = self.size
        picture = np.full((height, width, 3), self._rgb, np.uint8)
        # Something moves, or the encoder would send next to nothing.
        picture[:8, 4 * self.sent % (width - 8) :][:, :8] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = round(self.sent * VIDEO_CLOCK_HZ / self._fps)
        frame.time_base = Fraction(1, VIDEO_CLOCK_HZ)
        self.sent += 1
        return frame


class ToneTrack(MediaStreamTrack):
    """A tone of 440 Hz in pieces of 20 ms."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self._began_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        if self._began_s is None:
            self._began_s = time.monotonic()
        await asyncio.sleep(max(self._began_s + self.sent * 0.02 - time.monotonic(), 0))
        count = AUDIO_RATE_HZ // 50
        at = np.arange(count) + self.sent * count
        tone = (8000 * np.sin(2 * np.pi * 440 * at / AUDIO_RATE_HZ)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = AUDIO_RATE_HZ
        frame.pts = self.sent * count
        frame.time_base = Fraction(1, AUDIO_RATE_HZ)
        self.sent += 1
        return frame


async def offer_of(*tracks: MediaStreamTrack) -> str:
    """The SDP of who would send these tracks, and has a data channel."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for track in tracks:
        connection.addTrack(track)
    connection.createDataChannel("data")
    with offering(["127.0.0.1"]):
        await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    await connection.close()
    return sdp
