"""The page's history: what is kept, drawn and listed; taken away, shared and deleted."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from server.history.opening import open_database
from server.history.training import Draft
from server.security import tokens
from server.security.identity import Scope
from tests.browser.views import opened
from tests.support.server import COUNTER, running_server
from tests.support.trainer import told

SECRET = "for the tests of the page, and nothing else"
FLAGS = ("--analyzers", COUNTER, "--workers", "1")
TRAINER = "tests.support.trainer:Trainer"
WEEK_MS = 7 * 86_400_000
KEPT = "This server keeps trainings: exercises, repetitions and their figures. No pictures."
NOTHING = "\N{EN DASH}"
NAME = "localStorage.setItem('kinecast.name', 'Änn B.');"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="module")
def server(chromium, folder):
    with running_server(folder, *FLAGS, "--database", "default") as running:
        running.wait_until("/health", lambda now: now["history"]["written"])
        yield running


@pytest.fixture(scope="module")
def guarded(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    flags = ("--database", "default", "--auth-secret", SECRET)
    with running_server(folder, *FLAGS, *flags) as running:
        fill(folder, "subject:ann")
        yield running


def fill(folder, key, weeks=12):
    """Trainings of some weeks, which get better; one week is left out."""
    store, _ = open_database("default", folder / "data" / "kinecast" / "history.sqlite")
    store.open()
    now_ms = time.time_ns() // 1_000_000
    for week in range(weeks):
        if week == 4:
            continue
        began_ms = now_ms - (weeks - 1 - week) * WEEK_MS
        draft = Draft(key, None, f"{week:016x}", began_ms, told_at_ms=began_ms + 600_000)
        for number in range(5 + week):
            draft.add(told(number) | {"score": 60.0 + 3 * week})
        for number in range(4):
            draft.add(told(number, "lunge", 100_000))
        if week % 2:
            summary = {"exercises": {"plank": {"held_s": 30.0 + week, "mean_score": 80.0}}}
            draft.sum_up({"exercise_summary": summary})
        store.save(draft.training())
    store.close()


def rows(page):
    """The chart's table, as a screen reader has it: a row's cells."""
    return [row.split("\t") for row in page.locator(".progress tbody").inner_text().split("\n")]


def show(page, exercise, figure):
    page.get_by_label("Exercise", exact=True).select_option(label=exercise)
    page.get_by_label("Shown", exact=True).select_option(label=figure)


def test_progress_is_drawn_and_told(browser, server, folder, tmp_path):
    fill(folder, "name:Ann-B.")
    with opened(browser, server.url, "history", script=NAME) as view:
        page = view.page
        expect(page.locator(".history header [role=status]")).to_have_text("11 trainings")
        expect(page.get_by_text("everybody here can see them")).to_be_visible()
        show(page, "Squat", "Repetitions")
        table = page.get_by_role("table", name="Repetitions, Squat")
        expect(table.get_by_role("row")).to_have_count(12)
        values = [row[-1] for row in rows(page)]
        assert values == [str(5 + week) if week != 4 else "0" for week in range(12)]
        expect(page.locator(".progress rect")).to_have_count(11)
        show(page, "Squat", "Score")
        assert [row[-1] for row in rows(page)][3:6] == ["69", NOTHING, "75"]
        expect(page.locator(".progress circle")).to_have_count(11)
        assert page.locator(".progress path").get_attribute("d").count("M") == 2
        view.check_looks(tmp_path, "history")
        show(page, "Squat", "Range of motion, degrees")
        assert {row[-1] for row in rows(page)} == {"100", NOTHING}
        show(page, "Plank", "Seconds held")
        assert [row[-1] for row in rows(page)][-1] == "41"
        show(page, "Plank", "Range of motion, degrees")
        expect(page.get_by_text("There are no such figures of this exercise.")).to_be_visible()
        items = page.locator(".trainings ol > li")
        expect(items).to_have_count(10)
        expect(items.first).to_contain_text("Squat · 16 repetitions · 100° · Score 93")
        page.get_by_role("button", name="Show more").click()
        expect(items).to_have_count(11)
        expect(items.last).to_be_focused()
        view.check()


def test_it_is_said_in_every_view_and_only_where_it_is_so(browser, server, guarded):
    for name in ("train", "find", "camera", "sessions", "history"):
        with opened(browser, server.url, name) as view:
            expect(view.page.get_by_text(KEPT)).to_be_visible()
            expect(view.page.get_by_role("link", name="History")).to_be_visible()


def test_where_nothing_is_kept_there_is_no_word_of_it(browser, chromium, tmp_path):
    with running_server(tmp_path, *FLAGS) as server:
        with opened(browser, server.url, "sessions") as view:
            expect(view.page.locator("header [role=status]").first).to_have_text("0 sessions")
            expect(view.page.get_by_text(KEPT)).to_be_hidden()
            expect(view.page.get_by_role("link", name="History")).to_be_hidden()
            view.check()
        with opened(browser, server.url, "history") as view:
            expect(
                view.page.get_by_text("This server keeps no trainings: it is started")
            ).to_be_visible()
            view.check(failing=True)


def test_choose_a_name_and_whose_to_see(browser, server, folder, tmp_path):
    fill(folder, "name:Carl", 2)
    with opened(browser, server.url, "history") as view:
        page = view.page
        page.get_by_label("Whose trainings").select_option("Carl")
        status = page.locator(".history header [role=status]")
        expect(status).to_have_text("2 trainings")
        page.get_by_label("Your name, as in Train").fill("Nobody else")
        expect(status).to_have_text(re.compile("^Nothing is kept yet"))
        assert page.evaluate("localStorage.getItem('kinecast.name')") == "Nobody else"
        view.check_looks(tmp_path, "history-nothing")
        page.get_by_label("Your name, as in Train").fill("Carl")
        expect(status).to_have_text("2 trainings")
        view.check()


def test_take_them_away(browser, server, folder):
    fill(folder, "name:Dora", 2)
    script = "localStorage.setItem('kinecast.name', 'Dora');"
    with opened(browser, server.url, "history", script=script) as view:
        files = {}
        for form in ("JSON", "CSV"):
            with view.page.expect_download() as download:
                view.page.get_by_role("link", name=f"Download: {form}").click()
            assert download.value.suggested_filename == f"kinecast-Dora.{form.lower()}"
            files[form] = download.value.path().read_text()
        assert len(json.loads(files["JSON"])["trainings"]) == 2
        assert files["CSV"].startswith("training,began_at,set,number,exercise,start_s")
        view.check()


def test_delete_everything(browser, server, folder):
    fill(folder, "name:Emil", 3)
    path = folder / "data" / "kinecast"
    script = "localStorage.setItem('kinecast.name', 'Emil');"
    with opened(browser, server.url, "history", script=script) as view:
        page = view.page
        button = page.get_by_role("button", name="Delete everything")
        button.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Delete all 3 trainings of Emil for good?")
        dialog.get_by_role("button", name="Cancel").click()
        assert len(server.get("/athletes/Emil/trainings")["trainings"]) == 3
        button.focus()
        page.keyboard.press("Enter")
        dialog.get_by_role("button", name="Delete everything").click()
        expect(page.locator("#notice")).to_have_text("3 trainings were deleted.")
        expect(page.locator(".history header [role=status]")).to_have_text(
            re.compile("^Nothing is kept yet")
        )
        assert server.get("/athletes/Emil/trainings")["trainings"] == []
        assert not any(b"name:Emil" in each.read_bytes() for each in path.iterdir())
        view.check()


def test_share_with_a_coach_who_then_sees_it(browser, guarded, tmp_path):
    def link(name, *scopes):
        token = tokens.issue(SECRET, scopes, 600, name)
        return f"sessionStorage.setItem('kinecast.token', '{token}');"

    ann, coach = link("ann", Scope.PUBLISH, Scope.VIEW), link("coach.bob", Scope.COACH, Scope.VIEW)
    with opened(browser, guarded.url, "history", script=coach) as view:
        status = view.page.locator(".history header [role=status]")
        expect(status).to_have_text(re.compile("^Nothing is kept yet"))
    with opened(browser, guarded.url, "history", script=ann) as view:
        page = view.page
        expect(page.get_by_text("Only you, a coach you share with")).to_be_visible()
        page.get_by_label("Share with a coach").fill("coach.bob")
        page.get_by_role("button", name="Share", exact=True).click()
        expect(page.locator("#notice")).to_have_text("coach.bob can see your trainings.")
        view.check_looks(tmp_path, "history-shared")
        with opened(browser, guarded.url, "history", script=coach) as theirs:
            theirs.page.get_by_label("Whose trainings").select_option("ann")
            status = theirs.page.locator(".history header [role=status]")
            expect(status).to_have_text("11 trainings")
            expect(theirs.page.get_by_role("button", name="Delete everything")).to_have_count(0)
            expect(theirs.page.get_by_label("Share with a coach")).to_have_count(0)
            theirs.check()
        page.get_by_role("button", name="Take back: coach.bob").click()
        expect(page.locator("#notice")).to_have_text("coach.bob can see them no longer.")
        view.check()


def test_a_training_on_the_page_is_there_afterwards(browser, chromium, tmp_path):
    flags = ("--analyzers", TRAINER, "--workers", "1", "--database", "default")
    with (
        running_server(tmp_path, *flags) as server,
        opened(browser, server.url, "train", script=NAME) as view,
    ):
        page = view.page
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".chip")).to_have_attribute("data-code", "live")
        # Whoever trains has the whole screen.
        expect(page.get_by_text(KEPT)).to_be_hidden()
        server.wait_until(
            "/athletes/Ann-B./trainings",
            lambda now: now["trainings"] and now["trainings"][0]["sets"][0]["reps"] == 3,
        )
        page.get_by_role("button", name="Finish").click()
        expect(page.get_by_role("button", name="Train again")).to_be_visible()
        path = "/athletes/Ann-B./trainings"
        server.wait_until(path, lambda now: len(now["trainings"][0]["sets"]) == 2)
        page.get_by_role("link", name="History").click()
        training = page.locator(".trainings ol > li")
        expect(training).to_contain_text(re.compile(r"Squat · 3 repetitions.*Plank · 12 s"))


def test_in_german(browser, server, folder, tmp_path):
    fill(folder, "name:Ann-B.", 2)
    with opened(browser, server.url, "history", script=NAME, language="de") as view:
        expect(view.page.get_by_role("heading", level=1)).to_have_text("Was du geschafft hast")
        expect(view.page.get_by_role("button", name="Alles löschen")).to_be_visible()
        view.check_looks(tmp_path, "history-german")
        # Five tabs with the longer names have room everywhere.
        for width in (320, 390, 704, 705, 768, 844, 960, 961, 1024):
            view.page.set_viewport_size({"width": width, "height": 390})
            assert view.page.evaluate("document.documentElement.scrollWidth") <= width
        view.check()
