"""Videos as peers send them: encoded frames that carry their number as a bar code."""

from fractions import Fraction

import av
from av.video.frame import PictureType

from server.media.encoded_frame import EncodedFrame
from tests.server.recordings.movies import numbered

_ENCODERS = {
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "H264": ("libx264", {"tune": "zerolatency", "preset": "ultrafast", "profile": "baseline"}),
    "H264 with B frames": ("libx264", {"preset": "fast", "bf": "3", "sc_threshold": "0"}),
}


def encode(
    codec: str,
    numbers: range,
    size: tuple[int, int] = (320, 240),
    *,
    keys: tuple[int, ...] = (0,),
) -> list[tuple[EncodedFrame, float]]:
    """Frames in the order in which they are sent, and when each is shown: 40 ms times its number.

    Those whose place is in `keys` are key frames.
    """
    name, options = _ENCODERS[codec]
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base = context.framerate = Fraction(1, 25)
    context.gop_size = 1000
    context.options = options
    # libvpx's spin while they wait for each other, which takes thirty times as long.
    context.thread_count = 1
    packets = []
    for place, number in enumerate(numbers):
        frame = numbered(number, *size)
        frame.pts, frame.time_base = number, Fraction(1, 25)
        frame.pict_type = PictureType.I if place in keys else PictureType.NONE
        packets += context.encode(frame)
    packets += context.encode(None)
    name = codec.split()[0]
    return [
        (EncodedFrame(name, 96, bytes(packet), 0, packet.is_keyframe), packet.pts * 40.0)
        for packet in packets
    ]
