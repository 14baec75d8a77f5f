"""Real VP8 and H264, as they are encoded for a call; and files of clips."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bench.parts.vitals_scene import Shown

_CLOCK = Fraction(1, 90_000)
_OPTIONS = {
    "VP8": (
        "libvpx",
        {
            "deadline": "realtime",
            "cpu-used": "-6",
            "lag-in-frames": "0",
            "error-resilient": "1",
            "static-thresh": "0",
            "undershoot-pct": "100",
            "overshoot-pct": "15",
        },
    ),
    "H264": (
        "libx264",
        {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"},
    ),
}


def through(shown: Iterable[Shown], codec: str, bits: int, fps: float) -> Iterator[Shown]:
    """Encode frames at so many bits a second, and decode them; their times are kept."""
    name, options = _OPTIONS[codec]
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 480, "yuv420p"
    encoder.bit_rate = bits
    encoder.time_base, encoder.framerate = _CLOCK, Fraction(round(fps), 1)
    encoder.gop_size = round(fps * 60)
    encoder.thread_count = 1
    vbv = str(bits)
    encoder.options = {**options, "maxrate": vbv, "bufsize": str(bits // 2)}
    decoder = av.CodecContext.create("vp8" if codec == "VP8" else "h264", "r")
    decoder.thread_count = 1
    waiting: list[Shown] = []
    for one in shown:
        waiting.append(one)
        frame = av.VideoFrame.from_ndarray(one.rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = round(one.time_s * 90_000), _CLOCK
        for packet in encoder.encode(frame):
            for decoded in decoder.decode(packet):
                was = waiting.pop(0)
                yield Shown(
                    was.time_s, np.ascontiguousarray(decoded.to_ndarray(format="rgb24")), was.bpm
                )


def write(shown: Iterable[Shown], path: Path, fps: int) -> None:
    """Write frames into a file, as good as they are; their times are even ones."""
    with av.open(str(path), "w") as movie:
        stream = movie.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "17"}
        for number, one in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(one.rgb, format="rgb24")
            frame.pts = number
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode(None))
