"""Pages of the older APIs in a real browser: our own, and the code in the APIs' documents."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.api.models_pose import PoseAnswer, PoseFrame
from tests.support import snippets
from tests.support.server import Server, running_server

HERE = Path(__file__).parent
PAGE = """<!doctype html>
<meta charset="utf-8">
<title>A page of an older API</title>
<video id="video" autoplay muted playsinline></video>
<canvas id="canvas" width="640" height="480"></canvas>
<script type="{kind}">
{code}
</script>
"""
# What a page says on its console is what we look at: its variables are its own.
LISTEN = """
window.logged = [];
for (const level of ["log", "error"]) {
  const original = console[level];
  console[level] = (...said) => { logged.push([level, ...said]); original(...said); };
}
"""


@pytest.fixture(scope="module")
def server(chromium, site, tmp_path_factory) -> Iterator[Server]:
    """A server whose clients' pages come from elsewhere."""
    flags = ("--analyzers", "pose,exercise", "--workers", "1", "--allow-origin", site[1])
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
def run(browser, site, server):
    """Runs code in a page, as a classic script or a module."""
    folder, origin = site
    with contextlib.ExitStack() as contexts:

        def run(code, kind="text/javascript"):
            (folder / "page.html").write_text(PAGE.format(kind=kind, code=code))
            context = contexts.enter_context(contextlib.closing(browser.new_context()))
            context.set_default_timeout(60_000)
            context.add_init_script(LISTEN)
            page = context.new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(error))
            page.goto(f"{origin}/page.html?server=ws://localhost:{server.port}")
            return page

        yield run


def wait_for_logged(page, first, count, more="true"):
    """What was logged with this first word, as soon as there is so much of it."""
    shown = page.wait_for_function(
        f"""count => {{
          const found = logged.filter(([level, first]) => level === "log" && {first});
          return found.length >= count && found.some((said) => {more}) ? found : null;
        }}""",
        arg=count,
    )
    return [said[1:] for said in shown.json_value()]


def check_poses(page):
    poses = [data for _, data in wait_for_logged(page, 'first === "pose"', 12)]
    for pose in poses:
        PoseFrame.model_validate(pose)
    assert [pose["frame"] for pose in poses] == sorted({pose["frame"] for pose in poses})
    seen = [pose for pose in poses if pose["has_pose"]]
    assert len(seen) > len(poses) // 2
    keys = {"index", "name", "x", "y", "z", "visibility"}
    assert all(set(mark) == keys for pose in seen for mark in pose["landmarks"])
    assert all(0 <= pose["landmarks"][0]["x"] <= 1 for pose in seen)
    assert page.evaluate("logged.filter(([level]) => level === 'error')") == []
    assert page.problems == []


def test_a_page_of_the_pose_api(run):
    page = run((HERE / "older_pose.js").read_text())
    check_poses(page)
    posted = page.evaluate(
        """async () => {
          const stream = await navigator.mediaDevices.getUserMedia({ video: true });
          const video = Object.assign(document.createElement("video"), { srcObject: stream });
          await video.play();
          const canvas = document.getElementById("canvas");
          canvas.getContext("2d").drawImage(video, 0, 0, 640, 480);
          const picture = await new Promise((resolve) => canvas.toBlob(resolve));
          return [await post(picture), await post(new Blob(["text"]))];
        }"""
    )
    found, refused = posted
    assert found["status"] == 200
    assert len(PoseAnswer.model_validate(found["answer"]).landmarks) == 33
    assert (refused["status"], "no picture" in refused["answer"]["detail"]) == (400, True)


def test_a_page_of_the_exercise_scoring_api(run):
    page = run((HERE / "older_realtime.js").read_text(), "module")
    assert wait_for_logged(page, 'first === "welcome"', 1) == [["welcome", 50]]
    # The camera plays four seconds of squats over and over.
    said = wait_for_logged(page, 'first === "analysis"', 30, "said[3] === 'squat'")
    for _, score, exercise, latency_ms, feedback in said:
        assert score is None or 0 <= score <= 100
        assert isinstance(exercise, str)
        assert isinstance(latency_ms, int)
        assert isinstance(feedback, str)
    assert any(score is not None for _, score, *_ in said)
    assert page.evaluate("logged.filter(([level]) => level === 'error')") == []
    assert page.problems == []


def test_a_page_that_is_not_allowed_gets_no_socket(browser, site, server):
    with contextlib.closing(browser.new_context()) as context:
        page = context.new_page()
        # Another origin than the one that was allowed.
        page.goto(f"{site[1].replace('localhost', '127.0.0.1')}/")
        outcome = page.evaluate(
            """url => new Promise((resolve) => {
              const socket = new WebSocket(url);
              socket.onopen = () => resolve("open");
              socket.onerror = () => resolve("refused");
            })""",
            f"ws://localhost:{server.port}/ws",
        )
    assert outcome == "refused"


# ---- the documents


def test_the_pose_documents_code(run, server):
    (code,) = snippets.fenced(snippets.document_with("/pose` "), "javascript")
    page = run(snippets.pointed_at(code, server.port))
    assert wait_for_logged(page, 'first === "ws open"', 1)
    check_poses(page)


def test_the_exercise_documents_code(run, server):
    document = snippets.document_with("/api/ai/realtime")
    client = snippets.pointed_at(
        snippets.below(document, "Basic JavaScript WebSocket Client:"), server.port
    )
    camera = snippets.below(document, "HTML5 Camera Capture:")
    errors = snippets.below(document, "8. Error Handling")
    # It is shown in parts, and nothing in it begins to capture.
    begin = "await opened; captureAndSend();"
    opened = "const opened = new Promise((done) => ws.addEventListener('open', done));"
    page = run("\n".join((client, opened, errors, camera, begin)), "module")
    assert wait_for_logged(page, 'first.startsWith("Connected")', 1)
    assert wait_for_logged(page, 'first.startsWith("Ready")', 1)
    wait_for_logged(page, 'first === "Exercise: squat"', 1)
    for word, wanted in (
        ("Score", r"Score: (null|\d{1,3})"),
        ("Latency", r"Latency: \d+ms"),
        ("Feedback", r"Feedback: .*"),
    ):
        for (text,) in wait_for_logged(page, f'first.startsWith("{word}:")', 20):
            assert re.fullmatch(wanted, text), text
    assert page.evaluate("logged.filter(([level]) => level === 'error')") == []
    assert page.problems == []
