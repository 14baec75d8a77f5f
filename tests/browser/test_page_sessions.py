"""The page's sessions view: real sessions of another tab, watched."""

import contextlib
import re

import pytest
from playwright.sync_api import expect

from server.security import tokens
from server.security.identity import Scope
from tests.browser.views import opened
from tests.support.server import COUNTER, free_port, running_server

SECRET = "for the tests of the page, and nothing else"
FLAGS = ("--analyzers", "pose,exercise", "--workers", "1")
PLAYED = "document.querySelector('.watching video').getVideoPlaybackQuality().totalVideoFrames"
# By the client that the page itself is made with.
STREAM = """async ({ name, analyzers }) => {
  const { Kinecast } = await import("/web/kinecast.js");
  window.stream = await navigator.mediaDevices.getUserMedia({ video: true });
  window.kinecast = new Kinecast(location.origin, { name, analyzers });
  return (await kinecast.start(stream)).id;
}"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("sessions"), *FLAGS) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "sessions") as view:
        yield view


@pytest.fixture
def athlete(browser, server):
    """Streams in a tab of its own, published as "yard"; gives the tab."""
    with streaming(browser, server.url, name="yard") as page:
        yield page


@contextlib.contextmanager
def streaming(browser, url, **settings):
    """Stream in a tab of its own; the session ends afterwards."""
    with contextlib.closing(browser.new_context(permissions=["camera"])) as context:
        page = context.new_page()
        page.goto(f"{url}/docs")
        page.session = page.evaluate(STREAM, settings)
        yield page
        page.evaluate("kinecast.stop()")


def row(view, name):
    return view.page.get_by_role("row").filter(has=view.page.get_by_role("button", name=name))


def watch(view, name="yard"):
    """Choose a session by keyboard; returns what is shown of it, when its picture moves."""
    button = view.page.get_by_role("button", name=name, exact=True)
    button.focus()
    view.page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    view.wait_until(f"{PLAYED} > 5")
    return view.page.get_by_role("region", name=f"Watching {name}")


def test_nobody_streams(view, tmp_path):
    expect(view.page.get_by_text("Nobody is streaming now.")).to_be_visible()
    expect(view.page.get_by_role("table")).to_be_hidden()
    expect(view.page.locator(".workers")).to_have_text("Worker 0: 0 sessions")
    view.check_looks(tmp_path, "nobody")
    view.check()


def test_who_streams_and_how_it_goes(view, athlete, server):
    yard = row(view, "yard")
    expect(yard.locator(".state")).to_have_text("Streams")
    expect(yard.locator(".latency")).to_contain_text("ms")
    expect(yard.locator(".worker")).to_have_text("0")
    expect(view.page.locator(".workers")).to_have_text("Worker 0: 1 session")
    told = server.get(f"/sessions/{athlete.session}")
    assert told["latency_ms"] > 0
    athlete.evaluate("kinecast.stop()")
    expect(yard).to_have_count(0)
    view.check()


def test_watch_with_results(view, athlete, tmp_path):
    shown = watch(view)
    expect(shown.locator(".badge")).to_have_text("Live, as the analyzers see it")
    # The sample begins with squats.
    expect(shown.locator(".exercise")).to_have_text("Squat")
    view.wait_until("Number(document.querySelector('.watching .count').textContent) >= 1")
    expect(shown.get_by_text("waiting")).to_contain_text("pose")
    view.check_looks(tmp_path, "watching")
    # On a turned phone, too, results are beside the picture; the count takes its own height.
    view.page.set_viewport_size({"width": 844, "height": 390})
    picture, results, count = (
        shown.locator(part).bounding_box() for part in (".screen", ".coach", ".count")
    )
    assert results["x"] >= picture["x"] + picture["width"]
    assert count["height"] < 100
    shown.get_by_role("button", name="Close").click()
    expect(shown).to_have_count(0)
    view.check()


def test_everybody_at_a_glance(browser, server, view, athlete, tmp_path):
    """Who does what, with pictures that change; one tapped is seen closely, with all its values."""
    with streaming(browser, server.url, name="hall"):
        wall = view.page.get_by_role("list", name="Everybody at a glance")
        expect(wall.get_by_role("button")).to_have_count(2)
        tile = wall.get_by_role("button").filter(has_text="yard")
        expect(tile).to_contain_text(re.compile(r"Squat · [1-9]"))
        picture = "document.querySelector('.wall img')"
        view.wait_until(f"{picture}.naturalWidth === 320")
        source = view.page.evaluate(f"{picture}.src")
        view.wait_until(f"{picture}.src !== '{source}' && {picture}.naturalWidth === 320")
        view.check_looks(tmp_path, "wall")
        tile.focus()
        view.page.keyboard.press("Enter")
        expect(tile).to_have_attribute("aria-pressed", "true")
        shown = view.page.get_by_role("region", name="Watching yard")
        shown.get_by_text("All values").click()
        expect(shown.locator(".tree")).to_contain_text("exercise")
        view.check_looks(tmp_path, "wall-watching")
    expect(wall.get_by_role("button")).to_have_count(1)
    view.check()


def test_the_annotated_picture_has_a_skeleton(view, athlete):
    watch(view)
    view.wait_until(
        """(() => {
          const video = document.querySelector(".watching video");
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [640, 480];
          const pen = canvas.getContext("2d");
          pen.drawImage(video, 0, 0, 640, 480);
          const { data } = pen.getImageData(0, 0, 640, 480);
          let orange = 0;
          for (let at = 0; at < data.length; at += 4) {
            orange += data[at] > 215 && Math.abs(data[at + 1] - 140) < 35 && data[at + 2] < 85;
          }
          return orange > 100;
        })()"""
    )
    view.check()


def test_a_session_without_a_name(browser, server, view):
    with streaming(browser, server.url, analyzers=["pose"]) as page:
        shown = watch(view, "Guest 1")
        expect(shown.get_by_text("No exercise so far.")).to_be_visible()
        expect(row(view, "Guest 1").get_by_title(page.session)).to_be_visible()
        view.check()


def test_a_session_that_ends_while_it_is_watched(view, athlete):
    shown = watch(view)
    athlete.evaluate("kinecast.stop()")
    expect(shown.get_by_text("This session has ended.")).to_be_visible()
    expect(row(view, "yard")).to_have_count(0)
    view.check()


def test_a_camera_that_sends_nothing(view, athlete, server):
    yard = row(view, "yard")
    expect(yard.locator(".state")).to_have_text("Streams")
    athlete.evaluate("kinecast.peer.getSenders()[0].replaceTrack(null)")
    expect(yard.locator(".state")).to_have_text("Sends no pictures")
    expect(yard.locator(".rates")).to_have_text("0 → 0 per second")
    view.check()


def test_what_a_session_came_to(view, athlete):
    shown = watch(view)
    view.wait_until("Number(document.querySelector('.watching .count').textContent) >= 1", 60)
    athlete.evaluate("kinecast.stop()")
    totals = shown.get_by_role("list", name="What it came to")
    expect(totals.get_by_role("listitem").first).to_contain_text("Squat · ")
    expect(totals.get_by_role("listitem").first).to_contain_text("Score")
    view.check()


def test_who_trains_under_a_name(browser, server, view):
    with opened(browser, server.url, "train") as training:
        training.page.get_by_label("Your name").fill("Jörg B.")
        training.page.get_by_role("button", name="Start the camera").click()
        expect(row(view, "Jorg-B.")).to_have_count(1)
        training.page.get_by_role("button", name="Finish").click()
        expect(row(view, "Jorg-B.")).to_have_count(0)


def test_end_a_session(view, athlete, server):
    row(view, "yard").get_by_role("button", name="End").click()
    view.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert server.get(f"/sessions/{athlete.session}")["state"] == "streaming"
    row(view, "yard").get_by_role("button", name="End").click()
    view.page.get_by_role("dialog").get_by_role("button", name="End").click()
    expect(row(view, "yard")).to_have_count(0)
    assert server.get(f"/sessions/{athlete.session}")["end_reason"] == "ended over HTTP"
    view.check()


def test_a_server_that_is_started_again(browser, chromium, tmp_path):
    port = free_port()
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with contextlib.ExitStack() as tabs:
        with running_server(tmp_path, *flags, port=port) as first:
            view = tabs.enter_context(opened(browser, first.url, "sessions"))
            with streaming(browser, first.url, name="yard"):
                watch(view)
                first.stop()
                status = view.page.locator("header [role=status]").first
                expect(status).to_contain_text("can not be reached")
        with running_server(tmp_path, *flags, port=port):
            expect(status).to_have_text("0 sessions")
            gone = view.page.get_by_text("The server no longer knows this session.")
            ended = view.page.get_by_text("This session has ended.")
            expect(gone.or_(ended)).to_be_visible()
            view.check(failing=True)


def test_without_a_token_it_asks_once(browser, chromium, tmp_path):
    flags = ("--analyzers", COUNTER, "--workers", "1", "--auth-secret", SECRET)
    with (
        running_server(tmp_path, *flags) as guarded,
        opened(browser, guarded.url, "sessions") as view,
    ):
        dialog = view.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Cancel").click()
        notice = view.page.locator("#notice")
        expect(notice).to_contain_text("Your access has expired or is missing.")
        asked = len(view.requested)
        notice.get_by_role("button", name="Token").click()
        assert len(view.requested) == asked
        token = tokens.issue(SECRET, [Scope.VIEW], 600)
        dialog.get_by_label("Token", exact=True).fill(token)
        dialog.get_by_role("button", name="Use it").click()
        status = view.page.locator("header [role=status]").first
        expect(status).to_have_text("0 sessions")
        view.check(failing=True)


def test_an_analyzer_that_fails(browser, chromium, tmp_path):
    """Shown to who comes later, in the list and in what is watched."""
    flags = ("--analyzers", f"{COUNTER},tests.support.models:Broken", "--workers", "1")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(tmp_path, *flags))
        page = stack.enter_context(streaming(browser, server.url, name="yard"))
        failing = f"/sessions/{page.session}"
        server.wait_until(failing, lambda session: session["problems"])
        view = stack.enter_context(opened(browser, server.url, "sessions"))
        said = "broken is not working: RuntimeError: no weights"
        expect(row(view, "yard")).to_contain_text(said)
        shown = watch(view)
        expect(shown.get_by_role("alert")).to_have_text(said)
        view.check_looks(tmp_path, "failing")
        view.check()


def test_in_german(browser, server):
    with opened(browser, server.url, "sessions", language="de") as view:
        expect(view.page.get_by_text("Gerade sendet niemand.")).to_be_visible()
        view.check()
