"""How fast a video is searched for a person, and how right what is found is.

    .venv/bin/python bench/find.py --data DIR

DIR has `people_videos` and `models`. The one-by-one video has six people, one at a time; when each
is there was noted by eye, to half a second. TUD-Campus has eight who cross each other, with boxes.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from analyzers.networks.boxes import Box, overlap  # noqa: E402
from analyzers.networks.runtime import Runtime  # noqa: E402
from analyzers.reid.models import make_extractor  # noqa: E402
from server.cli.find import FindSettings, describe, own_sessions  # noqa: E402
from server.media.picture import EncodedPicture  # noqa: E402
from server.search.search import LOOKS_HZ, Match, Search  # noqa: E402
from server.search.video import IndexedVideo  # noqa: E402
from server.sessions.manager import SessionManager  # noqa: E402

MAX_PIXELS = 1 << 24
# First and last frame at which someone is wholly in the picture, from 1.
ONE_BY_ONE = ((75, 186), (245, 435), (522, 684), (764, 855), (920, 1186), (1252, 1346))
# Around those, they come and go.
MARGIN = 12
# Of somebody's box and a match's: they are of the same person from here on.
SAME = 0.4
EVERYONE = 2.0


@dataclass(frozen=True)
class Judged:
    """A match that is right or wrong."""

    distance: float
    is_right: bool
    frame: int


@dataclass(frozen=True)
class Case:
    """One person in one video."""

    judged: list[Judged]
    present: set[int]
    """Frames that were looked at, with the person in them."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--detector", default="person-detection-retail-0013")
    parser.add_argument("--reid-model", default="person-reidentification-retail-0288")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=("speed", "right"))
    asked = parser.parse_args()
    if not (asked.data / "people_videos").is_dir():
        raise SystemExit(f"there are no people_videos in {asked.data}")
    asyncio.run(_measure(asked))


def _network(asked: argparse.Namespace, name: str) -> str:
    path = asked.data / "models" / "openvino" / f"{name}.xml"
    return str(path) if path.exists() else name


async def _measure(asked: argparse.Namespace) -> None:
    networks = {
        "detector": _network(asked, asked.detector),
        "reid_model": _network(asked, asked.reid_model),
    }
    videos = asked.data / "people_videos"
    one_by_one = videos / "intel_one-by-one-person-detection.mp4"
    if asked.only != "right":
        await _print_speed(asked, networks, one_by_one)
    if asked.only != "speed":
        await _print_right(asked, networks, one_by_one, videos / "TUD-Campus.mp4")


async def _print_speed(asked: argparse.Namespace, networks: dict[str, str], path: Path) -> None:
    print("| workers | looks a second | looks | s | x real time | CPU ms a look |")
    print("| --- | --- | --- | --- | --- | --- |")
    for workers in sorted({1, asked.workers}):
        async with own_sessions(_settings(workers, networks)) as sessions:
            await _speed(sessions, workers, path, asked.rounds)
    print()


async def _print_right(
    asked: argparse.Namespace, networks: dict[str, str], one_by_one: Path, campus: Path
) -> None:
    threshold = make_extractor(networks["reid_model"], lambda: Runtime("CPU", "auto")).threshold
    print("| video | people | looks a second | threshold | precision % | recall % | F1 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    async with own_sessions(_settings(asked.workers, networks)) as sessions:
        for rate_hz in (LOOKS_HZ, 0.0):
            cases = [case async for case in _campus(sessions, asked.workers, campus, rate_hz)]
            _print_cases("TUD-Campus", cases, rate_hz, threshold)
        cases = [case async for case in _one_by_one(sessions, asked.workers, one_by_one, LOOKS_HZ)]
        _print_cases("one by one", cases, LOOKS_HZ, threshold)


def _settings(workers: int, networks: dict[str, str]) -> FindSettings:
    return FindSettings.model_validate({"analyzers": "pose,reid", "workers": workers, **networks})


async def _speed(sessions: SessionManager, workers: int, path: Path, rounds: int) -> None:
    reference = await _reference(sessions, path, ONE_BY_ONE[0][0] + 40)
    video = IndexedVideo.read(path, MAX_PIXELS)
    for rate_hz in (LOOKS_HZ, 0.0):
        times = []
        cpu_s = _cpu_s()
        for _ in range(rounds):
            search = Search(sessions, workers, reference, looks_hz=rate_hz, max_pixels=MAX_PIXELS)
            began_s = time.monotonic()
            await search.run(path)
            times.append(time.monotonic() - began_s)
        took_s, looks = min(times), search.progress.looked_at
        shown = f"{rate_hz:g}" if rate_hz else "every frame"
        print(
            f"| {workers} | {shown} | {looks} | {took_s:.1f}"
            f" | {video.duration_s / took_s:.1f}"
            f" | {1000 * (_cpu_s() - cpu_s) / (rounds * looks):.1f} |",
            flush=True,
        )


def _cpu_s() -> float:
    """What this process and its workers have computed: other programs do not count in it."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children())]
    return sum(time.user + time.system for time in times)


async def _one_by_one(sessions: SessionManager, workers: int, path: Path, rate_hz: float):
    video = IndexedVideo.read(path, MAX_PIXELS)
    looked_at = [index + 1 for index in video.sample(rate_hz)]
    sure = set(looked_at)
    for first, last in ONE_BY_ONE:
        sure -= set(range(first - 2 * MARGIN, first)) | set(range(last + 1, last + 2 * MARGIN))
    for first, last in ONE_BY_ONE:
        reference = await _reference(sessions, path, (first + last) // 2)
        matches = await _search(sessions, workers, path, reference, rate_hz)
        there = range(first, last + 1)
        judged = [
            Judged(m.distance, m.frame_number in there, m.frame_number)
            for m in matches
            if m.frame_number in sure
        ]
        yield Case(judged, sure & set(there))


async def _campus(sessions: SessionManager, workers: int, path: Path, rate_hz: float):
    truth: dict[int, dict[int, Box]] = {}
    for line in path.with_name("TUD-Campus_gt.txt").read_text().splitlines():
        frame, identity, x, y, width, height = (float(v) for v in line.split(",")[:6])
        truth.setdefault(int(identity), {})[int(frame)] = Box(x, y, x + width, y + height)
    video = IndexedVideo.read(path, MAX_PIXELS)
    looked_at = {index + 1 for index in video.sample(rate_hz)}
    for boxes in truth.values():
        first = min(boxes)
        # Those who are only there for moments have no picture to look for.
        if len(boxes) < 30:
            continue
        reference = await _reference(sessions, path, first, boxes[first])
        matches = await _search(sessions, workers, path, reference, rate_hz)
        judged = [
            Judged(
                m.distance,
                m.frame_number in boxes and overlap(boxes[m.frame_number], Box(*m.bbox)) >= SAME,
                m.frame_number,
            )
            for m in matches
        ]
        yield Case(judged, looked_at & set(boxes))


async def _search(
    sessions: SessionManager, workers: int, path: Path, reference: str, rate_hz: float
) -> list[Match]:
    search = Search(
        sessions,
        workers,
        reference,
        threshold=EVERYONE,
        looks_hz=rate_hz,
        max_pixels=MAX_PIXELS,
    )
    return await search.run(path)


async def _reference(
    sessions: SessionManager, path: Path, number: int, box: Box | None = None
) -> str:
    """Describe whoever is in a frame, or in a box of it."""
    with av.open(path) as clip:
        frames = clip.decode(video=0)
        image = next(f for i, f in enumerate(frames, start=1) if i == number).to_image()
    if box is not None:
        image = image.crop((int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
    return await describe(path, EncodedPicture.read(_jpeg(image), max_pixels=MAX_PIXELS), sessions)


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


def _print_cases(name: str, cases: Sequence[Case], rate_hz: float, threshold: float) -> None:
    rate = f"{rate_hz:g}" if rate_hz else "every frame"
    for limit, note in ((threshold, " (the network's own)"), *((t, "") for t in (0.6, 0.5, 0.4))):
        right = sum(1 for case in cases for m in _within(case, limit) if m.is_right)
        told = sum(1 for case in cases for _ in _within(case, limit))
        there = sum(len(case.present) for case in cases)
        found = sum(len({m.frame for m in _within(case, limit) if m.is_right}) for case in cases)
        precision, recall = right / max(told, 1), found / max(there, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        print(
            f"| {name} | {len(cases)} | {rate} | {limit:.3g}{note} | {100 * precision:.1f}"
            f" | {100 * recall:.1f} | {f1:.2f} |",
            flush=True,
        )


def _within(case: Case, threshold: float) -> Iterable[Judged]:
    return (judged for judged in case.judged if judged.distance <= threshold)


if __name__ == "__main__":
    main()
