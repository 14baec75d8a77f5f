"""Measures the page: pictures drawn a second, and how well skeleton and picture fit together.

Chromium's camera plays the sample video at 30 frames per second, each frame numbered in its corner;
the page trains with it. What the page draws is noted as it draws: which frame, read from the
picture itself, and where the skeleton's joints are on it. The misfit is their distance from where
that very frame's joints are in truth (sample-video.json), in parts of the frame's width, over all
frames in which the athlete moves.

It has two causes: the landmarks that pose finds are not quite the athlete's joints, and a skeleton
may be of another moment than its picture. The first alone is the misfit of the results with the
frames that the server made them of; both are in the table, and how many skeletons are their
picture's own, in between two results', or another frame's.
"""

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import av
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, async_playwright

from bench.harness import barcode
from bench.harness.browser import CHROMIUM, FLAGS
from bench.harness.processes import kinecast, running
from bench.harness.report import SAMPLE, Report, at_most, parser_for, run

PROBE = Path(__file__).with_name("parts") / "probe.js"
LIVE_WITHIN_MS, WARM_UP_S = 60_000, 3.0
SIZES = {"desktop": ((1280, 800), 1), "phone": ((390, 844), 2)}
COLUMNS = (
    *("window", "run", "animation frames/s:.1f", "pictures/s:.1f", "with skeleton %:.1f"),
    *("latency ms:.0f", "misfit p50 %:.2f", "p95 %:.2f", "p95 of pose alone %:.2f"),
    *("own %:.1f", "between %:.1f", "another's %:.1f"),
)
MAX_P95_PERCENT = 2.0
# Lowest is best (2 to 31): no visible blocks, 20 kB a frame.
QUANTIZER = "4"

# The joints in the order in which server/web/skeleton.js draws them.
JOINTS = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 0)
# Points are drawn as 32-bit floats; so near to a result's, in parts of the width, they are its own.
SAME = 1e-5

Floats = NDArray[np.float64]
Shown = Sequence[tuple[int | None, Floats]]


@dataclass(frozen=True, slots=True)
class Sample:
    """The truth of the sample video: where the joints are, and when the athlete moves.

    `joints` are in parts of the frame's width, (frames, 13, 2); `moving` is (frames,).
    """

    joints: Floats
    moving: NDArray[np.bool_]
    aspect: float

    @classmethod
    def load(cls, path: Path) -> "Sample":
        """Read the JSON beside a clip."""
        truth = json.loads(path.read_text())
        width, height = truth["meta"]["width"], truth["meta"]["height"]
        joints = np.array(
            [[frame["people"][0]["joints_px"][j] for j in JOINTS] for frame in truth["frames"]]
        )
        times_ms = np.array([frame["timestamp_ms"] for frame in truth["frames"]])
        moving = np.zeros(len(times_ms), bool)
        for each in truth["repetitions"]:
            moving |= (times_ms >= each["start_ms"]) & (times_ms <= each["end_ms"])
        return cls(joints / width, moving, width / height)


def figures_of(told: Mapping[str, Any], seconds: float, sample: Sample) -> dict[str, float]:
    """Compare what the probe noted with the truth: the cells of the table, by column."""
    pictures = [(barcode.number_in(each["word"]), each) for each in told["drawn"]]
    drawn = [(number, _points(each, sample.aspect)) for number, each in pictures if each["points"]]
    results = [
        (each["number"], np.array(each["points"])[list(JOINTS)] / [1, sample.aspect])
        for each in told["results"]
        if each["number"] is not None
    ]
    whole = [(number, points) for number, points in drawn if len(points) == len(JOINTS)]
    sources = [_source(points, results) for _, points in whole]
    own = np.array([source == number for source, (number, _) in zip(sources, whole, strict=True)])
    between = np.array([source is None for source in sources])
    latency = re.search(r"(\d+) ms", told["latency"])
    cells = (
        *(told["ticks"] / seconds, len(pictures) / seconds),
        100 * len(drawn) / max(len(pictures), 1),
        float(latency[1]) if latency else np.nan,
        *(100 * np.percentile(_misfits(whole, sample), (50, 95))),
        100 * np.percentile(_misfits(results, sample), 95),
        *(100 * kind.mean() for kind in (own, between, ~own & ~between)),
    )
    names = (column.partition(":")[0] for column in COLUMNS[2:])
    return dict(zip(names, map(float, cells), strict=True))


def _misfits(shown: Shown, sample: Sample) -> Floats:
    """Distances of joints from the truth, while the athlete moves, in parts of the width."""
    return np.concatenate(
        [
            np.hypot(*(points - sample.joints[number]).T)
            for number, points in shown
            if number is not None and sample.moving[number]
        ]
    )


def _source(points: Floats, results: Shown) -> int | None:
    """The frame whose result was drawn; None for one in between two."""
    return next((number for number, found in results if np.abs(points - found).max() < SAME), None)


def _points(drawn: Mapping[str, Any], aspect: float) -> Floats:
    """The drawn joints as the camera sees them, in parts of the frame's width."""
    points = np.array(drawn["points"]) / (drawn["width"], drawn["height"])
    if drawn["mirrored"]:
        points[:, 0] = 1 - points[:, 0]
    return points / (1, aspect)


def write_numbered_clip(target: Path) -> None:
    """Write the sample as Motion JPEG, for Chromium's camera; frames carry their number from 0."""
    with av.open(SAMPLE) as played, av.open(target, "w", "mjpeg") as written:
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


async def measure(
    url: str, clip: Path, size: str, seconds: float, sample: Sample
) -> dict[str, float]:
    """One run in a browser of its own."""
    (width, height), scale = SIZES[size]
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={clip}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=scale
            )
            page = await context.new_page()
            await page.add_init_script(path=PROBE)
            await page.goto(url)
            return figures_of(await _train(page, seconds), seconds, sample)
        finally:
            await browser.close()


async def _train(page: Page, seconds: float) -> dict[str, object]:
    await page.get_by_role("button", name="Start the camera").click()
    await page.locator('.chip[data-code="live"]').wait_for(timeout=LIVE_WITHIN_MS)
    await asyncio.sleep(WARM_UP_S)
    await page.evaluate("() => { drawn.length = results.length = 0; ticks = 0; }")
    await asyncio.sleep(seconds)
    return await page.evaluate(
        "() => ({ drawn, results, ticks, latency: document.querySelector('.chip').textContent })"
    )


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """All runs, the windows in turn."""
    sample = Sample.load(SAMPLE.with_suffix(".json"))
    table = report.table("The page", *COLUMNS)
    report.settings = [f"Rounds: {asked.rounds}, of {asked.seconds:g} s"]
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "camera.mjpeg"
        write_numbered_clip(clip)
        async with running(kinecast("--analyzers", f"pose,exercise,{barcode.ANALYZER}")) as server:
            for number in range(asked.rounds):
                for size in SIZES:
                    report.say(f"{size}, round {number + 1} of {asked.rounds}")
                    figures = await measure(server.url, clip, size, asked.seconds, sample)
                    table.add(size, number + 1, *figures.values())
                    what = f"{size}, round {number + 1}: misfit p95, % of the frame's width"
                    report.check(at_most(what, figures["p95 %"], MAX_P95_PERCENT))


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="runs of each (2)")
    parser.add_argument("--seconds", type=float, default=13.0, help="of each run (13)")
    return run("The page", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
