"""The camera of bench/fanout.py: a clip of the size asked for, and a hook that stamps the time."""

import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from bench import barcode


def stamp(rgb: Any) -> Any:
    """A camera hook: write the time into a picture, in ms modulo what the bar code holds."""
    barcode.stamp(rgb, round(time.time() * 1000) % barcode.NUMBERS)
    return rgb


def make_clip(source: Path, target: Path, *, width: int, height: int, fps: int, count: int) -> None:
    """Bring a film to the camera's size and rate.

    Parameters
    ----------
    source
        Any video that PyAV reads; repeated up to `count` frames.
    target
        An MP4 file.
    """
    with av.open(str(target), "w") as movie:
        stream: Any = movie.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # Cheap to decode: it is the camera, not what is measured.
        stream.options = {"preset": "ultrafast", "tune": "fastdecode", "crf": "18", "g": str(fps)}
        made = 0
        while made < count:
            with av.open(str(source)) as film:
                for frame in film.decode(video=0):
                    if made == count:
                        break
                    picture = frame.reformat(width=width, height=height, format="yuv420p")
                    picture.pts, picture.time_base = made, Fraction(1, fps)
                    picture.pict_type = av.video.frame.PictureType.NONE
                    movie.mux(stream.encode(picture))
                    made += 1
        movie.mux(stream.encode())
