"""During a set: how it is done, a mirror, the whole screen; a card for each of several people."""

import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.training import FPS, squats
from tests.browser.views import View, opened
from tests.support.server import ROOT, running_server

TURNED = {"width": 844, "height": 390}
# Where the athlete of the sample's squats is; twice beside each other they are two.
COLUMNS = slice(150, 470)
DRAWN = "document.querySelector('.demonstration canvas').toDataURL()"
# Whether the picture's left half is the brighter one.
SIDES = """(() => {
  const canvas = document.querySelector(".stage canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const sums = [0, 0];
  for (let at = 0; at < data.length; at += 4) {
    sums[(at / 4) % width < width / 2 ? 0 : 1] += data[at];
  }
  return sums[0] > sums[1];
})()"""
COUNTS = "[...document.querySelectorAll('.people b')].map((each) => Number(each.textContent))"


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    """Two people, one the other's twin."""
    target = tmp_path_factory.mktemp("camera") / "twins.mjpeg"
    with av.open(ROOT / "sample-video.mp4") as source:
        played = source.streams.video[0]
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height = 2 * (COLUMNS.stop - COLUMNS.start), played.height
        encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuvj420p", Fraction(1, FPS), 1
        encoder.options = {"qmin": "4", "qmax": "4"}
        wanted = squats()
        packets = []
        for frame in source.decode(played):
            if len(packets) > max(wanted):
                break
            half = frame.to_ndarray(format="rgb24")[:, COLUMNS]
            # One side is darker, so that they can be told apart.
            both = np.concatenate([half, half // 4 * 3], axis=1)
            twins = av.VideoFrame.from_ndarray(both, format="rgb24").reformat(format="yuvj420p")
            packets += [bytes(packet) for packet in encoder.encode(twins)]
    target.write_bytes(b"".join(packets[number] for number in wanted))
    return target


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "train") as view:
        yield view


def test_a_card_for_each_of_two(view: View, tmp_path):
    page = view.page
    page.get_by_text("Choose an exercise, follow a plan").click()
    page.get_by_role("combobox", name="People in the picture").select_option("2")
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("button", name="Start anyway").click()
    cards = page.get_by_role("list", name="Everybody in the picture").locator("li")
    expect(cards).to_have_count(2, timeout=60_000)
    view.wait_until(f"{COUNTS}.length === 2 && {COUNTS}.every((count) => count >= 1)", 90)
    expect(cards.first).to_contain_text("Squat")
    view.check_looks(tmp_path, "several")
    page.set_viewport_size({"width": 1280, "height": 800})
    counted = page.evaluate(COUNTS)
    page.get_by_role("button", name="Finish").click()
    # And each has their own summary, of no less than was seen.
    told = (
        page.locator(".summary").get_by_role("list", name="Everybody in the picture").locator("li")
    )
    expect(told).to_have_count(2)
    for number, least in enumerate(counted):
        text = told.nth(number).inner_text()
        assert text.startswith(f"Person {number + 1}"), text
        (reps,) = re.findall(r"Squat · (\d+) repetition", text)
        assert least <= int(reps) <= least + 3
        assert "Score" in text
    view.check_looks(tmp_path, "several-summary")
    view.check()


def test_how_it_is_done_a_mirror_and_the_whole_screen(view: View, tmp_path):
    page = view.page
    page.get_by_text("Choose an exercise, follow a plan").click()
    page.get_by_role("combobox", name="Exercise", exact=True).select_option("push_up")
    page.get_by_role("button", name="Start the camera").click()
    # Of what was chosen, before anything is recognised.
    shown = page.get_by_role("img", name="How it is done: Push-up")
    expect(shown).to_be_visible(timeout=60_000)
    before = page.evaluate(DRAWN)
    view.wait_until(f"{DRAWN} !== {json.dumps(before)}")
    view.check_looks(tmp_path, "during")
    page.set_viewport_size(TURNED)
    page.screenshot(path=tmp_path / "during-turned.png")
    how = page.get_by_role("button", name="How it is done")
    how.focus()
    page.keyboard.press("Enter")
    expect(shown).to_be_hidden()
    expect(how).to_have_attribute("aria-pressed", "false")
    page.locator('.chip[data-code="live"]').wait_for()
    mirror = page.get_by_role("button", name="Mirror")
    expect(mirror).to_have_attribute("aria-pressed", "true")
    side = page.evaluate(SIDES)
    mirror.click()
    view.wait_until(f"{SIDES} === {json.dumps(not side)}")
    full = page.get_by_role("button", name="Full screen")
    full.click()
    view.wait_until("document.fullscreenElement?.className === 'live'")
    expect(full).to_have_attribute("aria-pressed", "true")
    full.click()
    view.wait_until("document.fullscreenElement === null")
    # They are there in the other language, once.
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("button", name="Spiegeln")).to_have_count(1)
    view.check()
