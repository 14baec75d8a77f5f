"""An exercise of one's own: shown three times, named, counted; its file, and hostile files."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.training import squats, write_clip
from tests.browser.views import View, opened
from tests.support.server import running_server

NUMBER = "Number(document.querySelector('.number')?.textContent ?? -1)"
KEPT = "JSON.parse(localStorage.getItem('kinecast.exercises') ?? '[]')"


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "train") as view:
        view.page.get_by_text("Choose an exercise, follow a plan").click()
        view.page.locator(".own").wait_for()
        yield view


def test_it_is_shown_three_times_and_then_it_is_counted(view: View, tmp_path):
    page = view.page
    name = page.get_by_role("textbox", name="Its name")
    name.fill("Squat")
    name.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Take another name")
    name.fill("Deep Bow")
    view.check_looks(tmp_path, "teach")
    page.get_by_role("button", name="Show it").click()
    line = page.locator(".coach-line")
    expect(line).to_contain_text("deep bow: do it three times.")
    expect(line).to_contain_text("1 of 3", timeout=90_000)
    page.screenshot(path=tmp_path / "lesson.png")
    expect(page.locator("#notice")).to_contain_text("Learned: deep bow.", timeout=90_000)
    # It is chosen, and counted.
    expect(page.get_by_role("combobox", name="Exercise", exact=True)).to_have_value("deep_bow")
    (definition,) = page.evaluate(KEPT)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download: deep bow").click()
    assert json.loads(started.value.path().read_text()) == definition
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("button", name="Start anyway").click()
    view.wait_until(f"{NUMBER} >= 2", 90)
    expect(page.locator(".panel h2")).to_have_text("deep bow")
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    expect(page.locator(".summary .card h2")).to_have_text("deep bow")
    view.check()
    # Another browser has it from the file.
    page.get_by_role("button", name="Train again").click()
    page.get_by_role("button", name="Delete: deep bow").click()
    assert page.evaluate(KEPT) == []
    page.set_input_files(".own input[type=file]", started.value.path())
    expect(page.locator("#notice")).to_contain_text("1 exercise is in your list now.")
    assert page.evaluate(KEPT) == [definition]


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[" * 100_000, '{"version": 1, "name": "<img src=x onerror=alert(1)>"}'],
    ids=["text", "deep", "markup"],
)
def test_a_file_that_holds_none(view: View, tmp_path, text):
    hostile = tmp_path / "hostile.json"
    hostile.write_text(text)
    view.page.set_input_files(".own input[type=file]", hostile)
    expect(view.page.locator("#notice")).to_contain_text("This file holds no learned exercise.")
    assert view.page.evaluate(KEPT) == []
    view.check()


def test_a_file_that_only_the_server_sees_through(view: View, tmp_path):
    page = view.page
    hostile = tmp_path / "hostile.json"
    told = {
        "version": 1,
        "name": "band_pull",
        "repetitions": 3,
        "out": "sideways",
        "out_s": 1,
        "back_s": 1,
        "signals": [],
        "joints": [],
    }
    hostile.write_text(json.dumps(told))
    page.set_input_files(".own input[type=file]", hostile)
    expect(page.locator("#notice")).to_contain_text("1 exercise is in your list now.")
    page.get_by_role("button", name="Start the camera").click()
    notice = page.locator("#notice")
    expect(notice).to_contain_text("An exercise of your own can not be used: ", timeout=60_000)
    expect(notice).to_contain_text("band_pull")
    notice.get_by_role("button", name="Remove all of my own").click()
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("button", name="Start anyway").click()
    view.wait_until(f"{NUMBER} >= 1", 90)
    view.check()
