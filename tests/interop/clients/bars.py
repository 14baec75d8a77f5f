"""The picture that everybody can check: left half grey, right half blue, both at 75 %.

The camera pattern's first and last bars have the same colours, at the same places.
"""

import asyncio
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

WIDTH, HEIGHT, FPS = 320, 180, 25
GREY, BLUE = (191, 191, 191), (0, 0, 191)
# What two lossy codecs, and both ways to read BT.601, leave of a colour.
TOLERANCE = 40
_CLIP_FRAMES = 100
_CLOCK_HZ = 90_000


def picture(number: int) -> av.VideoFrame:
    """The picture of a number; something moves in it."""
    rgb = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:, : WIDTH // 2], rgb[:, WIDTH // 2 :] = GREY, BLUE
    left = 4 * number % (WIDTH - 16)
    rgb[-24:-8, left : left + 16] = 255
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number * _CLOCK_HZ // FPS, Fraction(1, _CLOCK_HZ)
    return frame


def is_right(left: Sequence[int] | None, right: Sequence[int] | None) -> bool:
    """Whether a pixel near each side has the colour that is due."""
    if left is None or right is None:
        return False
    off = [abs(a - b) for a, b in zip((*left, *right), (*GREY, *BLUE), strict=True)]
    return max(off) <= TOLERANCE


def sides(frame: av.VideoFrame) -> tuple[list[int], list[int]]:
    """A pixel near each side of a frame, RGB."""
    row = frame.to_ndarray(format="rgb24")[frame.height // 2]
    return row[frame.width // 32].tolist(), row[-1 - frame.width // 32].tolist()


def write_clips(folder: Path) -> Path:
    """Write the pictures as VP8 in IVF, and raw (Y4M) beside it; returns the first one's path."""
    path = folder / "bars.ivf"
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 500_000
        stream.codec_context.thread_count = 1
        # A key frame each second: whoever joins can not ask a file for one.
        stream.options = {"g": str(FPS), "deadline": "realtime", "auto-alt-ref": "0"}
        for number in range(_CLIP_FRAMES):
            container.mux(stream.encode(picture(number)))
        container.mux(stream.encode(None))
    with path.with_suffix(".y4m").open("wb") as raw:
        raw.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode())
        for number in range(FPS):
            raw.write(b"FRAME\n" + picture(number).to_ndarray().tobytes())
    return path


class BarsTrack(MediaStreamTrack):
    """So many pictures, and then none; it begins when it is told to.

    Parameters
    ----------
    count
        How many.
    """

    kind = "video"

    def __init__(self, count: int) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.sent = 0
        self._count = count
        self._began_s = 0.0

    async def recv(self) -> av.VideoFrame:
        """The next picture."""
        await self.go.wait()
        if self.sent == self._count:
            await self._over()
        self._began_s = self._began_s or time.monotonic()
        await asyncio.sleep(max(self._began_s + self.sent / FPS - time.monotonic(), 0))
        frame = picture(self.sent)
        self.sent += 1
        return frame

    async def _over(self) -> None:
        """The peer connection stays, without pictures."""
        ended = asyncio.Event()
        self.on("ended", ended.set)
        await ended.wait()
        raise MediaStreamError
