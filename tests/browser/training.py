"""The sample video as a camera, and what is true of it."""

import itertools
import json
from collections import Counter
from fractions import Fraction
from functools import cache
from pathlib import Path

import av

from tests.support.server import ROOT

TRUTH = json.loads((ROOT / "sample-video.json").read_text())
FPS = 30
# As the page calls them.
NAMES = {
    "squat": "Squat",
    "jumping_jack": "Jumping jack",
    "bicep_curl": "Bicep curl",
    "overhead_press": "Shoulder press",
}


def true_sets() -> list[tuple[str, int]]:
    """The sample's exercises in their order, each with how many repetitions."""
    counted = Counter(each["exercise"] for each in TRUTH["repetitions"])
    return [(NAMES[name], times) for name, times in counted.items()]


def write_clip(target: Path, frames: list[int], rows: slice | None = None) -> Path:
    """Write these frames of the sample, by number, as Chromium's camera wants them.

    Parameters
    ----------
    rows
        Only these of each picture.
    """
    wanted = tuple(sorted(set(frames)))
    packets = _encoded(wanted, *(() if rows is None else (rows.start, rows.stop)))
    target.write_bytes(b"".join(packets[number] for number in frames))
    return target


@cache
def _encoded(wanted: tuple[int, ...], top: int = 0, bottom: int = 0) -> dict[int, bytes]:
    """These frames as JPEGs, from one row to another, 0 for the last; most files want the same."""
    with av.open(ROOT / "sample-video.mp4") as source:
        played = source.streams.video[0]
        rows = slice(top, bottom or played.height)
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height = played.width, rows.stop - rows.start
        encoder.pix_fmt = "yuvj420p"
        encoder.time_base = Fraction(1, FPS)
        # With more threads, packets come frames later.
        encoder.thread_count = 1
        encoder.options = {"qmin": "4", "qmax": "4"}
        decoded = enumerate(itertools.islice(source.decode(played), wanted[-1] + 1))
        return {
            number: b"".join(map(bytes, encoder.encode(_cut(frame, rows))))
            for number, frame in decoded
            if number in wanted
        }


def _cut(frame: av.VideoFrame, rows: slice) -> av.VideoFrame:
    picture = frame.to_ndarray(format="rgb24")[rows]
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")


def whole_sample() -> list[int]:
    """Every frame, at two thirds of the speed, between a while of standing and a long one.

    The first gives time to connect, and for the picture to be looked at before the set; slower
    movements are counted alike, on a busy machine too.
    """
    count = TRUTH["meta"]["frame_count"]
    slow = [at * 2 // 3 for at in range(count * 3 // 2)]
    return [0] * 16 * FPS + slow + [count - 1] * 40 * FPS


def squats() -> list[int]:
    """The two squats, which the camera plays over and over, at two thirds of the speed."""
    end_ms = TRUTH["repetitions"][1]["end_ms"] + 100
    return [at * 2 // 3 for at in range(end_ms * FPS // 1000 * 3 // 2)]


def shallow_squats() -> list[int]:
    """Down, not far enough, and up again, over and over, at half the speed."""
    start, turn = (TRUTH["repetitions"][0][key] * FPS // 1000 for key in ("start_ms", "turn_ms"))
    down = range(start - 4, start + (turn - start) * 5 // 8)
    return [at for at in (*down, *reversed(down)) for _ in range(2)]
