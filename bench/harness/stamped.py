"""A clip whose frames carry their number as a bar code, and a track that has it encoded."""

import asyncio
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import cycle, islice
from pathlib import Path

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from bench.harness import barcode
from bench.harness.report import SAMPLE

WIDTH, HEIGHT, RATE_HZ = 640, 480, 30.0
CLOCK_HZ = 90_000
# At 30 frames per second numbers repeat after 20 s, longer than any latency that is measured.
# 640 x 480 frames of that many take 276 MB, shared by all streams.
RING_FRAMES = 600

Ring = Sequence[barcode.Image]


def load_stamped(path: Path = SAMPLE, *, count: int = RING_FRAMES) -> Ring:
    """Frames of a clip, repeated up to `count` and numbered from 0; each uint8 (H * 3 / 2, W)."""
    with av.open(str(path)) as container:
        decoded = [
            frame.reformat(width=WIDTH, height=HEIGHT, format="yuv420p").to_ndarray()
            for frame in islice(container.decode(video=0), count)
        ]
    ring = [frame.copy() for frame in islice(cycle(decoded), count)]
    for number, frame in enumerate(ring):
        barcode.stamp(frame, number)
    return ring


class StampedTrack(MediaStreamTrack):
    """Plays stamped frames in a loop, and notes when each was handed to the encoder.

    One that is late by more than an interval is skipped: a camera too gives no older ones.
    """

    kind = "video"

    def __init__(self, ring: Ring) -> None:
        super().__init__()
        self.sent_at_s: dict[int, float] = {}
        self.frames_sent = 0
        self._ring = ring
        self._count = 0
        self._started_s: float | None = None

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        if self._started_s is None:
            self._started_s = time.monotonic()
        behind = int((time.monotonic() - self._started_s) * RATE_HZ) - self._count
        self._count += max(0, behind)
        due_s = self._started_s + self._count / RATE_HZ
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        number = self._count % len(self._ring)
        # Shares the memory; a frame object of its own, since the encoder writes into it.
        frame = VideoFrame.from_numpy_buffer(self._ring[number], "yuv420p", width=WIDTH)
        frame.pts = round(self._count / RATE_HZ * CLOCK_HZ)
        frame.time_base = Fraction(1, CLOCK_HZ)
        self.sent_at_s[number] = time.monotonic()
        self.frames_sent += 1
        self._count += 1
        return frame
