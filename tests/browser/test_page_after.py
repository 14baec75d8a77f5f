"""After a training: a repetition is looked at again, and there is a report to print."""

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.training import squats, write_clip
from tests.browser.views import View, opened, pages_of
from tests.support.server import running_server

NUMBER = "Number(document.querySelector('.number').textContent)"
DRAWN = "document.querySelector('.replay canvas').toDataURL()"
LIT = """(() => {
  const canvas = document.querySelector(".replay canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, at) => at % 4 === 3 && value > 0).length;
})()"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture(scope="module")
def view(browser, server):
    """At the summary of two squats."""
    with opened(browser, server.url, "train") as view:
        page = view.page
        page.get_by_role("button", name="Start the camera").click()
        page.get_by_role("button", name="Start anyway").click()
        view.wait_until(f"{NUMBER} === 2", 90)
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("heading", name="Well done").wait_for()
        yield view


def test_a_repetition_is_looked_at_again(view: View, tmp_path):
    page = view.page
    page.get_by_role("button", name="Watch again: Squat 2").click()
    dialog = page.get_by_role("dialog", name="Squat, repetition 2")
    expect(dialog).to_be_visible()
    # It moves: what is drawn is another skeleton a moment later.
    before = page.evaluate(DRAWN)
    view.wait_until(f"{DRAWN} !== {json.dumps(before)}")
    dialog.get_by_role("button", name="Pause").click()
    assert page.evaluate(LIT) > 500
    view.check_looks(tmp_path, "replay")
    slider = dialog.get_by_role("slider", name="Moment")
    slider.focus()
    page.keyboard.press("Home")
    at_start = page.evaluate(DRAWN)
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("PageDown")
    assert page.evaluate(DRAWN) != at_start
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    view.check()


def test_the_skeletons_go_nowhere(view: View):
    """All that was asked for are files of the page, its health and its signaling."""
    paths = {urlsplit(each).path for each in view.requested}
    others = sorted(path for path in paths if not path.startswith("/web/"))
    assert others == ["/", "/health", "/signaling"]


def test_the_report_has_one_page(view: View, tmp_path):
    page = view.page
    page.evaluate("window.print = () => (window.printed = true)")
    page.get_by_role("button", name="Print a report").click()
    assert page.evaluate("printed")
    assert pages_of(page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)) == 1
