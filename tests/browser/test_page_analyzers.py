"""Train and Find with whatever analyzers a server has, and all the values that these tell."""

import pytest
from playwright.sync_api import expect

from tests.browser.views import opened
from tests.support.server import COUNTER, running_server

BROKEN = "tests.support.models:Broken"
SKELETON = """(() => {
  const canvas = document.querySelector(".stage canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let drawn = 0;
  const off = (at, [r, g, b]) =>
    Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b);
  for (let at = 0; at < data.length; at += 4) drawn += off(at, [52, 217, 165]) < 30;
  return drawn;
})()"""
COUNT = """Number([...document.querySelectorAll(".tree > li")]
  .find((item) => item.firstChild.textContent === "count")?.querySelector("span").textContent)"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", f"pose,{COUNTER},{BROKEN}", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def test_train_shows_what_there_is(browser, server, tmp_path):
    with opened(browser, server.url, "train") as view:
        page = view.page
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".chip")).to_have_attribute("data-code", "live", timeout=60_000)
        panel = page.locator(".panel")
        expect(panel).to_contain_text("This server counts no exercises: its analyzers are pose,")
        view.wait_until(f"{SKELETON} > 50")
        # Its own analyzer's values are there, and change.
        view.wait_until(f"{COUNT} > 0")
        before = page.evaluate(COUNT)
        view.wait_until(f"{COUNT} > {before}")
        inspector = panel.locator(".inspector")
        expect(inspector).to_contain_text("broken, frame: RuntimeError: no weights")
        expect(inspector).to_contain_text("waiting")
        landmarks = inspector.locator("summary", has_text="landmarks").first
        expect(landmarks).to_contain_text("[33]")
        landmarks.click()
        inspector.locator("li li summary").first.click()
        expect(inspector.locator("li li li").filter(has_text="visibility").first).to_be_visible()
        view.check_looks(tmp_path, "values")
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("heading", name="Finished").wait_for()
        view.check()


def test_find_says_what_is_missing(browser, server):
    with opened(browser, server.url, "find") as view:
        expect(view.page.locator(".find header")).to_contain_text("--analyzers pose,reid")
        expect(view.page.get_by_role("button", name="Choose one…")).to_be_disabled()
        view.check()
