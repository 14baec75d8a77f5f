"""A new person's path on the page: open it, train on the sample, see the summary.

A tap is a click on the page; the time is from asking for the page to the summary being there. The
sample's own length is 10 to 12 seconds of it.
"""

import argparse
import sys
import time
from pathlib import Path

if not __package__:  # Run as a file, Python looks for modules beside it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from playwright.async_api import Page, async_playwright

from bench.harness.browser import CHROMIUM, FLAGS
from bench.harness.processes import kinecast, running
from bench.harness.report import Report, at_most, parser_for, run
from bench.page import SIZES

MAX_S, MAX_TAPS = 60.0, 3
WITHIN_MS = 120_000
COUNT_TAPS = "window.taps = 0; addEventListener('click', () => taps++, true);"
COLUMNS = ("window", "run", "taps", "seconds:.1f", "repetitions")


async def train(page: Page, url: str) -> tuple[int, float, int]:
    """Go the path.

    Returns
    -------
    taps, seconds, repetitions
    """
    began_s = time.monotonic()
    await page.goto(url)
    await page.get_by_role("button", name="Try the sample").click()
    await page.get_by_role("heading", name="Well done").wait_for(timeout=WITHIN_MS)
    seconds = time.monotonic() - began_s
    total = await page.locator(".summary-head p").first.inner_text()
    return await page.evaluate("taps"), seconds, int(total.split()[0])


async def bench(asked: argparse.Namespace, report: Report) -> None:
    """Each window in a profile of its own: nothing is cached, nothing was chosen."""
    table = report.table("A new person's path", *COLUMNS)
    server_kind = kinecast("--analyzers", "pose,exercise")
    async with running(server_kind) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for number in range(asked.rounds):
            for size, ((width, height), scale) in SIZES.items():
                report.say(f"{size}, round {number + 1} of {asked.rounds}")
                context = await browser.new_context(
                    viewport={"width": width, "height": height}, device_scale_factor=scale
                )
                page = await context.new_page()
                await page.add_init_script(COUNT_TAPS)
                figures = await train(page, server.url)
                await context.close()
                table.add(size, number + 1, *figures)
                what = f"{size}, round {number + 1}"
                report.check(at_most(f"{what}: taps", figures[0], MAX_TAPS))
                report.check(at_most(f"{what}: seconds", figures[1], MAX_S))
        await browser.close()


def main() -> int:
    parser = parser_for(__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="runs of each window (2)")
    return run("A new person's path", parser.parse_args(), bench)


if __name__ == "__main__":
    sys.exit(main())
