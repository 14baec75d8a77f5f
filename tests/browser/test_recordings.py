"""Chromium plays recordings: finished ones with their length, and goes to any place in them."""

import json
import urllib.request

import pytest

from tests.support.server import COUNTER, running_server

PLAY = """async (name) => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = '/recordings/' + name;
  document.body.append(video);
  window.video = video;
  await new Promise((done, failed) => {
    video.onloadeddata = done;
    video.onerror = () => failed(new Error(video.error.message));
  });
  return [video.videoWidth, video.videoHeight, video.duration];
}"""
SEEK = """async (time) => {
  await new Promise(done => { video.onseeked = done; video.currentTime = time; });
  return video.currentTime;
}"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "25")
    with running_server(
        tmp_path_factory.mktemp("record"), "--analyzers", COUNTER, "--workers", "1", *flags
    ) as running:
        yield running


def ask(server, method, path, body=None):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(server.url + path, data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def record(server, name):
    ask(server, "POST", "/recordings", {"source": "camera", "name": name})
    return server.wait_until(
        "/recordings", lambda a: a["recordings"][-1]["frames"] >= 100, within_s=30
    )


def test_a_finished_one(open_tab, server):
    record(server, "finished")
    ended = ask(server, "DELETE", "/recordings/finished")
    page = open_tab()
    width, height, duration = page.evaluate(PLAY, "finished")
    assert (width, height) == (320, 180)
    assert duration == pytest.approx(ended["seconds"], abs=0.2)
    assert page.evaluate(SEEK, 3) == 3
    assert page.evaluate(SEEK, 0.5) == 0.5
    page.evaluate("video.play()")
    page.wait_for_function("video.ended")
    assert page.evaluate("video.getVideoPlaybackQuality().totalVideoFrames") > 25


def test_one_that_runs(open_tab, server):
    """So it looks after the server has been killed, too."""
    record(server, "running")
    page = open_tab()
    assert page.evaluate(PLAY, "running")[:2] == [320, 180]
    page.evaluate("video.play()")
    page.wait_for_function("video.getVideoPlaybackQuality().totalVideoFrames > 25")
    ask(server, "DELETE", "/recordings/running")
