"""Records an MJPEG stream to an MP4 file.

Run it as ``python -m client_test.record_stream``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import av
from rich.console import Console

from client_test.errors import ClientError
from client_test.mjpeg import MjpegParser, Part, boundary_of
from client_test.mp4_writer import Mp4Writer
from client_test.record_progress import Progress, progress_on

logger = logging.getLogger(__name__)

DONE, LOST, USAGE_ERROR = 0, 1, 2
DEFAULT_URL = "http://localhost:8083/stream.mjpg"
CONNECTS_WITHIN_S = 10.0
# A camera that fails is started again within half a minute; until then its stream stands still.
SILENT_S = 60.0
# Pictures that may wait to be encoded.
MAX_WAITING = 100
_CHUNK_BYTES = 64 * 1024

EPILOG = """\
examples:
  python -m client_test.record_stream --output yard.mp4
                          the camera of a Kinecast server on this machine, until Ctrl-C
  python -m client_test.record_stream --url http://pi:8083/stream.mjpg --limit-frames 200
                          200 pictures
  python -m client_test.record_stream --url https://pi:8083/stream.mjpg --insecure --token "$TOKEN"
                          from a server with a certificate of its own that asks for tokens

Each frame keeps the time at which it was taken, where the server sends X-Timestamp, or else the
time at which it came. Any server's MJPEG over HTTP will do. The pictures are encoded as H264; a
Kinecast server records its camera itself, without encoding it once more: POST /recordings.

Ctrl-C (or SIGTERM) finishes the file, and so does a stream that breaks.

Exit status: 0 if all that was asked for is in the file, or Ctrl-C ended it; 1 if nothing came, or
the stream broke before that; 2 if the command line is wrong.
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a recording ended: `trouble` in a line, None when it went as it should."""

    trouble: str | None


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m client_test.record_stream",
        description="Records an MJPEG stream to an MP4 file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", type=_url, default=DEFAULT_URL, help="default: %(default)s")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("recording.mp4"),
        metavar="FILE",
        help="default: %(default)s",
    )
    parser.add_argument("--overwrite", action="store_true", help="write over a file that is there")
    parser.add_argument(
        "--limit-frames", type=_count, metavar="N", help="end after N frames; default: none, as 0"
    )
    parser.add_argument(
        "--fps",
        type=_rate,
        metavar="N",
        help="so many frames a second in the file, whenever they were taken; default: their times",
    )
    parser.add_argument(
        "--boundary",
        metavar="TEXT",
        help="what separates the pictures, for a server that does not say it",
    )
    parser.add_argument("--verbose", "-v", action="store_true", help="debug logging")
    parser.add_argument("--token", help="bearer token, where the server asks for one")
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")
    parser.add_argument("--quiet", "-q", action="store_true", help="show no progress")
    arguments = parser.parse_args(argv)
    if why := _refusal(arguments.output, overwrite=arguments.overwrite):
        parser.error(f"--output: {why}")
    return arguments


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: give one like {DEFAULT_URL}")
    return text


def _count(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of frames")
    return int(text) or None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of frames a second")
    return rate


def _refusal(path: Path, *, overwrite: bool) -> str | None:
    """Why a file can not be written to."""
    if path.is_dir():
        return f"{path} is a directory: name a file in it"
    if path.exists() and not overwrite:
        return f"{path} is there already: name another file, or give --overwrite"
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        return f"{path} can not be written"
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Record; returns the exit status."""
    arguments = parse_arguments(argv)
    logging.basicConfig(level=logging.DEBUG if arguments.verbose else logging.WARNING)
    console = Console(quiet=arguments.quiet)
    writer = Mp4Writer(arguments.output)
    ending = asyncio.run(_record(arguments, writer, progress_on(console, arguments.limit_frames)))
    if ending.trouble is not None:
        print(f"record_stream: {ending.trouble}", file=sys.stderr)
    if writer.frames:
        damaged = f", {writer.unreadable} unreadable ones left out" if writer.unreadable else ""
        console.print(
            f"{arguments.output}: {writer.frames} frames, {writer.seconds:.1f} s,"
            f" {writer.bytes_written / 1e6:.1f} MB{damaged}",
            soft_wrap=True,
            highlight=False,
        )
    else:
        print("record_stream: no picture came, so there is no file", file=sys.stderr)
    return DONE if writer.frames and ending.trouble is None else LOST


async def _record(arguments: argparse.Namespace, writer: Mp4Writer, progress: Progress) -> Ending:
    recorder = _Recorder(writer, arguments.limit_frames, progress, arguments.fps)
    reading = asyncio.create_task(_read(arguments, recorder))
    writing = asyncio.create_task(recorder.write_all())
    stop = asyncio.create_task(_stop_signal().wait())
    with progress:
        await asyncio.wait({reading, writing, stop}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        (read,) = await asyncio.gather(reading, return_exceptions=True)
        recorder.end()
        (written,) = await asyncio.gather(writing, return_exceptions=True)
    stop.cancel()
    for error in (written, None if recorder.is_complete else read):
        if isinstance(error, Exception):
            return Ending(_words(error))
    return Ending(None)


async def _read(arguments: argparse.Namespace, recorder: _Recorder) -> None:
    """Hand over the stream's pictures; returns when there are enough.

    Raises
    ------
    ClientError, aiohttp.ClientError, OSError
        The stream can not be had, or has ended.
    """
    headers = {"Authorization": f"Bearer {arguments.token}"} if arguments.token else {}
    patience = aiohttp.ClientTimeout(sock_connect=CONNECTS_WITHIN_S, sock_read=SILENT_S)
    async with (
        aiohttp.ClientSession(headers=headers, timeout=patience) as http,
        http.get(arguments.url, ssl=not arguments.insecure) as response,
    ):
        if response.status != 200:
            text = (await response.content.read(300)).decode(errors="replace").strip()
            raise ClientError(f"{arguments.url} answers {response.status}: {text}")
        kind = response.headers.get("Content-Type", "")
        logger.debug("%s sends %s", arguments.url, kind)
        parser = MjpegParser(boundary_of(kind, arguments.boundary))
        trouble: Exception = ClientError("the server ended the stream")
        try:
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                for part in parser.feed(chunk, time.monotonic()):
                    if not recorder.put(part):
                        return
        except (aiohttp.ClientError, OSError) as error:
            trouble = error
        for part in parser.end():
            if not recorder.put(part):
                return
        raise trouble


class _Recorder:
    """Pictures on their way to the file, which is written on a thread."""

    def __init__(
        self, writer: Mp4Writer, limit: int | None, progress: Progress, fps: float | None
    ) -> None:
        self._fps = fps
        self._writer = writer
        self._limit = limit
        self._progress = progress
        self._queue: asyncio.Queue[tuple[bytes, float] | None] = asyncio.Queue()
        self._taken = 0
        self._skipped = 0
        self._clock: _Clock | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there are as many frames as were wanted."""
        return self._limit is not None and self._writer.frames >= self._limit

    def put(self, part: Part) -> bool:
        """Have a picture written; False when there are enough."""
        if self._clock is None:
            self._clock = _Clock(part)
        if self._queue.qsize() < MAX_WAITING:
            time_s = self._taken / self._fps if self._fps else self._clock.time_s(part)
            self._taken += 1
            logger.debug("Picture %d: %d bytes", self._taken, len(part.data))
            self._queue.put_nowait((part.data, time_s))
        else:
            self._skipped += 1
        return not self.is_complete

    def end(self) -> None:
        """There will be no more."""
        self._queue.put_nowait(None)

    async def write_all(self) -> None:
        """Write what comes, until there is no more or enough; then finish the file."""
        try:
            while not self.is_complete and (waiting := await self._queue.get()) is not None:
                await asyncio.to_thread(self._writer.write, *waiting)
                self._progress.show(
                    self._writer.frames,
                    self._writer.seconds,
                    self._writer.bytes_written,
                    self._skipped,
                )
        finally:
            await asyncio.to_thread(self._writer.close)


class _Clock:
    """The server's own times where it gives them, or else those at which the pictures came."""

    def __init__(self, first: Part) -> None:
        self._stamped = first.stamp_s is not None
        self._last_s = float("-inf")

    def time_s(self, part: Part) -> float:
        """A picture's time; never before the one of the picture before it."""
        stamp_s = part.stamp_s if self._stamped else part.at_s
        self._last_s = max(self._last_s, stamp_s if stamp_s is not None else self._last_s)
        return self._last_s


def _stop_signal() -> asyncio.Event:
    """Set by the first Ctrl-C, which ends the recording in good order; a second one interrupts."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        loop.remove_signal_handler(number)
        stop.set()

    # Event loops on Windows take no signal handlers; there Ctrl-C just interrupts.
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    return stop


def _words(error: Exception) -> str:
    """An error in a line."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the server's certificate is not trusted (--insecure accepts it)"
    if isinstance(error, aiohttp.ClientConnectorError):
        why = os.strerror(error.os_error.errno) if error.os_error.errno else str(error.os_error)
        return f"{error.host}:{error.port} can not be reached: {why}"
    if isinstance(error, TimeoutError):
        return f"nothing came for {SILENT_S:.0f} s: the stream is lost"
    if isinstance(error, aiohttp.ClientError):
        return f"the stream broke: {str(error) or type(error).__name__}"
    if isinstance(error, (OSError, av.error.FFmpegError)):
        return f"the file can not be written: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
