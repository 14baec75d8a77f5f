"""Take the pictures of the page that the documents show: docs/page-train.jpg, -phone, -summary.

.venv/bin/python -m tools.draw_page

A server of its own, and Chromium, which plays the sample at 0.6 of its speed: a busy machine sees
enough of it, too.
"""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from bench.harness.browser import CHROMIUM, FLAGS
from bench.harness.processes import kinecast, running

DOCS = Path(__file__).resolve().parent.parent / "docs"
QUALITY = 80
WITHIN_MS = 120_000
SLOWLY = """const { play } = HTMLMediaElement.prototype;
HTMLMediaElement.prototype.play = function () {
  if (this.src.includes("sample")) this.playbackRate = 0.6;
  return play.call(this);
};"""


async def opened(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    """Open the page at a size, in the light or in the dark, and train on the sample."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1 if width > height else 1.5,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await context.add_init_script(SLOWLY)
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_role("button", name="Try the sample").click()
    return page


async def take(page: Page, name: str) -> None:
    """Take a picture of what is to be seen now."""
    await page.screenshot(path=DOCS / f"page-{name}.jpg", type="jpeg", quality=QUALITY)
    print(f"docs/page-{name}.jpg")


async def at_count(page: Page, exercise: str, count: int) -> None:
    """Wait until so many of an exercise were counted, and the skeleton is drawn."""
    heading = page.locator(".panel h2", has_text=exercise)
    await heading.wait_for(timeout=WITHIN_MS)
    await page.locator(".number", has_text=str(count)).wait_for(timeout=WITHIN_MS)


async def main() -> None:
    async with (
        running(kinecast("--analyzers", "pose,exercise")) as server,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        desktop = await opened(browser, server.url, 1280, 800, "light")
        await at_count(desktop, "Jumping jack", 2)
        await take(desktop, "train")
        heading = desktop.get_by_role("heading", name="Well done")
        await heading.wait_for(timeout=WITHIN_MS)
        await take(desktop, "summary")
        await desktop.context.close()
        phone = await opened(browser, server.url, 390, 844, "dark")
        await at_count(phone, "Squat", 1)
        await take(phone, "phone")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
