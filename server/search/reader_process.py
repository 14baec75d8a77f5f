"""The process that reads a video which somebody sent: it may die of it, and it has little memory.

Started by `server.search.isolated`. Takes one request, a line of JSON, from its standard input, and
answers in lines of JSON with bytes behind.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from array import array
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from server.media.planes import planes_bytes, store_planes
from server.search.cutting import NoRoom, cut
from server.search.video import IndexedVideo, decoded
from server.sources.errors import SourceError
from server.workers.memory import be_first_to_go

TICKS = "q"
"""How times in ticks are sent, as `array` calls it."""
# For tables of a file's frames, as large as the file at most, in FFmpeg's form and in ours.
_SPARE_BYTES, _PER_BYTE = 64 * 2**20, 4
# What a decoder may keep: 16 frames to look back at, and what is on its way out.
_FRAMES_KEPT = 20
# Seconds of a processor that going through a file may take, and more by its size.
_INDEX_WITHIN_S, _INDEX_BYTES_A_S = 20, 2**22
_PROC = Path("/proc/self/status")


def main() -> None:
    """Carry out one request."""
    # Ctrl-C is for the server, whose client would be told that the video is damaged.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(sys.stdin.buffer.readline())
    answers = sys.stdout.buffer
    be_first_to_go()
    path = Path(asked["path"])
    try:
        _limit_memory(path, asked.get("kept_pixels", 0))
        if asked["do"] != "decode":
            _limit_time(path)
        match asked["do"]:
            case "index":
                _index(answers, path, asked)
            case "decode":
                _decode(answers, path, asked)
            case "cut":
                _cut(answers, path, asked)
    except NoRoom as error:
        _say(answers, no_room=error.message)
    except SourceError as error:
        _say(answers, error=error.message)
    except OSError as error:
        _say(answers, error=f"can not read the file: {error.strerror}")
    except MemoryError:
        _say(answers, error="it takes far more memory to read than a file of its size may")
    answers.flush()


def _limit_memory(path: Path, kept_pixels: int) -> None:
    """Bound what this process may allocate beside what it has."""
    try:
        file_bytes = path.stat().st_size
        data = next(each for each in _PROC.read_text().splitlines() if each.startswith("VmData"))
    except (OSError, StopIteration):
        return  # Not Linux, or no such file, which is told by whoever opens it.
    has = int(data.split()[1]) * 1024
    may = has + _SPARE_BYTES + _PER_BYTE * file_bytes + _FRAMES_KEPT * kept_pixels * 3 // 2
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        may = min(may, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (may, may))


def _limit_time(path: Path) -> None:
    """Have the kernel end this process when it has been at work for too long."""
    seconds = _INDEX_WITHIN_S + path.stat().st_size // _INDEX_BYTES_A_S
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def _index(answers: BinaryIO, path: Path, asked: dict[str, Any]) -> None:
    video = IndexedVideo.read(path, asked["max_pixels"])
    pts, keys = array(TICKS, video.pts), array(TICKS, video.keys)
    size = (video.width, video.height)
    _say(answers, size=size, tick_s=video.tick_s, frames=len(pts), keys=len(keys))
    answers.write(pts.tobytes())
    answers.write(keys.tobytes())


def _decode(answers: BinaryIO, path: Path, asked: dict[str, Any]) -> None:
    wanted = array(TICKS)
    wanted.frombytes(sys.stdin.buffer.read(asked["wanted"] * wanted.itemsize))
    for pts, picture in decoded(path, wanted, asked["first"]):
        _check(picture, asked["max_pixels"])
        planes = np.empty(planes_bytes(picture.width, picture.height), np.uint8)
        store_planes(planes, picture)
        _say(answers, pts=pts, size=(picture.width, picture.height))
        answers.write(planes.data)
        answers.flush()
    _say(answers, done=True)


def _check(picture: av.VideoFrame, max_pixels: int) -> None:
    if picture.width * picture.height > max_pixels:
        size = f"{picture.width} x {picture.height}"
        raise SourceError(f"a frame of it has {size} pixels: at most {max_pixels} are read")


def _cut(answers: BinaryIO, path: Path, asked: dict[str, Any]) -> None:
    made = cut(
        *(path, Path(asked["target"]), asked["from_s"], asked["to_s"]),
        max_pixels=asked["max_pixels"],
        max_bytes=asked["max_bytes"],
        stop=threading.Event(),
    )
    _say(answers, start_s=made.start_s, end_s=made.end_s, kind=made.kind.format)


def _say(answers: BinaryIO, **said: object) -> None:
    answers.write(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        # Nobody waits for it any more.
        os._exit(0)
