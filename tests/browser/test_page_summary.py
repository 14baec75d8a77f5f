"""The page's summary of long trainings: one that was kept in the tab, as after a reload."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.views import SIZES, opened, pages_of
from tests.support.server import COUNTER, running_server

# Everything that is to be seen is in the window, from its left to its right.
INSIDE = """(selector) => [...document.querySelectorAll(selector)].every((each) => {
  const { left, right, width } = each.getBoundingClientRect();
  const card = each.closest(".card")?.getBoundingClientRect() ?? { left: 0, right: innerWidth };
  return width > 12 && left >= card.left && right <= card.right && right <= innerWidth;
})"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), "--analyzers", COUNTER) as running:
        yield running


def repetition(number: int, exercise: str = "squat") -> dict:
    """As the exercise analyzer tells of one."""
    start_ms = 3000.0 * number
    return {
        "exercise": exercise,
        "start_ms": start_ms,
        "turn_ms": start_ms + 1200,
        "end_ms": start_ms + 2400,
        "range_of_motion": 0.82,
        "range_deg": {"left_knee": [78, 171], "right_knee": [80, 170]},
        "tempo_s": {"down": 1.2, "hold": 0.1, "up": 1.1},
        "score": 60.0 + number % 40,
        "score_parts": dict.fromkeys(
            ("depth", "alignment", "symmetry", "tempo", "steadiness"), 80.0
        ),
        "faults": ["squat_shallow"] if number % 4 == 0 else [],
    }


def kept(repetitions: list[dict]) -> str:
    """A script that puts the summary of such a training where the page keeps it."""
    exercises = [
        {
            "exercise": name,
            "reps": sum(each["exercise"] == name for each in repetitions),
            "held_s": 0,
            "mean_score": 80.0,
            "best_score": 99.0,
            "most_frequent_fault": "squat_shallow",
            "often": True,
        }
        for name in dict.fromkeys(each["exercise"] for each in repetitions)
    ]
    summary = {"exercises": exercises, "repetitions": repetitions}
    what = json.dumps({"kind": "summary", "summary": summary, "session": None})
    return f"sessionStorage.setItem('kinecast.training', {json.dumps(what)})"


@pytest.mark.parametrize("count", [11, 20, 100])
def test_every_repetition_is_to_be_seen(browser, server, tmp_path, count):
    script = kept([repetition(number) for number in range(count)])
    with opened(browser, server.url, "train", script=script) as view:
        page = view.page
        bars = page.get_by_role("list", name="Score of each repetition").locator("li")
        expect(bars).to_have_count(count)
        for width, height in (*SIZES.values(), (320, 640), (844, 390), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for what in (".bars li", ".summary button", ".tabs a:not([hidden])"):
                assert page.evaluate(INSIDE, what), f"{what} at {width}x{height}"
        rows = page.locator(".repetitions tbody")
        expect(rows).to_have_count(count)
        # Those with faults first, and each with what is to be said of it.
        faulty = len([number for number in range(count) if number % 4 == 0])
        expect(page.locator(".repetitions .faults")).to_have_count(faulty)
        expect(rows.first).to_contain_text("78\u2013171°")
        expect(rows.nth(faulty - 1)).to_contain_text("Go deeper")
        expect(rows.nth(faulty)).not_to_contain_text("Go deeper")
        # Nothing is left of the skeletons after a reload.
        expect(page.get_by_role("button", name="Watch again")).to_have_count(0)
        view.check_looks(tmp_path, f"summary-{count}")
        pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
        assert pages_of(pdf) == 1
        view.check()
