"""Videos that somebody sent, read in a process of their own, which may die of it.

What opens containers and decodes is a large library that strangers' bytes go through. A file of 650
bytes may say that it has 200 million frames, for whose table it takes gigabytes; another may crash
it. Here that costs whoever sent it an error: the process has little memory to allocate, and is
killed when nobody waits for it any more. It is trusted no more than the file: lengths are checked.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from server.media.planes import even, planes_bytes
from server.search.cutting import MP4, WEBM, Cut, NoRoom
from server.search.video import IndexedVideo, SampledFrame, VideoPart
from server.sources.errors import SourceError

logger = logging.getLogger(__name__)

_MODULE = "server.search.reader_process"
# Below the workers from its first import on: whoever streams is served first, however many videos
# are sent.
_START = "import os, runpy, sys; os.nice(14); runpy.run_module(sys.argv[1], run_name='__main__')"
_TICKS = array("q")
# 30 hours of 30 frames a second; each takes 16 bytes here.
MAX_FRAMES = 3_240_000
_MAX_LINE_BYTES = 1 << 16
# Of the ticks of a file's clock: Matroska's may be nanoseconds.
_FINEST = 2**31 - 1
# How long it may say nothing: a day is gone through, on a slow disk.
SILENT_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1
# After it has closed its output.
_ENDS_WITHIN_S = 5.0
_PIPE_BYTES = 1 << 20
# Files that are gone through at once; others wait. Whoever has one decoded has a session for it.
_AT_ONCE = threading.BoundedSemaphore(2)
_GONE = "nobody waits for it any more"
_DIED = "it can not be read: what read it has crashed, so it is damaged"
# What comes of answers that are not as they should be.
_NONSENSE = (LookupError, TypeError, ValueError, ArithmeticError, RecursionError, FFmpegError)
# Of the environment; the rest holds secrets.
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "HOME", "TMPDIR")


class IsolatedVideo(IndexedVideo):
    """As `IndexedVideo`, whose file no thread of this process opens."""

    max_pixels = 0
    stop: threading.Event | None = None
    """When it is set, nobody waits for frames any more."""

    @classmethod
    def read(
        cls, path: Path, max_pixels: int, stop: threading.Event | None = None
    ) -> IsolatedVideo:
        """See `IndexedVideo.read`."""
        asked = {"do": "index", "path": str(path), "max_pixels": max_pixels}
        with _one_of_few(stop), _Reader(asked, stop) as reader:
            told = reader.told()
            frames, keys = int(told["frames"]), int(told["keys"])
            if not 0 < keys <= frames <= MAX_FRAMES:
                raise SourceError(f"it has {frames} frames: at most {MAX_FRAMES} are read")
            size = _size(told, max_pixels)
            pts, key_pts = reader.ticks(frames), reader.ticks(keys)
            video = cls(path, size, pts, key_pts, float(told["tick_s"]))
        video.max_pixels, video.stop = max_pixels, stop
        return video

    def decode(self, part: VideoPart, wanted: list[int]) -> Generator[SampledFrame]:
        """See `IndexedVideo.decode`."""
        ticks, first = self._ticks_of(part, wanted)
        asked = {
            "do": "decode",
            "path": str(self.path),
            "max_pixels": self.max_pixels,
            "kept_pixels": self.width * self.height,
            "first": first,
            "wanted": len(ticks),
        }
        with _Reader(asked, self.stop, array(_TICKS.typecode, ticks).tobytes()) as reader:
            while "done" not in (told := reader.told()):
                width, height = _size(told, self.max_pixels)
                if not width or not height:
                    raise SourceError(_DIED)
                planes = reader.exactly(planes_bytes(width, height))
                yield self._sampled(told["pts"], self._frame(told["pts"], width, height, planes))

    def _frame(self, pts: int, width: int, height: int, planes: bytes) -> av.VideoFrame:
        frame = av.VideoFrame(width, height, "yuv420p")
        at = 0
        for plane in frame.planes:
            # As `store_planes` lays them out: edges are repeated to an even size.
            is_luma = at == 0
            columns = even(width) if is_luma else even(width) // 2
            rows = even(height) if is_luma else even(height) // 2
            given = np.frombuffer(planes, np.uint8, rows * columns, at).reshape(rows, columns)
            into = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            into[: plane.height, : plane.width] = given[: plane.height, : plane.width]
            at += rows * columns
        frame.pts = pts
        frame.time_base = Fraction(self.tick_s).limit_denominator(_FINEST)
        return frame


def cut(
    source: Path,
    target: Path,
    from_s: float,
    to_s: float,
    *,
    max_pixels: int,
    max_bytes: int,
    stop: threading.Event,
) -> Cut:
    """See `server.search.cutting.cut`."""
    asked = {
        "do": "cut",
        "path": str(source),
        "target": str(target),
        "from_s": from_s,
        "to_s": to_s,
        "max_pixels": max_pixels,
        "max_bytes": max_bytes,
    }
    with _Reader(asked, stop) as reader:
        told = reader.told()
        kind = {each.format: each for each in (MP4, WEBM)}[told["kind"]]
        return Cut(float(told["start_s"]), float(told["end_s"]), kind)


def _size(told: dict[str, Any], max_pixels: int) -> tuple[int, int]:
    width, height = (int(each) for each in told["size"])
    # A file need not say it: then both are 0.
    if not (width >= 0 and height >= 0 and width * height <= max_pixels):
        raise SourceError(_DIED)
    return width, height


@contextlib.contextmanager
def _one_of_few(stop: threading.Event | None) -> Iterator[None]:
    while not _AT_ONCE.acquire(timeout=_LOOK_EVERY_S):
        if stop is not None and stop.is_set():
            raise SourceError(_GONE)
    try:
        yield
    finally:
        _AT_ONCE.release()


class _Reader:
    """One request to a process, and its answers; killed at the end of the ``with``.

    Parameters
    ----------
    asked
        What it is to do.
    stop
        When this is set, nobody waits for it any more.
    more
        Bytes behind the request.

    Raises
    ------
    SourceError
        By each method: the video can not be read, and why.
    """

    def __init__(
        self, asked: dict[str, Any], stop: threading.Event | None, more: bytes = b""
    ) -> None:
        self._request = json.dumps(asked).encode() + b"\n" + more
        self._stop = stop
        self._buffer = bytearray()

    def __enter__(self) -> _Reader:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            # Modules are found where we find them, as the workers' are.
            [sys.executable, "-P", "-c", _START, _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # FFmpeg has much to say of damaged files, and whoever sends them as much of our log.
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin.fileno(), self._process.stdout.fileno()
        # Not select(), which knows none above 1024.
        self._poll = select.poll()
        for descriptor, event in ((self._stdin, select.POLLOUT), (self._stdout, select.POLLIN)):
            os.set_blocking(descriptor, False)
            self._poll.register(descriptor, event)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait()
        if isinstance(error, _NONSENSE):
            logger.warning("What was to read a video for a client says nonsense: %r", error)
            raise SourceError(_DIED) from error

    def told(self) -> dict[str, Any]:
        """Its next line."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MAX_LINE_BYTES:
                raise SourceError(_DIED)
            self._hear()
        told: dict[str, Any] = json.loads(self._buffer[:end])
        del self._buffer[: end + 1]
        if "no_room" in told:
            raise NoRoom(told["no_room"])
        if "error" in told:
            raise SourceError(told["error"])
        return told

    def exactly(self, count: int) -> bytes:
        """So many bytes of its."""
        while len(self._buffer) < count:
            self._hear()
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def ticks(self, count: int) -> array[int]:
        """So many times of its."""
        ticks = array(_TICKS.typecode)
        ticks.frombytes(self.exactly(count * ticks.itemsize))
        return ticks

    def _hear(self) -> None:
        """Take what it says next; meanwhile give it what it has not taken of the request."""
        silent_s = time.monotonic()
        while True:
            if self._stop is not None and self._stop.is_set():
                raise SourceError(_GONE)
            if time.monotonic() - silent_s > SILENT_WITHIN_S:
                raise SourceError("it takes too long to read")
            ready = {descriptor for descriptor, _ in self._poll.poll(_LOOK_EVERY_S * 1000)}
            if self._stdin in ready:
                self._give()
            if self._stdout in ready:
                self._take()
                return

    def _take(self) -> None:
        data = os.read(self._stdout, _PIPE_BYTES)
        if not data:
            # It may have closed its output alone.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_ENDS_WITHIN_S)
            status = self._process.returncode
            logger.warning("What was to read a video for a client ended with status %s", status)
            raise SourceError(_DIED)
        self._buffer += data

    def _give(self) -> None:
        try:
            taken = os.write(self._stdin, self._request[:_PIPE_BYTES])
            self._request = self._request[taken:]
        except OSError:
            # It has ended, as its output says, too.
            self._request = b""
        if not self._request:
            self._poll.unregister(self._stdin)
