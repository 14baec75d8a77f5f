"""What a training on the page survives: a killed worker, a lost connection, a full server."""

import os
import signal

import psutil
import pytest
from playwright.sync_api import expect

from server.security import tokens
from server.security.identity import Scope
from tests.browser.training import squats, write_clip
from tests.browser.views import opened
from tests.support import hanging
from tests.support.server import running_server

ANALYZERS = ("--analyzers", "pose,exercise", "--workers", "1")
SECRET = "for the tests of the page, and nothing else"
# Every connection that the page makes, to be lost.
COLLECT = """window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...settings) {
    super(...settings);
    peers.push(this);
  }
};"""
# All that the count has shown, and the state's codes, from then on.
WATCH = """() => {
  window.numbers = [];
  window.codes = [];
  const [number, chip] = [".number", ".chip"].map((each) => document.querySelector(each));
  new MutationObserver(() => numbers.push(Number(number.textContent)))
    .observe(number, { childList: true, characterData: true, subtree: true });
  new MutationObserver(() => codes.push(chip.dataset.code))
    .observe(chip, { attributes: true, attributeFilter: ["data-code"] });
}"""
NUMBER = "Number(document.querySelector('.number').textContent)"
COUNTED_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "squats.mjpeg", squats())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), *ANALYZERS) as running:
        yield running


@pytest.fixture(scope="module")
def guarded_server(chromium, tmp_path_factory):
    """A server that asks for tokens and has room for one."""
    flags = (*ANALYZERS, "--auth-secret", SECRET, "--max-sessions", "1")
    with running_server(tmp_path_factory.mktemp("guarded"), *flags) as running:
        yield running


def begin(view):
    view.page.get_by_role("button", name="Start the camera").click()
    expect(view.page.locator(".chip")).to_have_attribute("data-code", "live", timeout=60_000)
    view.page.evaluate(WATCH)


def count_beyond(view, number):
    view.wait_until(f"{NUMBER} > {number}", COUNTED_WITHIN_S)
    return view.page.evaluate(NUMBER)


def is_rising(numbers):
    return numbers == sorted(set(numbers))


def test_a_killed_worker(browser, server):
    with opened(browser, server.url, "train") as view:
        begin(view)
        before = count_beyond(view, 1)
        os.kill(server.get("/health")["workers"][0]["pid"], signal.SIGKILL)
        expect(view.page.locator("#notice")).to_contain_text("analysis is starting again")
        assert view.page.evaluate(NUMBER) >= before
        count_beyond(view, before + 1)
        expect(view.page.locator("#notice")).to_be_hidden()
        assert is_rising(view.page.evaluate("numbers"))
        assert view.page.evaluate("codes") == ["restarting", "live"]
        finish(view, view.page.evaluate(NUMBER))
        view.check()


def test_a_lost_connection(browser, server):
    with opened(browser, server.url, "train", script=COLLECT) as view:
        begin(view)
        before = count_beyond(view, 1)
        (session,) = server.get("/sessions")["sessions"]
        view.page.evaluate("peers.at(-1).close()")
        expect(view.page.locator("#notice")).to_contain_text("your count goes on")
        count_beyond(view, before + 1)
        assert view.page.evaluate("peers.length") == 2
        assert view.page.evaluate("codes") == ["reconnecting", "live"]
        assert is_rising(view.page.evaluate("numbers"))
        (resumed,) = server.get("/sessions")["sessions"]
        assert resumed["id"] == session["id"]
        finish(view, view.page.evaluate(NUMBER))
        view.check()


def test_a_server_that_hangs(browser, camera_clip, tmp_path):
    with (
        running_server(tmp_path, *ANALYZERS, command=hanging.COMMAND, watched=True) as server,
        opened(browser, server.url, "train") as view,
    ):
        begin(view)
        before = count_beyond(view, 1)
        (session,) = server.get("/sessions")["sessions"]
        (media,) = psutil.Process(server.process.pid).children()
        media.send_signal(signal.SIGUSR1)
        expect(view.page.locator("#notice")).to_contain_text("your count goes on", timeout=60_000)
        counted = view.page.evaluate("numbers.length")
        view.wait_until(f"numbers.length > {counted}", COUNTED_WITHIN_S)
        codes = view.page.evaluate("codes")
        # Live again, it is told that the analyzers began anew.
        assert codes[-3:] == ["live", "restarting", "live"]
        assert set(codes[:-3]) == {"reconnecting"}
        (resumed,) = server.get("/sessions")["sessions"]
        assert (resumed["id"], resumed["restarts"]) == (session["id"], 1)
        # After so long a rest another set may have begun; both are told of.
        finish(view, before + 1)


def finish(view, counted):
    """The summary has all that was counted, before and after."""
    view.page.get_by_role("button", name="Finish").click()
    view.page.get_by_role("heading", name="Well done").wait_for()
    told = view.page.locator(".summary-head p").first.inner_text()
    assert int(told.split()[0]) >= counted


def test_counting_aloud_when_asked_to(browser, server):
    script = "window.spoken = []; speechSynthesis.speak = ({ text }) => spoken.push(text);"
    with opened(browser, server.url, "train", script=script) as view:
        begin(view)
        count_beyond(view, 0)
        assert view.page.evaluate("spoken") == []
        switch = view.page.get_by_role("switch", name="Coach aloud")
        switch.focus()
        view.page.keyboard.press("Space")
        expect(switch).to_be_checked()
        before = view.page.evaluate(NUMBER)
        view.wait_until("spoken.length >= 2", COUNTED_WITHIN_S)
        assert view.page.evaluate("spoken.slice(0, 2)") == [str(before + 1), str(before + 2)]


def test_a_session_that_the_server_ends_says_so(browser, server):
    with opened(browser, server.url, "train") as view:
        begin(view)
        before = count_beyond(view, 0)
        # One whose page was closed before waits for it to come back.
        now = [s for s in server.get("/sessions")["sessions"] if s["state"] == "streaming"]
        server.delete(f"/sessions/{now[-1]['id']}")
        view.page.get_by_role("heading", name="Well done").wait_for()
        expect(view.page.locator("#notice")).to_contain_text("The server ended the session")
        told = view.page.locator(".summary-head p").first.inner_text()
        assert int(told.split()[0]) >= before
        view.check()


def test_finishing_while_the_connection_is_lost(browser, server):
    with opened(browser, server.url, "train", script=COLLECT) as view:
        begin(view)
        before = count_beyond(view, 0)
        view.page.evaluate("peers.at(-1).close()")
        expect(view.page.locator("#notice")).to_contain_text("trying again")
        finish(view, before)


def test_a_token_that_expired_and_a_full_server(browser, guarded_server):
    url = guarded_server.url
    expired = tokens.issue(SECRET, [Scope.PUBLISH], 60, now_s=1_000_000)
    token = tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600, "somebody")
    with opened(browser, url, "train", script=COLLECT) as first:
        first.page.goto(f"{url}/#train&token={expired}")
        expect(first.page).to_have_url(f"{url}/#train")
        first.page.get_by_role("button", name="Start the camera").click()
        give_token(first, token)
        expect(first.page.locator(".chip")).to_have_attribute("data-code", "live", timeout=60_000)
        with opened(browser, url, "train") as second:
            second.page.get_by_role("button", name="Start the camera").click()
            give_token(second, token)
            notice = second.page.locator("#notice")
            expect(notice).to_contain_text("no room")
            expect(notice).to_contain_text("trying again in")
            first.page.get_by_role("button", name="Finish").click()
            chip = second.page.locator(".chip")
            expect(chip).to_have_attribute("data-code", "live", timeout=60_000)
            expect(notice).to_be_hidden()
            # What browsers say of a refused socket by themselves.
            second.problems = [p for p in second.problems if not p.startswith("WebSocket")]
            second.check(failing=True)


def give_token(view, token):
    dialog = view.page.get_by_role("dialog", name="This server asks who you are")
    dialog.get_by_label("Token").fill(token)
    view.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_a_token_that_does_not_allow_it(browser, guarded_server):
    token = tokens.issue(SECRET, [Scope.VIEW], 600)
    with opened(browser, guarded_server.url, "train") as view:
        view.page.goto(f"{guarded_server.url}/#train&token={token}")
        expect(view.page).to_have_url(f"{guarded_server.url}/#train")
        view.page.get_by_role("button", name="Start the camera").click()
        expect(view.page.locator("#notice")).to_contain_text("not allowed")
        expect(view.page.get_by_role("button", name="Start the camera")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NotAllowedError", "The camera is blocked. Allow it"),
        ("NotFoundError", "No camera was found. Connect one"),
        ("NotReadableError", "Another program is using the camera. Close it"),
    ],
)
def test_no_camera(browser, server, name, said):
    # What browsers do when a person refuses, or there is none.
    script = f"""MediaDevices.prototype.getUserMedia = async () => {{
      throw new DOMException("", "{name}");
    }};"""
    with opened(browser, server.url, "train", script=script) as view:
        view.page.get_by_role("button", name="Start the camera").click()
        expect(view.page.locator("#notice")).to_contain_text(said)
        view.check()


def test_a_page_without_https(browser, server, chromium):
    # By a name that is not localhost; the browser knows where it is.
    rules = "--host-resolver-rules=MAP camera.lan 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    running = browser.browser_type.launch(executable_path=chromium, args=["--no-sandbox", rules])
    try:
        url = f"http://camera.lan:{server.port}"
        with opened(running, url, "train") as view:
            view.page.get_by_role("button", name="Start the camera").click()
            expect(view.page.locator("#notice")).to_contain_text("secure pages only")
            expect(view.page.locator("#notice")).to_contain_text("--self-signed")
    finally:
        running.close()


def test_a_link_says_whose_token_it_brings_and_replaces_none_in_silence(browser, guarded_server):
    url = guarded_server.url
    mine, theirs = (
        tokens.issue(SECRET, [Scope.PUBLISH, Scope.VIEW], 600, name) for name in ("ann", "mallory")
    )
    kept = "() => sessionStorage.getItem('kinecast.token')"
    with opened(browser, url, "train") as view:
        notice = view.page.locator("#notice")
        view.page.goto(f"{url}/#train&token={mine}")
        expect(notice).to_contain_text("here as ann")
        view.page.goto(f"{url}/#sessions&token={theirs}")
        expect(notice).to_contain_text("for mallory")
        assert view.page.evaluate(kept) == mine
        view.page.goto(f"{url}/#token={theirs}")
        expect(notice).to_contain_text("for mallory")
        assert view.page.evaluate(kept) == mine
        notice.get_by_role("button", name="Go on as mallory").click()
        view.page.wait_for_function(f"({kept})() === '{theirs}'")
        expect(notice).to_be_hidden()
        view.check(failing=True)
