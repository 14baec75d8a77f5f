"""``kinecast find``: where in a video a person is."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from server.cli import progress_display as shown
from server.cli.progress_display import Display
from server.config import BadSettings
from server.config.analysis import AnalysisSettings
from server.config.command_line import Parser, add_flags, make_settings
from server.config.limits import LimitSettings
from server.ingest.picture_stream import look_once
from server.media.picture import EncodedPicture
from server.search.annotate import annotate
from server.search.search import LOOKS_HZ, Match, Search
from server.search.video import IndexedVideo
from server.sessions.embedding_gate import REID
from server.sessions.manager import Limits, SessionManager
from server.sessions.metrics import Metrics
from server.sources.errors import SourceError
from server.workers.pool import WorkerPool
from signaling.errors import SignalingError

FOUND, NOT_FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
_EVERY_S = 0.2
_MAX_PICTURE_BYTES = 64 * 1024 * 1024

_EXAMPLES = """\
examples:
  kinecast find anna.jpg hall.mp4                       when anna is there, and how surely
  kinecast find anna.jpg hall.mp4 --annotate out.mp4    and a copy with boxes around her
  kinecast find anna.jpg hall.mp4 --json | jq .matches[0]
                                                        every match, as POST /find answers it
  kinecast find anna.jpg hall.mp4 --threshold 0.4       fewer strangers, and fewer of her
  for v in *.mp4; do kinecast find -q anna.jpg $v && echo $v; done
                                                        the videos that she is in

PERSON is a JPEG or PNG: the largest person in it is looked for. Without the weights of a network
(kinecast models list) people are told apart by the colours they wear, and no more.

exit status: 0 the person was found, 1 they were not, 2 something is wrong, 130 interrupted.
"""


class FindSettings(AnalysisSettings, LimitSettings):
    """Those of the server's settings that a search needs, from flags, environment and .env."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for."""

    person: Path
    video: Path
    annotate: Path | None
    threshold: float | None
    rate: float
    as_json: bool
    quiet: bool


def main(arguments: Sequence[str]) -> int:
    """Carry out ``kinecast find`` with what follows it.

    Parameters
    ----------
    arguments
        As on the command line.

    Returns
    -------
    int
        The exit status: 0 found, 1 not found, 2 failed, 130 interrupted.
    """
    # Of what the sessions and workers say, only what is wrong.
    logging.basicConfig(level=logging.WARNING, format="kinecast find: %(message)s")
    try:
        given = vars(_parser().parse_args(arguments))
        asked = _asked(given)
        settings = make_settings(FindSettings, {**given, "analyzers": f"pose,{REID}"})
        matches = asyncio.run(_find(asked, settings))
    except (BadSettings, SourceError, SignalingError, OSError) as error:
        print(f"kinecast find: {getattr(error, 'message', None) or error}", file=sys.stderr)
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("kinecast find: interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as end:  # --help
        return int(end.code or 0)
    return FOUND if matches else NOT_FOUND


def _parser() -> Parser:
    parser = Parser(prog="kinecast find", description="Find a person in a video.", epilog=_EXAMPLES)
    add = parser.add_argument
    add("person", type=Path, metavar="PERSON.jpg", help="a picture of the person")
    add("video", type=Path, metavar="VIDEO.mp4", help="where to look")
    add("--annotate", type=Path, metavar="OUT.mp4", help="write a copy with boxes, without sound")
    add(
        "--threshold",
        type=float,
        metavar="DISTANCE",
        help="the largest cosine distance of a match, 0 to 2 (default: the network's own)",
    )
    add(
        "--rate",
        type=float,
        default=LOOKS_HZ,
        metavar="HZ",
        help="looks a second of video; 0 looks at every frame (default: %(default)g)",
    )
    add("--json", action="store_true", dest="as_json", help="print all matches as JSON")
    add("-q", "--quiet", action="store_true", help="print nothing: the exit status tells")
    add_flags(parser, FindSettings.settings("workers", "detector", "reid_model"))
    return parser


def _asked(given: dict[str, Any]) -> _Asked:
    asked = _Asked(**{name: given[name] for name in _Asked.__dataclass_fields__})
    for path in (asked.person, asked.video):
        if not path.is_file():
            raise BadSettings(f"there is no file {path}")
    if asked.threshold is not None and not 0 <= asked.threshold <= 2:
        raise BadSettings("--threshold is a cosine distance, 0 to 2")
    if not 0 <= asked.rate <= 1000:
        raise BadSettings("--rate is looks a second, 0 to 1000")
    if asked.annotate is not None:
        if not asked.annotate.absolute().parent.is_dir():
            raise BadSettings(f"--annotate: there is no directory {asked.annotate.parent}")
        if asked.annotate.exists() and asked.annotate.samefile(asked.video):
            raise BadSettings("--annotate would replace the video that is searched")
    return asked


async def _find(asked: _Asked, settings: FindSettings) -> list[Match]:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    # Ctrl-C cancels: workers and sessions are ended, and no half-written copy stays.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    picture = await asyncio.to_thread(_read, asked.person, settings.max_pixels)
    async with own_sessions(settings) as sessions:
        reference = await describe(asked.person, picture, sessions)
        search = Search(
            sessions,
            settings.workers,
            reference,
            threshold=asked.threshold,
            looks_hz=asked.rate,
            max_pixels=settings.max_pixels,
        )
        with shown.display(hidden=asked.quiet) as display:
            matches = await _search(search, asked.video, display)
            if asked.annotate is not None:
                await _copy(asked, matches, settings.max_pixels, display)
    _report(asked, matches, search.progress.elapsed_s)
    return matches


@asynccontextmanager
async def own_sessions(settings: FindSettings) -> AsyncIterator[SessionManager]:
    """Sessions on workers of this process's own."""
    pool = WorkerPool(
        settings.workers, settings.analyzers, settings=settings.analyzer_settings(), quiet=True
    )
    # Half of the room is left free for others, of whom there are none.
    limits = Limits(2 * settings.workers + 1, 0.0)
    manager = SessionManager(pool, ["pose", REID], limits, (), Metrics())
    pool.start()
    try:
        ready: asyncio.Future[Any] = asyncio.ensure_future(pool.became_ready.wait())
        waits: list[asyncio.Future[Any]] = [ready, pool.refused]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if pool.refused.done():
            raise BadSettings(pool.refused.result())
        if REID in pool.unavailable:
            raise BadSettings(pool.unavailable[REID])
        yield manager
    finally:
        await manager.drain("it is over")
        await pool.stop()


async def describe(person: Path, picture: EncodedPicture, sessions: SessionManager) -> str:
    result = await look_once(sessions, picture, (REID,), {REID: {"enrol": True}})
    people = orjson.loads(result.fragments.get("reid_people", b"[]"))
    if not people:
        raise BadSettings(f"there is nobody in {person}: try another picture")
    reference: str = people[0]["embedding"]
    return reference


def _read(person: Path, max_pixels: int) -> EncodedPicture:
    if person.stat().st_size > _MAX_PICTURE_BYTES:
        raise BadSettings(f"{person} is too large for a picture")
    return EncodedPicture.read(person.read_bytes(), max_pixels=max_pixels)


async def _search(search: Search, video: Path, display: Display) -> list[Match]:
    task = asyncio.ensure_future(search.run(video))
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_EVERY_S)
            progress = search.progress
            display.show("searching", progress.fraction, f"{progress.matches} matches")
        return await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _copy(asked: _Asked, matches: list[Match], max_pixels: int, display: Display) -> None:
    """Write the annotated copy in a thread."""
    assert asked.annotate is not None
    target, stop = asked.annotate, threading.Event()
    video = await asyncio.to_thread(IndexedVideo.read, asked.video, max_pixels)
    count = len(video.times_s)
    loop = asyncio.get_running_loop()

    def on_frame(number: int) -> None:
        if stop.is_set():
            raise InterruptedError("the copy is not wanted any more")
        if number % 10 == 0:
            loop.call_soon_threadsafe(display.show, "writing", number / count, str(target))

    writing = asyncio.ensure_future(asyncio.to_thread(annotate, video, matches, target, on_frame))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(writing, return_exceptions=True)
        raise


def _report(asked: _Asked, matches: list[Match], elapsed_s: float) -> None:
    if asked.quiet:
        return
    if asked.as_json:
        print(shown.as_json(matches, elapsed_s))
        return
    for line in shown.as_lines(matches, 1 / asked.rate if asked.rate else 0.0):
        print(line)
    if not matches:
        print(f"not found in {asked.video}", file=sys.stderr)
    if asked.annotate is not None:
        print(f"{asked.annotate} has boxes around them", file=sys.stderr)
