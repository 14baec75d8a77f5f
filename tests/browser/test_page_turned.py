"""A training on a phone that lies on its side, and where cues are, beside the athlete."""

import pytest
from playwright.sync_api import expect

from tests.browser.training import shallow_squats, write_clip
from tests.browser.views import opened
from tests.support.server import running_server

TURNED = {"width": 844, "height": 390}
UPRIGHT = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
CUE = "document.querySelector('.cue')"
SPOKEN = """window.spoken = [];
speechSynthesis.speak = ({ text, lang }) => spoken.push([performance.now(), text, lang]);"""
ON_ITS_TILE = """[...document.querySelectorAll(".wall span")].some((each) => {
  const [cue, tile] = [each, each.closest("button")].map((box) => box.getBoundingClientRect());
  const isInside = cue.left >= tile.left && cue.right <= tile.right && cue.bottom <= tile.bottom;
  return each.textContent.startsWith("Go deeper") && isInside;
})"""
# By how many CSS pixels the cue lies over the skeleton; negative: so far from it.
OVERLAP = """(() => {
  const canvas = document.querySelector(".stage canvas");
  const scale = canvas.width / canvas.clientWidth;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const off = (at, [r, g, b]) =>
    Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b);
  let [from, to] = [Infinity, -Infinity];
  for (let at = 0; at < data.length; at += 4) {
    if (off(at, [52, 217, 165]) > 30) continue;
    const x = (at / 4) % canvas.width;
    [from, to] = [Math.min(from, x), Math.max(to, x)];
  }
  const { left, right } = document.querySelector(".cue").getBoundingClientRect();
  const before = canvas.getBoundingClientRect().left;
  return Math.min(right - before - from / scale, before + to / scale - left);
})()"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "shallow.mjpeg", shallow_squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def test_all_is_in_sight_and_the_cue_beside_the_athlete(browser, server, tmp_path):
    with opened(browser, server.url, "train") as view:
        page = view.page
        page.set_viewport_size(TURNED)
        start = page.get_by_role("button", name="Start the camera")
        box = start.bounding_box()
        assert box["y"] + box["height"] <= TURNED["height"]
        start.click()
        number = page.locator(".number")
        expect(number).to_have_text("2", timeout=90_000)
        for what in (number, page.get_by_role("button", name="Finish"), page.locator(".panel h2")):
            box = what.bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= TURNED["height"]
            assert box["x"] + box["width"] <= TURNED["width"]
        cue = page.locator(".cue")
        for size in (TURNED, DESKTOP):
            page.set_viewport_size(size)
            expect(cue).to_contain_text("Go deeper", timeout=60_000)
            view.wait_until(f"{OVERLAP} < 0")
            page.screenshot(path=tmp_path / f"cue-{size['width']}.png")
            stage, box = page.locator(".stage").bounding_box(), cue.bounding_box()
            assert box["y"] > stage["y"]
            assert box["y"] + box["height"] < stage["y"] + stage["height"]
            # Whatever the athlete does.
            for _ in range(20):
                expect(cue).to_be_visible()
                assert page.evaluate(OVERLAP) < 0
        # A coach sees it on the wall, in its tile.
        with opened(browser, server.url, "sessions") as wall:
            wall.wait_until(ON_ITS_TILE, 60)
            wall.check()
        # Long words stay in it.
        page.get_by_label("Language").select_option("de")
        for size in (TURNED, UPRIGHT):
            page.set_viewport_size(size)
            expect(cue).to_contain_text("Oberschenkel", timeout=60_000)
            view.wait_until(f"{CUE}.matches('.left, .right')", 60)
            assert page.evaluate(f"{CUE}.scrollWidth <= {CUE}.clientWidth")
        view.check()


@pytest.mark.parametrize(("name", "button"), [("find", "Choose one…"), ("camera", "Start Camera")])
def test_what_is_to_be_pressed_is_in_sight(browser, server, name, button):
    with opened(browser, server.url, name) as view:
        view.page.set_viewport_size(TURNED)
        pressed = view.page.get_by_role("button", name=button)
        expect(pressed).to_be_visible()
        box = pressed.bounding_box()
        assert box["y"] + box["height"] <= TURNED["height"]
        view.check(failing=True)


def test_what_to_do_better_is_said_aloud_when_asked_to_and_not_all_the_time(browser, server):
    with opened(browser, server.url, "train", script=SPOKEN) as view:
        page = view.page
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".cue")).to_be_visible(timeout=90_000)
        assert page.evaluate("spoken") == []
        page.get_by_role("switch", name="Coach aloud").check()
        cues = "spoken.filter(([, text]) => text.startsWith('Go deeper'))"
        view.wait_until(f"{cues}.length >= 2", 60)
        (first_ms, _, language), (second_ms, *_) = page.evaluate(cues)[:2]
        assert second_ms - first_ms >= 8000
        assert language == "en"
        # The count goes on between them.
        numbers = [text for _, text, _ in page.evaluate("spoken") if text[0].isdigit()]
        assert len(numbers) >= 1
        view.check()
