"""Pictures that a test shows, and packets of a real encoder."""

import av
import numpy as np

from server.media.capture import Capture
from server.media.encoder import Codec, Encoder

FPS = 20


def picture(number, width=160, height=120):
    """Its blue says its number."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    rgb[..., 2] = number * 8 % 256
    return av.VideoFrame.from_ndarray(rgb, format="rgb24")


def encode(times, width=160, height=120, *, key_every=40, encoder=None, first=0):
    """H264 packets of pictures taken at these times, in seconds."""
    encoder = encoder or Encoder(Codec.H264, 500_000)
    packets = []
    for index, time_s in enumerate(times):
        shown = picture(first + index, width, height)
        packets += encoder.encode(shown, time_s, key_frame=index % key_every == 0)
    return packets


class Pictures:
    """A camera's side of a broadcast, driven by the test."""

    def __init__(self):
        self.listeners = []
        self.number = 0

    def subscribe(self, listener):
        self.listeners.append(listener)

    def unsubscribe(self, listener):
        self.listeners.remove(listener)

    def show(self, width=160, height=120, *, noise=False):
        shown = picture(self.number, width, height)
        if noise:
            pixels = np.random.default_rng(self.number).integers(
                0, 256, (height, width, 3), np.uint8
            )
            shown = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        capture = Capture(shown, 1000 + self.number / FPS)
        self.number += 1
        for listener in list(self.listeners):
            listener(capture)


def read(path):
    """Times in seconds, sizes, and blue of the frames in a file."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    return (
        [float(frame.time) for frame in frames],
        {(frame.width, frame.height) for frame in frames},
        [int(frame.to_ndarray(format="rgb24")[..., 2].mean()) for frame in frames],
    )
