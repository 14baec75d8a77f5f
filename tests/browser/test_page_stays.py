"""A training on the page that is left for a while: another view, another language, a reload."""

import pytest
from playwright.sync_api import expect

from tests.browser.training import squats, write_clip
from tests.browser.views import View, opened
from tests.support.server import ROOT, running_server

ANALYZERS = ("--analyzers", "pose,exercise,reid", "--workers", "1")
NUMBER = "Number(document.querySelector('.number')?.textContent ?? -1)"
COUNTED_WITHIN_S = 60.0
# The tab of Train, as it is while another view is looked at.
BADGE = "Number(document.querySelector('.tab-badge')?.firstChild.textContent)"
# Which sessions the page has opened or resumed: the server names them in its answers.
SESSIONS = """window.sessions = [];
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", ({ data }) => {
      const told = JSON.parse(data);
      if (told.type === "answer") sessions.push(told.data.session.id);
    });
  }
};"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), *ANALYZERS) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "train", script=SESSIONS) as view:
        yield view


def begin(view: View) -> int:
    """Start, and return how many were counted when the first were."""
    view.page.get_by_role("button", name="Start the camera").click()
    return count_beyond(view, 0)


def count_beyond(view: View, number: int) -> int:
    view.wait_until(f"{NUMBER} > {number}", COUNTED_WITHIN_S)
    return view.page.evaluate(NUMBER)


def total(view: View) -> int:
    """What the summary says was counted in all."""
    return int(view.page.locator(".summary-head p").first.inner_text().split()[0])


def go(view: View, name: str) -> None:
    view.page.get_by_role("navigation").get_by_role("link", name=name).click()


def test_another_view_is_looked_at(view, server, tmp_path):
    page = view.page
    before = begin(view)
    go(view, "Sessions")
    expect(page.locator(".view.train")).to_be_hidden()
    expect(page.locator(".sessions tbody tr")).to_have_count(1)
    view.wait_until(f"{BADGE} > {before}", COUNTED_WITHIN_S)
    expect(page.get_by_role("link", name="The training goes on")).to_be_visible()
    view.check_looks(tmp_path, "away")
    page.go_back()
    expect(page.locator(".view.train")).to_be_visible()
    expect(page.locator(".tab-badge")).to_be_hidden()
    there = count_beyond(view, before)
    # The picture moves, too: it is not the one of before.
    count_beyond(view, there)
    assert len(page.evaluate("sessions")) == 1
    go(view, "Find")
    go(view, "Train")
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    assert total(view) > there
    counted = total(view)
    # And so is what it came to.
    go(view, "Camera")
    go(view, "Train")
    assert total(view) == counted
    page.reload()
    page.get_by_role("heading", name="Well done").wait_for()
    assert total(view) == counted
    page.get_by_role("button", name="Train again").click()
    page.reload()
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    view.check()


def test_the_language_changes_in_place(view):
    page = view.page
    before = begin(view)
    page.get_by_role("switch", name="Coach aloud").check()
    page.get_by_label("Language").select_option("de")
    expect(page.locator(".panel h2")).to_have_text("Kniebeuge")
    expect(page.get_by_role("img", name="Das Bild mit dem Skelett darüber")).to_be_visible()
    expect(page.get_by_role("switch", name="Laut ansagen")).to_be_checked()
    assert page.evaluate(NUMBER) >= before
    expect(page.locator(".sets li").first).to_contain_text("Kniebeuge")
    there = count_beyond(view, before)
    assert len(page.evaluate("sessions")) == 1
    page.get_by_role("button", name="Beenden").click()
    page.get_by_role("heading", name="Gut gemacht").wait_for()
    page.get_by_label("Sprache").select_option("en")
    page.get_by_role("heading", name="Well done").wait_for()
    assert total(view) >= there
    view.check()


@pytest.mark.parametrize("elsewhere", ["", "Sessions"])
def test_a_reload(view, server, elsewhere):
    page = view.page
    before = begin(view)
    (first,) = page.evaluate("sessions")
    if elsewhere:
        go(view, elsewhere)
    page.reload()
    view.wait_until("sessions.length === 1")
    assert page.evaluate("sessions") == [first]
    if elsewhere:
        expect(page.locator(".sessions tbody tr")).to_have_count(1)
        go(view, "Train")
    there = count_beyond(view, before)
    expect(page.locator(".sets li")).to_have_count(1)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    assert total(view) >= there
    bars = page.get_by_role("list", name="Score of each repetition").locator("li")
    expect(bars).to_have_count(total(view))
    server.wait_until("/sessions", lambda answer: answer["sessions"] == [])
    view.check()


def test_a_reload_while_a_file_is_played(view, server):
    page = view.page
    page.set_input_files("input[type=file]", ROOT / "sample-video.mp4")
    before = count_beyond(view, 0)
    page.reload()
    page.get_by_role("heading", name="Well done").wait_for()
    expect(page.locator("#notice")).to_contain_text("has to be opened again")
    assert total(view) >= before
    server.wait_until("/sessions", lambda answer: answer["sessions"] == [])
    view.check()


def test_a_page_that_the_browser_kept(view):
    """As going back brings it, without loading it anew: its views have ended."""
    page = view.page
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
    with page.expect_event("load"):
        page.evaluate(f"void setTimeout(() => {back})")
    begin(view)
    view.check()


def test_what_would_end_it_asks(view):
    page = view.page
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    before = begin(view)
    page.close(run_before_unload=True)
    count_beyond(view, before)
    assert asked == ["beforeunload"]
    go(view, "Find")
    page.get_by_role("button", name="Take one").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Your training has the camera.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Take it in 3 s")).to_be_hidden()
    go(view, "Train")
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("heading", name="Well done").wait_for()
    # There is nothing to lose now.
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
