"""Which picture a result belongs to: server/web/frame_clock.js, on times whose truth is known."""

import contextlib

import numpy as np
import pytest

from tests.support.server import COUNTER, running_server

EVERY_MS = 1000 / 30
# What the session's clock is behind the stream's.
OFFSET_MS = 123_456.7
PLACE = """async ({ frames, results, again }) => {
  const { FrameClock } = await import("/web/frame_clock.js");
  const clock = new FrameClock();
  const happened = [
    ...frames.map((times) => ({ at: times[1], tell: () => clock.frame(...times) })),
    ...results.map((times) => ({ at: times[1], tell: () => clock.result(...times) })),
  ].sort((one, other) => one.at - other.at);
  happened.forEach(({ tell }, at) => {
    if (at === again) clock.reset();
    tell();
  });
  const [pts_ms] = results.at(-1);
  return clock.place(pts_ms) - pts_ms;
}"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    flags = ("--analyzers", COUNTER, "--workers", "1")
    with (
        running_server(tmp_path_factory.mktemp("server"), *flags) as server,
        contextlib.closing(browser.new_context()) as context,
    ):
        page = context.new_page()
        page.goto(f"{server.url}/docs")
        yield page


def happened(*, uneven_ms, uplink_ms, unseen=0.0, unanswered=0.0, count=120):
    """Pictures as they were seen, and results as the server had their frames."""
    chance = np.random.default_rng(7)
    media_ms = np.arange(count) * EVERY_MS + chance.normal(0, uneven_ms, count) + 5000
    seen_ms = media_ms + 800 + chance.uniform(0, 1, count)
    received_ms = seen_ms + uplink_ms + chance.exponential(6, count)
    # RTP timestamps of Chromium have milliseconds.
    pts_ms = np.round(media_ms) - OFFSET_MS
    frames, results = np.array([media_ms, seen_ms]).T, np.array([pts_ms, received_ms]).T
    return {
        "frames": frames[chance.random(count) >= unseen].tolist(),
        "results": results[chance.random(count) >= unanswered].tolist(),
        "again": None,
    }


@pytest.mark.parametrize(
    "how",
    [
        {"uneven_ms": 2, "uplink_ms": 10},
        {"uneven_ms": 2, "uplink_ms": 90},
        {"uneven_ms": 2, "uplink_ms": 60, "unseen": 0.25},
        {"uneven_ms": 2, "uplink_ms": 10, "unanswered": 0.5},
        {"uneven_ms": 0, "uplink_ms": 10},
        {"uneven_ms": 0, "uplink_ms": 25},
    ],
    ids=["near", "far", "pictures missed", "frames skipped", "even", "even and slower"],
)
def test_a_results_picture_is_found(page, how):
    assert page.evaluate(PLACE, happened(**how)) == pytest.approx(OFFSET_MS, abs=1)


def test_a_slow_beginning_is_made_good(page):
    """Even pictures leave two constants, and the first results make the wrong one likelier."""
    told = happened(uneven_ms=0, uplink_ms=10)
    for times in told["results"][:20]:
        times[1] += 35
    assert page.evaluate(PLACE, told) == pytest.approx(OFFSET_MS, abs=1)


def test_another_connection_has_another_offset(page):
    before = happened(uneven_ms=2, uplink_ms=10)
    after = happened(uneven_ms=2, uplink_ms=10, count=6)
    later_ms = 60_000.0
    told = {
        "frames": before["frames"] + [[m + later_ms, s + later_ms] for m, s in after["frames"]],
        # The session's clock stood still meanwhile.
        "results": before["results"] + [[p, r + later_ms] for p, r in after["results"]],
        "again": len(before["frames"] + before["results"]),
    }
    assert page.evaluate(PLACE, told) == pytest.approx(OFFSET_MS + later_ms, abs=1)
