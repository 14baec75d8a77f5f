"""A view of Kinecast's page in a tab, and what holds for each."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_faults

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
WITHIN_S = 60.0
expect.set_options(timeout=WITHIN_S * 1000)
# What a browser says by itself of each answer that is an error.
_OF_THE_NETWORK = "Failed to load resource"


class View:
    """One view in a tab.

    Attributes
    ----------
    page
        The tab.
    problems
        Exceptions, and errors in its console.
    requested
        The addresses that it asked for.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url
        self.problems: list[str] = []
        self.requested: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("websocket", lambda socket: self.requested.append(socket.url))

    def wait_until(self, condition: str, within_s: float = WITHIN_S) -> None:
        """Wait until an expression holds; Playwright's own way is against the page's policy."""
        _wait(lambda: self.page.evaluate(condition), condition, within_s)

    def check(self, *, failing: bool = False) -> None:
        """No error in the console, and no request to another host.

        Parameters
        ----------
        failing
            Whether requests were meant to fail: the browser itself tells of these.
        """
        told = [p for p in self.problems if not (failing and p.startswith(_OF_THE_NETWORK))]
        assert told == [], told
        mine = urlsplit(self._url).netloc
        asked = {urlsplit(each).netloc for each in self.requested if not each.startswith("blob:")}
        assert asked == {mine}

    def check_looks(self, folder: Path, name: str) -> None:
        """At both sizes, in the light and in the dark: not blank, not too wide, no fault of axe's.

        Parameters
        ----------
        folder
            Where the screenshots go.
        name
            What they are called.
        """
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                picture = self.page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
                pixels = np.asarray(Image.open(BytesIO(picture)).convert("L"), dtype=float)
                assert pixels.shape == (height, width)
                assert pixels.std() > 5, "the screenshot is blank"
                assert (pixels.mean() > 128) == (scheme == "light"), scheme
                assert self.page.evaluate("document.documentElement.scrollWidth") <= width
                faults = serious_faults(self.page)
                assert faults == [], faults


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF of Chromium's has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def _wait(holds: Callable[[], object], what: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def opened(
    browser: Browser, url: str, view: str, *, script: str = "", language: str = "en-GB"
) -> Iterator[View]:
    """Open a view.

    Parameters
    ----------
    url
        The server's.
    view
        Its name.
    script
        Runs before the page's.
    language
        The browser's.
    """
    width, height = SIZES["desktop"]
    with contextlib.closing(
        browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            permissions=["camera"],
            accept_downloads=True,
        )
    ) as context:
        context.set_default_timeout(WITHIN_S * 1000)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        open_view = View(page, url)
        page.goto(f"{url}/#{view}")
        page.locator(f".view.{view} h1").wait_for()
        yield open_view
