"""The search itself: parts of a video side by side, each in a session of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.search.frame_scanner import FrameScanner
from server.search.isolated import IsolatedVideo
from server.search.look_ahead import look_at_each
from server.search.video import IndexedVideo, SampledFrame, VideoPart
from server.sessions.manager import SessionManager

# Looks a second of video. Someone who walks through the picture is there for two seconds and more.
LOOKS_HZ = 5.0


@dataclass(frozen=True, slots=True)
class Match:
    """The person in one frame.

    Attributes
    ----------
    bbox
        x1, y1, x2, y2 in pixels.
    distance
        Cosine distance to the reference, 0..2.
    confidence
        The detector's.
    frame_number
        From 1.
    time_s
        From the video's first frame.
    """

    bbox: tuple[int, int, int, int]
    distance: float
    confidence: float
    frame_number: int
    time_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is.

    Attributes
    ----------
    fraction
        0..1.
    looked_at
        Frames.
    matches
        How many there are so far.
    elapsed_s
        Since it began.
    """

    fraction: float
    looked_at: int
    matches: int
    elapsed_s: float


class Search:
    """A search of one video for one person.

    Parameters
    ----------
    sessions
        Where sessions are opened.
    workers
        How many analyze at once, and so into how many parts the video is cut.
    reference
        The person, as re-identification's option.
    threshold
        The largest distance of a match; None for the model's own.
    looks_hz
        Looks a second of video; 0 for every frame.
    max_pixels
        Of a frame.
    owner
        The subject of whoever searches.
    """

    def __init__(
        self,
        sessions: SessionManager,
        workers: int,
        reference: str,
        *,
        threshold: float | None = None,
        looks_hz: float = LOOKS_HZ,
        max_pixels: int,
        owner: str | None = None,
    ) -> None:
        self._sessions = sessions
        self._workers = workers
        self._options: dict[str, Any] = {"reference": reference}
        if threshold is not None:
            self._options["threshold"] = threshold
        self._looks_hz = looks_hz
        self._max_pixels = max_pixels
        self._owner = owner
        self._began_s = time.monotonic()
        self._looked_at = 0
        self._wanted: list[int] = []
        self.matches: list[Match] = []

    @property
    def progress(self) -> Progress:
        """How far it is."""
        fraction = self._looked_at / len(self._wanted) if self._wanted else 0.0
        elapsed_s = time.monotonic() - self._began_s
        return Progress(fraction, self._looked_at, len(self.matches), elapsed_s)

    async def run(self, path: Path, on_match: Callable[[Match], None] | None = None) -> list[Match]:
        """Search a video. May be cancelled.

        Parameters
        ----------
        path
            The file.
        on_match
            Told of each match at once, in no order.

        Returns
        -------
        The matches by time, those in one frame by distance.

        Raises
        ------
        SourceError
            It is no video that can be read.
        SignalingError
            There is no room (503), or the reference can not be used (400).
        """
        self._began_s = time.monotonic()
        # Threads of its own: the event loop's are those that encode what others watch.
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="search")
        stop = threading.Event()
        try:
            loop = asyncio.get_running_loop()
            video = await loop.run_in_executor(
                threads, IsolatedVideo.read, path, self._max_pixels, stop
            )
            self._wanted = video.sample(self._looks_hz)
            async with self._scanners(video) as scanners:
                parts = video.split(len(scanners))
                await _together(
                    self._search(threads, video, part, scanner, on_match, stop)
                    for part, scanner in zip(parts, scanners, strict=False)
                )
        finally:
            stop.set()
            threads.shutdown(wait=False)
        self.matches.sort(key=lambda match: (match.frame_number, match.distance))
        return self.matches

    @asynccontextmanager
    async def _scanners(self, video: IndexedVideo) -> AsyncIterator[list[FrameScanner]]:
        """A session for each part of the video, but at most half of what is free."""
        count = min(
            self._workers, max(self._sessions.room // 2, 1), len(video.split(self._workers))
        )
        scanners: list[FrameScanner] = []
        try:
            for _ in range(count):
                scanners.append(FrameScanner(self._sessions, self._options, self._owner))  # noqa: PERF401
            yield scanners
        finally:
            await asyncio.gather(*(scanner.close() for scanner in scanners))

    async def _search(
        self,
        threads: ThreadPoolExecutor,
        video: IndexedVideo,
        part: VideoPart,
        scanner: FrameScanner,
        on_match: Callable[[Match], None] | None,
        stop: threading.Event,
    ) -> None:
        async def look(frame: SampledFrame) -> None:
            found = await scanner.look(frame)
            self._looked_at += 1
            for match in (_match(entry, frame) for entry in found):
                self.matches.append(match)
                if on_match is not None:
                    on_match(match)

        await look_at_each(threads, video.decode(part, self._wanted), look, stop)


def _match(entry: dict[str, Any], frame: SampledFrame) -> Match:
    x1, y1, x2, y2 = entry["bbox"]
    return Match(
        (x1, y1, x2, y2), entry["distance"], entry["confidence"], frame.number, frame.time_s
    )


async def _together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all; the first that fails ends the others, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
