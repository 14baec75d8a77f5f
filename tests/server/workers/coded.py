"""Videos as a peer would send them: encoded frames, each of one grey."""

from fractions import Fraction

import av
import numpy as np

from server.workers.mailbox import FrameInfo
from server.workers.messages import EncodedInput

_ENCODERS = {
    "VP8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
    "H264": ("libx264", {"tune": "zerolatency", "preset": "ultrafast"}),
    "H264 with B frames": ("libx264", {"preset": "fast", "bf": "2", "sc_threshold": "0"}),
}


def video(codec, count, size=(64, 48), *, keys=(0,), sid="a", first=1, received_s=0.0):
    """Frames in the order in which they are sent, each ten greys lighter than the one before.

    They are numbered in that order. Those whose place is in `keys` are key frames.
    """
    name, options = _ENCODERS[codec]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base = context.framerate = Fraction(1, 30)
    context.gop_size = 1000
    context.options = options
    # libvpx's spin while they wait for each other.
    context.thread_count = 1
    packets = []
    for number in range(count):
        planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
        planes[: size[1]] = 30 + 10 * number
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        if number in keys:
            frame.pict_type = av.video.frame.PictureType.I
        packets += context.encode(frame)
    packets += context.encode(None)
    return [
        EncodedInput(
            sid,
            FrameInfo(first + at, (first + at) * 33.0, 0.0, received_s, 0, 0),
            codec.split()[0],
            bytes(packet),
            packet.is_keyframe,
        )
        for at, packet in enumerate(packets)
    ]


def grey_of(picture):
    """The middle of a decoded picture, as the number of its frame in `video`, from 0."""
    planes = picture.to_ndarray()
    return round((float(planes[picture.height // 2, picture.width // 2]) - 30) / 10)


def layered(count, size=(64, 48), *, sid="a", received_s=0.0):
    """As `video`, in VP8 with two temporal layers: every other frame is of the upper one."""
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base = context.framerate = Fraction(1, 30)
    context.gop_size, context.bit_rate, context.thread_count = 1000, 200_000, 1
    layers = "ts_number_layers=2:ts_target_bitrate=120,200:ts_rate_decimator=2,1"
    context.options = {
        "deadline": "realtime",
        "lag-in-frames": "0",
        "error-resilient": "1",
        "ts-parameters": f"{layers}:ts_periodicity=2:ts_layer_id=0,1:ts_layering_mode=2",
    }
    packets = []
    for number in range(count):
        planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
        planes[: size[1]] = 30 + 10 * number
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        packets += context.encode(frame)
    return [
        EncodedInput(
            sid,
            FrameInfo(1 + at, (1 + at) * 33.0, 0.0, received_s, 0, 0),
            "VP8",
            bytes(packet),
            packet.is_keyframe,
            layer=at % 2,
        )
        for at, packet in enumerate(packets)
    ]
