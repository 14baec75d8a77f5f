"""Before a set: is the picture right, three, two, one. What is done then does not count."""

import pytest
from playwright.sync_api import expect

from tests.browser.training import squats, write_clip
from tests.browser.views import View, opened
from tests.support.server import running_server

# Of the sample's 480 rows those above the athlete's feet.
WITHOUT_FEET = slice(0, 340)
TURNED = {"width": 844, "height": 390}
NUMBER = "Number(document.querySelector('.number').textContent)"
# What the server has counted since the session began.
REPS = """Number([...document.querySelectorAll(".tree > li")]
  .find((item) => item.firstChild.textContent === "reps")
  ?.querySelector("span").textContent ?? 0)"""
NOTE = """window.spoken = []; window.numbers = [];
speechSynthesis.speak = ({ text }) => spoken.push(text);
new MutationObserver(() => {
  const number = document.querySelector(".coach:not([hidden]) .coach-number")?.textContent;
  if (number && numbers.at(-1) !== number) numbers.push(number);
}).observe(document, { childList: true, subtree: true, characterData: true });"""


@pytest.fixture(scope="module", params=[None, WITHOUT_FEET], ids=["whole", "without feet"])
def rows(request):
    return request.param


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory, rows):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats(), rows)


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "train", script=NOTE) as view:
        yield view


def start(view: View) -> None:
    view.page.get_by_role("button", name="Start the camera").click()
    view.page.locator(".coach").wait_for()


def total(view: View) -> int:
    return int(view.page.locator(".summary-head p").first.inner_text().split()[0])


def test_three_two_one_by_itself_and_then_it_counts(view, rows, tmp_path):
    if rows is not None:
        pytest.skip("of a picture that is right")
    page = view.page
    start(view)
    page.locator(".inspector summary").first.click()
    page.get_by_role("switch", name="Coach aloud").check()
    view.wait_until("numbers.at(-1) === '1'", 60)
    before = page.evaluate(REPS)
    expect(page.locator(".coach")).to_be_hidden(timeout=60_000)
    assert page.evaluate("numbers") == ["3", "2", "1"]
    assert page.evaluate("spoken.slice(0, 3)") == ["3", "2", "1"]
    view.wait_until(f"{NUMBER} === 2", 60)
    # Squats may have been told of before; the server has counted them, and the page has not.
    # The inspector shows them a moment later than the page, and both go on counting.
    view.wait_until(f"{REPS} >= {before} + {NUMBER}", 60)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    assert total(view) in (2, 3)
    assert "undefined" not in page.locator(".summary").inner_text()
    bars = page.get_by_role("list", name="Score of each repetition").locator("li")
    expect(bars).to_have_count(total(view))
    view.check()


def test_a_reload_before_the_set(view, rows):
    if rows is not None:
        pytest.skip("of a picture that is right")
    page = view.page
    start(view)
    page.locator('.chip[data-code="live"]').wait_for()
    page.reload()
    expect(page.locator(".coach")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    view.wait_until(f"{NUMBER} === 1", 60)
    page.reload()
    page.locator('.chip[data-code="live"]').wait_for()
    # The set goes on.
    expect(page.locator(".coach")).to_be_hidden()
    view.wait_until(f"{NUMBER} >= 2", 60)
    expect(page.locator(".sets li")).to_have_count(1)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    bars = page.get_by_role("list", name="Score of each repetition").locator("li")
    expect(bars).to_have_count(total(view))
    view.check()


def test_what_is_wrong_is_said_and_nobody_is_kept_out(view, rows, tmp_path):
    if rows is None:
        pytest.skip("of a picture that is wrong")
    page = view.page
    start(view)
    page.get_by_role("switch", name="Coach aloud").check()
    line = page.locator(".coach-line")
    expect(line).to_have_text("Your feet are out of the picture.", timeout=60_000)
    view.wait_until("spoken.includes('Your feet are out of the picture.')")
    view.check_looks(tmp_path, "before")
    page.set_viewport_size(TURNED)
    go = page.get_by_role("button", name="Start anyway")
    stage = page.locator(".stage").bounding_box()
    box = go.bounding_box()
    assert stage["y"] <= box["y"]
    assert box["y"] + box["height"] <= stage["y"] + stage["height"]
    page.screenshot(path=tmp_path / "before-turned.png")
    # The outline lies over nothing that is to be tapped.
    go.click(trial=True)
    page.get_by_label("Language").select_option("de")
    expect(line).to_have_text("Deine Füße sind nicht im Bild.")
    page.get_by_role("button", name="Trotzdem anfangen").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Jetzt anfangen").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(".coach")).to_be_hidden()
    view.check()


def test_finished_before_it_began(view, rows):
    if rows is None:
        pytest.skip("of a picture that is wrong")
    start(view)
    view.page.get_by_role("button", name="Finish").click()
    view.page.get_by_role("heading", name="Nothing counted this time").wait_for()
    view.check()
