"""Pictures that are known from their number: whoever gets one can tell whether it is as it was."""

import asyncio
import itertools
import time
from fractions import Fraction

import av
import cv2
import numpy as np
from aiortc import MediaStreamTrack

from analyzers.base_model import BaseModel
from bench.harness import barcode
from server.media.encoder import Codec, Encoder

WIDTH, HEIGHT, FPS = 320, 240, 25
BLOCK_PX = 16
_MOVES_PX = 6
# What a decoder shows in place of blocks that it does not have differs by 60 and more; compression
# by up to 25 here.
DAMAGED = 40.0

_soft = cv2.GaussianBlur(
    np.random.default_rng(7).integers(0, 256, (HEIGHT, 4 * WIDTH), np.uint8), (0, 0), 4
)
_TEXTURE = cv2.normalize(_soft, None, 30, 220, cv2.NORM_MINMAX)
_counter = itertools.count()


def luma(number):
    """The picture of a number, (H, W) uint8."""
    picture = np.roll(_TEXTURE, -_MOVES_PX * number, axis=1)[:, :WIDTH].copy()
    barcode.stamp(picture, number)
    return picture


def hook(_rgb):
    """A camera's pictures, replaced by numbered ones."""
    return cv2.cvtColor(luma(next(_counter) % barcode.NUMBERS), cv2.COLOR_GRAY2RGB)


def check(grey):
    """Compare a picture with what it was.

    Parameters
    ----------
    grey
        (H, W) uint8, full range.

    Returns
    -------
    Its number, or None where none can be read, and by how much its worst block differs.
    """
    number = barcode.read(grey)
    if number is None:
        return None, 255.0
    differences = np.abs(grey.astype(np.float32) - luma(number))
    blocks = differences.reshape(HEIGHT // BLOCK_PX, BLOCK_PX, WIDTH // BLOCK_PX, BLOCK_PX)
    return number, float(blocks.mean(axis=(1, 3)).max())


class Checker(BaseModel):
    """An analyzer that says of each frame which it is, and how much of it is wrong."""

    name = "checker"

    def start(self, sid, timestamp=None, *args, **kwargs):
        """There is nothing to prepare."""

    def frame(self, sid, frame, timestamp, *args, **kwargs):
        number, worst = check(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        return {"number": number, "worst": worst}

    def end(self, sid, timestamp=None, *args, **kwargs):
        """There is nothing to say."""


class NumberedTrack(MediaStreamTrack):
    """Numbered pictures, encoded here, so that it is known what is sent.

    Attributes
    ----------
    number
        Of the newest picture.
    sent
        What was sent so far, encoded.
    key_frames
        Numbers of those that were key frames.
    """

    kind = "video"

    def __init__(self, codec):
        super().__init__()
        self.number = -1
        self.sent = []
        self.key_frames = []
        self.requests = 0
        self._encoder = Encoder(Codec(codec), 1_500_000)
        self._key_frame_wanted = True
        self._began_s = None
        self._gave = asyncio.Event()

    def request_key_frame(self):
        """The other side asks for one."""
        self.requests += 1
        self._key_frame_wanted = True

    async def wait_until(self, number):
        """Wait until this picture has been sent."""
        while self.number < number:
            self._gave.clear()
            await asyncio.wait_for(self._gave.wait(), 30)

    async def recv(self):
        self.number += 1
        if self._began_s is None:
            self._began_s = time.monotonic()
        due_s = self._began_s + self.number / FPS
        await asyncio.sleep(max(due_s - time.monotonic(), 0))
        grey = luma(self.number % barcode.NUMBERS)
        frame = av.VideoFrame.from_ndarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), format="rgb24")
        key_frame, self._key_frame_wanted = self._key_frame_wanted, False
        (packet,) = self._encoder.encode(frame, self.number / FPS, key_frame=key_frame)
        self.sent.append(bytes(packet))
        if packet.is_keyframe:
            self.key_frames.append(self.number)
        self._gave.set()
        return packet


class NumberedPictures(MediaStreamTrack):
    """Numbered pictures, which whoever sends them encodes.

    Attributes
    ----------
    number
        Of the newest picture.
    """

    kind = "video"

    def __init__(self):
        super().__init__()
        self.number = -1
        self._began_s = None

    async def recv(self):
        self.number += 1
        if self._began_s is None:
            self._began_s = time.monotonic()
        due_s = self._began_s + self.number / FPS
        await asyncio.sleep(max(due_s - time.monotonic(), 0))
        grey = luma(self.number % barcode.NUMBERS)
        frame = av.VideoFrame.from_ndarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), format="rgb24")
        frame.pts, frame.time_base = round(self.number * 90_000 / FPS), Fraction(1, 90_000)
        return frame
