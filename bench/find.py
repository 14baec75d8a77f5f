"""How fast a video is searched for a person, and how right what is found is.

    .venv/bin/python bench/find.py --data DIR

DIR has `people_videos` and `models`. The one-by-one video has six people, one at a time; when each
is there was noted by eye, to half a second. TUD-Campus has eight who cross each other, with boxes.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import av

from analyzers.networks.boxes import Box, overlap
from analyzers.networks.runtime import Runtime
from analyzers.reid.models import make_extractor
from bench.harness.processes import ProcessTree
from bench.harness.report import BadInput, Report, Table, add_data, parser_for, run
from bench.parts.people import VIDEOS, read_truth
from server.cli.find import FindSettings, describe, own_sessions
from server.media.picture import EncodedPicture
from server.search.search import LOOKS_HZ, Match, Search
from server.search.video import IndexedVideo
from server.sessions.manager import SessionManager

MAX_PIXELS = 1 << 24
NETWORKS = {
    "detector": "person-detection-retail-0013",
    "reid_model": "person-reidentification-retail-0288",
}
# First and last frame at which someone is wholly in the picture, from 1.
ONE_BY_ONE = ((75, 186), (245, 435), (522, 684), (764, 855), (920, 1186), (1252, 1346))
# Around those, they come and go.
MARGIN = 12
# Who is only there for moments has no picture to look for.
LEAST_FRAMES = 30
# Of somebody's box and a match's: they are of the same person from here on.
SAME = 0.4
EVERYONE = 2.0


Case = tuple[list[tuple[Match, bool]], set[int]]
"""One person in one video: matches, whether each is right, frames looked at with them in it."""
Wanted = tuple[int, dict[int, Box | None], set[int]]
"""The frame that shows someone; where they are, or None, by frame; all frames that count."""


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches videos with so many workers."""

    sessions: SessionManager
    workers: int

    def search(self, reference: str, rate_hz: float, **more: float) -> Search:
        """A search for whoever is described."""
        limits = {"looks_hz": rate_hz, "max_pixels": MAX_PIXELS, **more}
        return Search(self.sessions, self.workers, reference, **limits)

    async def reference(self, path: Path, number: int, box: Box | None = None) -> str:
        """Describe whoever is in a frame, or in a box of it."""
        with av.open(path) as clip:
            frames = clip.decode(video=0)
            image = next(f for i, f in enumerate(frames, start=1) if i == number).to_image()
        if box is not None:
            image = image.crop((int(box.x0), int(box.y0), int(box.x1), int(box.y1)))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=92)
        picture = EncodedPicture.read(file.getvalue(), max_pixels=MAX_PIXELS)
        return await describe(path, picture, self.sessions)

    async def cases(self, path: Path, rate_hz: float, wanted: Iterator[Wanted]) -> list[Case]:
        """Look for everyone who is wanted."""
        cases = []
        for number, there, sure in wanted:
            reference = await self.reference(path, number, there[number])
            search = self.search(reference, rate_hz, threshold=EVERYONE)
            matches = [
                (match, match.frame_number in there and _is_on(there[match.frame_number], match))
                for match in await search.run(path)
                if match.frame_number in sure
            ]
            cases.append((matches, sure & set(there)))
        return cases


def _is_on(box: Box | None, match: Match) -> bool:
    return box is None or overlap(box, Box(*match.bbox)) >= SAME


def _looked_at(path: Path, rate_hz: float) -> set[int]:
    return {index + 1 for index in IndexedVideo.read(path, MAX_PIXELS).sample(rate_hz)}


def one_by_one(path: Path, rate_hz: float) -> Iterator[Wanted]:
    """Each of the six."""
    sure = _looked_at(path, rate_hz)
    for first, last in ONE_BY_ONE:
        sure -= set(range(first - 2 * MARGIN, first)) | set(range(last + 1, last + 2 * MARGIN))
    for first, last in ONE_BY_ONE:
        yield (first + last) // 2, dict.fromkeys(range(first, last + 1)), sure


def campus(path: Path, rate_hz: float) -> Iterator[Wanted]:
    """Everyone who is there for long enough."""
    truth: dict[int, dict[int, Box | None]] = {}
    for frame, people in read_truth(path).items():
        for one in people:
            truth.setdefault(one.identity, {})[frame] = one.box
    looked_at = _looked_at(path, rate_hz)
    for boxes in truth.values():
        if len(boxes) >= LEAST_FRAMES:
            yield min(boxes), boxes, looked_at


async def measure_speed(asked: argparse.Namespace, path: Path, report: Report) -> None:
    """How long a search takes, with one worker and with all."""
    columns = ("looks", "s:.1f", "x real time:.1f", "CPU ms a look:.1f")
    table = report.table("How fast", "workers", "looks a second", *columns)
    duration_s = IndexedVideo.read(path, MAX_PIXELS).duration_s
    for workers in sorted({1, asked.workers}):
        async with own_sessions(_settings(workers, asked)) as sessions:
            searcher, tree = Searcher(sessions, workers), ProcessTree(os.getpid())
            reference = await searcher.reference(path, ONE_BY_ONE[0][0] + 40)
            for rate_hz in (LOOKS_HZ, 0.0):
                report.say(f"{workers} workers, {_rate(rate_hz)} looks a second")
                # Of this process and its workers: other programs do not count in it.
                times, cpu_s = [], tree.sample().cpu_s
                for _ in range(asked.rounds):
                    search = searcher.search(reference, rate_hz)
                    began_s = time.monotonic()
                    await search.run(path)
                    times.append(time.monotonic() - began_s)
                took_s, looks = min(times), search.progress.looked_at
                cpu_ms = 1000 * (tree.sample().cpu_s - cpu_s) / (asked.rounds * looks)
                table.add(workers, _rate(rate_hz), looks, took_s, duration_s / took_s, cpu_ms)


async def measure_right(
    asked: argparse.Namespace, six: Path, tud_campus: Path, report: Report
) -> None:
    """Precision and recall, at several thresholds."""
    model = make_extractor(asked.reid_model, lambda: Runtime("CPU", "auto"))
    limits = {model.threshold: " (the network's own)", 0.6: "", 0.5: "", 0.4: ""}
    columns = ("threshold", "precision %:.1f", "recall %:.1f", "F1:.2f")
    table = report.table("How right", "video", "people", "looks a second", *columns)
    async with own_sessions(_settings(asked.workers, asked)) as sessions:
        searcher = Searcher(sessions, asked.workers)
        for rate_hz in (LOOKS_HZ, 0.0):
            report.say(f"TUD-Campus, {_rate(rate_hz)} looks a second")
            cases = await searcher.cases(tud_campus, rate_hz, campus(tud_campus, rate_hz))
            _add_cases(table, "TUD-Campus", cases, rate_hz, limits)
        report.say("one by one")
        cases = await searcher.cases(six, LOOKS_HZ, one_by_one(six, LOOKS_HZ))
        _add_cases(table, "one by one", cases, LOOKS_HZ, limits)


def _add_cases(
    table: Table, name: str, cases: Sequence[Case], rate_hz: float, limits: dict[float, str]
) -> None:
    for limit, note in limits.items():
        within = [[(m, r) for m, r in matches if m.distance <= limit] for matches, _ in cases]
        told = sum(map(len, within))
        right = sum(is_right for each in within for _, is_right in each)
        there = sum(len(present) for _, present in cases)
        found = sum(len({m.frame_number for m, is_right in each if is_right}) for each in within)
        precision, recall = right / max(told, 1), found / max(there, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        shares = (100 * precision, 100 * recall, f1)
        table.add(name, len(cases), _rate(rate_hz), f"{limit:.3g}{note}", *shares)


def _rate(rate_hz: float) -> str:
    return f"{rate_hz:g}" if rate_hz else "every frame"


def _settings(workers: int, asked: argparse.Namespace) -> FindSettings:
    networks = {"detector": asked.detector, "reid_model": asked.reid_model}
    return FindSettings.model_validate({"analyzers": "pose,reid", "workers": workers, **networks})


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Both parts, or the one that is asked for."""
    videos = asked.data / VIDEOS
    if not videos.is_dir():
        raise BadInput(f"there are no people_videos in {asked.data}")
    for name, network in NETWORKS.items():
        path = asked.data / "models" / "openvino" / f"{network}.xml"
        setattr(asked, name, str(path) if path.exists() else network)
    six = videos / "intel_one-by-one-person-detection.mp4"
    if asked.only != "right":
        await measure_speed(asked, six, report)
    if asked.only != "speed":
        await measure_right(asked, six, videos / "TUD-Campus.mp4", report)


def main() -> int:
    parser = parser_for(__doc__)
    add_data(parser, "videos and networks")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=2, help="of each speed; the best is told")
    parser.add_argument("--only", choices=("speed", "right"))
    return run("Searching videos", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
