"""A whole training on the page: the sample as the camera, the sample as a file."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.training import TRUTH, true_sets, whole_sample, write_clip
from tests.browser.views import View, opened
from tests.support.server import running_server

# The sample, two thirds as fast, and what a busy machine needs beyond that.
TRAINED_WITHIN_S = 90.0
WATCH_NUMBER = """() => {
  window.shown = [];
  const number = document.querySelector(".number");
  const note = () => shown.push(number.textContent);
  const changes = { childList: true, characterData: true, subtree: true };
  new MutationObserver(note).observe(number, changes);
}"""
SETS = """[...document.querySelectorAll(".sets li")].reverse().map((item) =>
  [item.children[1].textContent, Number(item.children[2].textContent.slice(2))])"""
SLOWLY = """const { play } = HTMLMediaElement.prototype;
HTMLMediaElement.prototype.play = function () {
  if (this.src.includes("sample")) this.playbackRate = 0.6;
  return play.call(this);
};"""

# A far server, or one that has just been started.
LATE = """const { setRemoteDescription } = RTCPeerConnection.prototype;
RTCPeerConnection.prototype.setRemoteDescription = async function (...given) {
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return setRemoteDescription.apply(this, given);
};"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("camera") / "sample.mjpeg", whole_sample())


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


class Training:
    """What was to be seen of one, from the button to the summary.

    Attributes
    ----------
    view
        The tab, at the summary.
    sets, shown, status, said
        The list of sets, the numbers that the count showed, the line of the state, all that was
        said to screen readers.
    """

    def __init__(self, view: View, folder) -> None:
        self.view = view
        page = view.page
        page.evaluate("""() => {
          window.said = [];
          const region = document.querySelector("#polite");
          const note = () => said.push(region.textContent);
          new MutationObserver(note).observe(region, { childList: true });
        }""")
        press(page, "Start the camera")
        page.locator(".number").wait_for()
        page.evaluate(WATCH_NUMBER)
        wanted = [list(each) for each in true_sets()]
        view.wait_until(
            f"JSON.stringify({SETS}) === '{json.dumps(wanted, separators=(',', ':'))}'",
            TRAINED_WITHIN_S,
        )
        self.sets = page.evaluate(SETS)
        self.shown = page.evaluate("shown")
        self.said = page.evaluate("said")
        self.status = page.locator(".chip").inner_text()
        self.canvas = page.evaluate("""(() => {
          const canvas = document.querySelector(".stage canvas");
          return [canvas.width / canvas.clientWidth, devicePixelRatio];
        })()""")
        view.check_looks(folder, "live")
        press(page, "Finish")
        page.get_by_role("heading", name="Well done").wait_for()


def press(page, name):
    """Reach a button with Tab and press it with Enter, as who has no mouse does."""
    button = page.get_by_role("button", name=name)
    button.wait_for()
    for _ in range(20):
        if button.evaluate("(element) => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {name}")


@pytest.fixture(scope="module")
def training(browser, server, tmp_path_factory):
    with opened(browser, server.url, "train") as view:
        yield Training(view, tmp_path_factory.mktemp("screenshots"))


def test_the_count_is_the_truth(training):
    assert [tuple(each) for each in training.sets] == true_sets()


def test_the_number_ticks_with_each_repetition(training):
    ticks = [str(number) for _, times in true_sets() for number in range(1, times + 1)]
    # Who stood for long is believed with the second, and the first is told with it.
    assert training.shown in (ticks, ticks[1:])


def test_screen_readers_hear_each_count_and_no_chatter(training):
    assert [text for text in training.said if text in "321"][:3] == ["3", "2", "1"]
    said = training.said[training.said.index("Go") + 1 :]
    counts = [text for text in said if re.search(r"\d", text)]
    at_once = len(TRUTH["repetitions"]) - len(counts)
    assert at_once in (0, 1)
    assert counts[0] == f"Squat {1 + at_once}"
    # Beside the counts only a fault now and then.
    assert len(said) - len(counts) <= 3


def test_the_latency_is_shown_and_the_canvas_is_crisp(training):
    # A machine that does other things as well may look at few pictures, and then says so.
    assert re.fullmatch(r"Live · \d+ ms( · \d+ pictures a second)?", training.status)
    scale, pixels = training.canvas
    assert scale == pytest.approx(pixels, abs=0.01)


def test_the_summary(training, tmp_path):
    page = training.view.page
    for name, times in true_sets():
        card = page.locator(".summary .card").filter(has=page.get_by_role("heading", name=name))
        expect(card).to_contain_text(f"{times} repetition")
        expect(
            card.get_by_role("list", name="Score of each repetition").locator("li")
        ).to_have_count(times)
        assert 0 < int(card.locator(".ring-box").inner_text()) <= 100
        assert len(card.locator(".advice").inner_text()) > 10
        rows = card.locator(".repetitions tbody")
        expect(rows).to_have_count(times)
        expect(rows.first).to_contain_text("°")
    training.view.check_looks(tmp_path, "summary")


def test_the_json_file(training):
    told = json.loads(download(training, "Download as JSON"))
    assert told["units"]["score"] == "points of 100"
    assert len(told["repetitions"]) == len(TRUTH["repetitions"])
    assert [each["reps"] for each in told["exercises"]] == [times for _, times in true_sets()]
    for each in told["repetitions"]:
        assert each["start_ms"] < each["turn_ms"] < each["end_ms"]
        assert 0 <= each["score"] <= 100


def test_the_csv_file(training):
    rows = list(csv.DictReader(io.StringIO(download(training, "Download as CSV"))))
    assert [row["number"] for row in rows] == [str(n + 1) for n in range(len(TRUTH["repetitions"]))]
    assert [row["exercise"] for row in rows[:3]] == ["squat", "squat", "jumping_jack"]
    for row in rows:
        assert float(row["start_s"]) < float(row["turn_s"]) < float(row["end_s"])
        assert None not in row.values()
        assert 0 < float(row["range_of_motion_ratio"]) < 3
        assert row["range_of_motion_deg"] == ""
        assert row["joint"] in ("knee", "shoulder", "elbow")
        for side in ("left", "right"):
            least, largest = (row[f"{side}_{end}_deg"] for end in ("least", "largest"))
            # A side that was not seen has none.
            assert (least == largest == "") or 0 <= float(least) < float(largest) <= 180
        assert 0 <= float(row["score_points"]) <= 100


def download(training, name):
    with training.view.page.expect_download() as started:
        training.view.page.get_by_role("button", name=name).click()
    return started.value.path().read_text()


def test_nothing_is_wrong_with_the_page(training):
    training.view.check()


def test_the_sample_as_a_file_waits_for_the_server_and_ends_by_itself(browser, server):
    """Its first squat begins with it."""
    with opened(browser, server.url, "train", script=SLOWLY + LATE) as view:
        view.page.get_by_role("button", name="Try the sample").click()
        heading = view.page.get_by_role("heading", name="Well done")
        heading.wait_for(timeout=TRAINED_WITHIN_S * 1000)
        names = view.page.locator(".summary .card h2").all_inner_texts()
        counts = view.page.locator(".summary .card .figures.soft").all_inner_texts()
        told = [(n, int(c.split()[0])) for n, c in zip(names, counts, strict=True)]
        assert told == true_sets()
        view.page.get_by_role("button", name="Train again").click()
        expect(view.page.get_by_role("button", name="Start the camera")).to_be_visible()
        view.check()


def test_before_it_begins(browser, server, tmp_path):
    with opened(browser, server.url, "train") as view:
        view.check_looks(tmp_path, "welcome")
        view.check()


def test_a_file_that_is_no_video(browser, server, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with opened(browser, server.url, "train") as view:
        view.page.set_input_files("input[type=file]", broken)
        expect(view.page.locator("#notice")).to_contain_text("can not be played")


def test_german_and_back(browser, server):
    with opened(browser, server.url, "train", language="de-DE") as view:
        expect(view.page.get_by_role("button", name="Kamera starten")).to_be_visible()
        assert view.page.evaluate("document.documentElement.lang") == "de"
        view.page.get_by_label("Sprache").select_option("en")
        expect(view.page.get_by_role("button", name="Start the camera")).to_be_visible()
        view.page.reload()
        expect(view.page.get_by_role("button", name="Start the camera")).to_be_visible()
        view.check()
