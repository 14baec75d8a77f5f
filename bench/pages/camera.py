"""The clip that Chromium's camera plays, its frames numbered."""

from pathlib import Path

import av

from bench import barcode

# Lowest is best (2 to 31): no visible blocks, 20 kB a frame.
QUANTIZER = "4"


def write_numbered_clip(source: Path, target: Path) -> None:
    """Write a video as Motion JPEG, which Chromium plays at 30 frames per second.

    Frames carry their number, from 0, in the corner.
    """
    with av.open(source) as played, av.open(target, "w", "mjpeg") as written:
        video = played.streams.video[0]
        stream = written.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuvj420p"
        stream.options = {"qmin": QUANTIZER, "qmax": QUANTIZER}
        for number, frame in enumerate(played.decode(video)):
            image = frame.to_ndarray(format="rgb24")
            barcode.stamp(image, number)
            stamped = av.VideoFrame.from_ndarray(image, format="rgb24")
            written.mux(stream.encode(stamped.reformat(format="yuvj420p")))
        written.mux(stream.encode(None))
