"""A plan that a coach made, as a link: sets, rests, its end; and links that are none."""

import base64
import json

import pytest
from playwright.sync_api import expect

from analyzers.exercise.definitions import definitions
from tests.browser.training import squats, write_clip
from tests.browser.views import View, opened
from tests.support.server import running_server

PLAN = {"name": "Monday", "steps": [["squat", 2, 1, 5]]}
TURNED = {"width": 844, "height": 390}


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
        yield view


def link(plan: object) -> str:
    text = json.dumps(plan, separators=(",", ":")).encode()
    return "#plan=" + base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def follow(view: View, fragment: str) -> None:
    """Open a link as it comes from somebody: in a tab of its own."""
    url = view.page.url.partition("#")[0]
    view.page.goto("about:blank")
    view.page.goto(url + fragment)
    view.page.locator(".choices").wait_for()


def test_a_plan_is_followed_to_its_end(view, tmp_path):
    page = view.page
    follow(view, link(PLAN))
    expect(page.get_by_label("Its name").first).to_have_value("Monday")
    view.check_looks(tmp_path, "plan")
    # The server is told nothing of it.
    assert [each for each in view.requested if "plan=" in each.partition("#")[0]] == []
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("button", name="Start anyway").click()
    bar = page.locator(".goal p")
    expect(bar).to_have_text("Set 1 of 2 · 1 \N{MULTIPLICATION SIGN} Squat")
    # The first set is done by itself, and the rest begins.
    rest = page.locator('.coach[data-phase="rest"]')
    expect(rest).to_be_visible(timeout=90_000)
    expect(rest).to_contain_text("Then: 1 \N{MULTIPLICATION SIGN} Squat")
    page.set_viewport_size(TURNED)
    page.screenshot(path=tmp_path / "rest-turned.png")
    expect(bar).to_have_text("Set 2 of 2 · 1 \N{MULTIPLICATION SIGN} Squat")
    # It is over by itself, too; and then the second set, and the plan.
    expect(rest).to_be_hidden(timeout=60_000)
    page.get_by_role("heading", name="Well done").wait_for(timeout=90_000)
    # The squats of the rest are not among them.
    assert int(page.locator(".summary-head p").first.inner_text().split()[0]) == 2
    view.check()


def test_a_plan_is_made_and_shared(view):
    page = view.page
    page.get_by_text("Choose an exercise, follow a plan").click()
    page.get_by_role("button", name="Make a plan").click()
    page.get_by_label("Its name").first.fill("Dienstag")
    page.get_by_role("button", name="Add an exercise").click()
    second = page.locator(".plan li").nth(1)
    second.get_by_label("Exercise").select_option("plank")
    second.get_by_label("Repetitions or seconds").select_option("s")
    second = page.locator(".plan li").nth(1)
    second.get_by_label("seconds", exact=True).fill("9999")
    second.get_by_label("Sets").fill("2")
    second.get_by_label("Rest, s").fill("30")
    # On a phone, what takes an exercise away stands beside its name, not among the numbers.
    page.set_viewport_size({"width": 390, "height": 844})
    name, gone = second.get_by_label("Exercise"), second.get_by_role("button", name="Remove")
    assert (
        name.bounding_box()["y"]
        <= gone.bounding_box()["y"] + 12
        < second.get_by_label("Sets").bounding_box()["y"]
    )
    page.get_by_role("button", name="Share as a link").click()
    expect(page.locator("#notice")).to_contain_text("the server is not told of it")
    fragment = page.url.partition("#plan=")[2]
    told = json.loads(base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4)))
    # As much as there may be, whatever is typed.
    assert told == {"name": "Dienstag", "steps": [["squat", 3, 10, 60], ["plank", 2, "600s", 30]]}
    page.reload()
    expect(page.get_by_label("Its name").first).to_have_value("Dienstag")
    expect(page.locator(".plan li")).to_have_count(2)
    page.get_by_role("button", name="Train without it").click()
    assert page.url.endswith("#train")
    expect(page.locator(".plan")).to_have_count(0)
    view.check()


@pytest.mark.parametrize(
    ("fragment", "told"),
    [
        ("#plan=garbage!", "This link holds no plan that can be followed"),
        (link({"steps": [["squat", 10**9, 10, 60]]}), "it asks for too much"),
        (link({"name": "<img src=x onerror=alert(1)>", "steps": []}), "no plan that can be"),
        (link({"steps": [["headstand", 1, 1, 0]]}), "an exercise that is not here: headstand"),
    ],
    ids=["garbage", "too much", "markup", "strange"],
)
def test_a_link_that_is_no_plan(view, fragment, told):
    follow(view, fragment)
    expect(view.page.locator("#notice")).to_contain_text(told)
    expect(view.page.locator(".plan")).to_have_count(0)
    expect(view.page.get_by_role("button", name="Start the camera")).to_be_enabled()
    view.check()


def test_the_page_knows_the_servers_exercises(view):
    known = view.page.evaluate(
        "(async () => (await import('/web/views/train/plan.js')).EXERCISES)()"
    )
    assert set(known) == set(definitions())
