"""A camera of another shape than its place on the page: the bars beside the picture stay black."""

import pytest

from tests.browser.training import squats, write_clip
from tests.browser.views import opened
from tests.support.server import running_server

# Of the sample's 480 rows 16:9, in which the athlete's feet are at the lower edge.
ROWS = slice(60, 420)
# The height of the bars above and below the picture, how many of their pixels are not black, and
# how many pixels of the picture's last rows are the skeleton's, in pixels of the canvas.
BARS = """(() => {
  const canvas = document.querySelector(".stage canvas");
  const { width, height } = canvas;
  const bar = Math.floor((height - (width * 9) / 16) / 2) - 1;
  const pen = canvas.getContext("2d");
  let lit = 0;
  for (const top of [0, height - bar]) {
    const { data } = pen.getImageData(0, top, width, bar);
    for (let at = 0; at < data.length; at += 4) lit += data[at] + data[at + 1] + data[at + 2] > 24;
  }
  const [r, g, b] = [52, 217, 165];
  const { data } = pen.getImageData(0, height - bar - 8, width, 6);
  let drawn = 0;
  for (let at = 0; at < data.length; at += 4) {
    const off = Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b);
    drawn += off < 30;
  }
  return [bar, lit, drawn];
})()"""


@pytest.fixture(scope="module")
def camera_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("camera") / "wide.mjpeg"
    return write_clip(path, squats(), ROWS)


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--analyzers", "pose,exercise", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


def test_nothing_is_left_beside_the_picture(browser, server):
    with opened(browser, server.url, "train") as view:
        view.page.get_by_role("button", name="Start the camera").click()
        view.page.locator(".stage canvas").wait_for()
        view.wait_until(f"{BARS}[2] > 0")
        bar, lit, _ = view.page.evaluate(BARS)
        assert bar > 10
        assert lit == 0
        view.check()
