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
import sys
import tempfile
from pathlib import Path

if not __package__:
    # Run as a file, Python looks for modules beside it. They are found as bench's.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from playwright.async_api import Page, async_playwright
from rich.console import Console

from bench.pages.camera import write_numbered_clip
from bench.pages.figures import Figures, Sample, figures_of
from bench.report import machine, markdown_table, rich_table
from bench.servers import BARCODE, ROOT, ServerKind, running

CHAIN = f"pose,exercise,{BARCODE}"
SERVER = ServerKind("kinecast", "websocket", ("-m", "server", "--analyzers", CHAIN))
PROBE = Path(__file__).with_name("pages") / "probe.js"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,DialMediaRouteProvider",
)
WARM_UP_S = 3.0
SIZES = {"desktop": ((1280, 800), 1), "phone": ((390, 844), 2)}
COLUMNS = (
    "window",
    "run",
    "animation frames/s",
    "pictures/s",
    "with skeleton %",
    "latency ms",
    "misfit p50 %",
    "p95 %",
    "p95 of pose alone %",
    "own %",
    "between %",
    "another's %",
)
TARGET_P95 = 0.02


async def measure(url: str, clip: Path, size: str, seconds: float, sample: Sample) -> Figures:
    """One run in a browser of its own."""
    (width, height), scale = SIZES[size]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={clip}"]
        )
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
    await page.locator('.chip[data-code="live"]').wait_for(timeout=60_000)
    await asyncio.sleep(WARM_UP_S)
    await page.evaluate("() => { drawn.length = results.length = 0; ticks = 0; }")
    await asyncio.sleep(seconds)
    return await page.evaluate(
        "() => ({ drawn, results, ticks, latency: document.querySelector('.chip').textContent })"
    )


async def bench(arguments: argparse.Namespace, console: Console) -> bool:
    """All runs, in turn; tells whether the misfit is what it should be."""
    sample = Sample.load(ROOT / "sample-video.json")
    rows, reached = [], True
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "camera.mjpeg"
        write_numbered_clip(ROOT / "sample-video.mp4", clip)
        async with running(SERVER) as server:
            for run in range(arguments.rounds):
                for size in SIZES:
                    figures = await measure(server.url, clip, size, arguments.seconds, sample)
                    rows.append((size, str(run + 1), *figures.row()))
                    reached = reached and figures.misfit_p95 < TARGET_P95
                    console.print(" ".join(rows[-1]), highlight=False)
    console.print(rich_table("The page", COLUMNS, rows))
    verdict = "reached" if reached else "missed"
    console.print(f"misfit p95 under {TARGET_P95:.0%} of the frame's width: {verdict}")
    if arguments.markdown:
        console.print("\n".join(f"- {line}" for line in machine()), highlight=False)
        console.print(markdown_table(COLUMNS, rows), highlight=False, soft_wrap=True)
    return reached


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2, help="runs of each (default 2)")
    parser.add_argument("--seconds", type=float, default=13.0, help="of each run (default 13)")
    parser.add_argument("--markdown", action="store_true", help="print the table for docs, too")
    reached = asyncio.run(bench(parser.parse_args(), Console(width=140)))
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
