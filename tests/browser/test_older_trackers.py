"""Pages of the person search API in a real browser: our own, and the code in its document."""

import base64
import contextlib
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pictures, snippets
from tests.support import server as support
from tests.support.server import Server, running_server

HERE = Path(__file__).parent
FLAGS = ("--analyzers", "pose,reid", "--reid-model", "appearance-1", "--workers", "1")
# Everything in the document is about this.
SUBJECT = "/video-stream/"
PAGE = """<!doctype html>
<meta charset="utf-8">
<video id="video" autoplay muted playsinline></video>
<script>
{code}
</script>
"""
PAINTED = """() => {
  const { data } = document.getElementById("overlay").getContext("2d").getImageData(0, 0, 640, 480);
  return data.some((value) => value > 0);
}"""


@pytest.fixture(scope="module")
def server(chromium, site, tmp_path_factory) -> Iterator[Server]:
    """A server whose clients' pages come from elsewhere."""
    log = tmp_path_factory.mktemp("server")
    with running_server(log, *FLAGS, "--allow-origin", site[1]) as running:
        yield running


@pytest.fixture
def open_page(browser, site) -> Iterator:
    """Opens a page of the site, and notes what is wrong in it."""
    with contextlib.ExitStack() as contexts:

        def open_page(query=""):
            context = contexts.enter_context(contextlib.closing(browser.new_context()))
            context.set_default_timeout(60_000)
            page = context.new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(error))
            page.goto(f"{site[1]}/page.html?{query}")
            return page

        yield open_page


def test_a_page_that_tracks_its_own_camera(open_page, site, server):
    (site[0] / "page.html").write_text(PAGE.format(code=(HERE / "older_tracker.js").read_text()))
    page = open_page(f"server=ws://localhost:{server.port}")
    uploaded = page.evaluate("track()")
    assert uploaded["status"] == "success"
    page.wait_for_function("said.filter((m) => m.matches).length >= 4")
    page.evaluate("stop()")
    page.wait_for_function("said.at(-1).status === 'tracking_stopped'")
    said = page.evaluate("said")
    # The server has no camera that it may read, and says so; the page's frames go on.
    assert said[0]["other"] == "error"
    assert "camera 0" in said[0]["message"]
    found = [entry for entry in said if "matches" in entry]
    assert [entry["frame"] for entry in found] == list(range(1, len(found) + 1))
    assert any(entry["matches"] for entry in found)
    for entry in found:
        assert entry["took"] > 0
        for match in entry["matches"]:
            assert all(0 <= value <= 1 for value in match["box"])
            assert re.fullmatch(r"[01]\.\d{3}", match["label"])
    # A status always has words to show.
    assert all(entry["message"] for entry in said if "status" in entry)
    assert "pong" in [entry.get("status") for entry in said]
    assert page.problems == []


# ---- the document


def blocks(language):
    """Code of the document, by its first line's last name."""
    document = snippets.document_with(SUBJECT)
    pattern = rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\s*\n)+)"
    return [textwrap.dedent(code) for code in re.findall(pattern, document, re.MULTILINE)]


def block(language, words, port):
    """The code with these words in it, its port aside as it stands."""
    (code,) = [code for code in blocks(language) if words in code]
    return code.replace("localhost:5000", f"localhost:{port}")


def test_the_documents_page(open_page, site, server, tmp_path):
    folder = site[0]
    (folder / "page.html").write_text(block("html", "<!DOCTYPE html>", server.port))
    script = block("javascript", "class RealTimeTracker", server.port)
    (folder / "websocket-tracker.js").write_text(script)
    person = tmp_path / "person.jpg"
    person.write_bytes(pictures.sample_jpegs(1)[0])
    page = open_page()
    page.wait_for_function("tracker.video.readyState >= 2")
    page.set_input_files("#personImage", person)
    page.wait_for_function("tracker.personEmbedding")
    page.get_by_role("button", name="Start Tracking").click()
    page.wait_for_function("tracker.isTracking")
    page.wait_for_function(PAINTED)
    page.evaluate("() => { window.seen = []; tracker.ws.onclose = (e) => seen.push(e.wasClean); }")
    page.get_by_role("button", name="Stop Tracking").click()
    page.wait_for_function("seen.length === 1")
    assert page.evaluate("seen") == [True]
    assert page.problems == []


def test_the_documents_first_connection(open_page, site, server):
    code = block("javascript", "const sessionId = 'session_'", server.port)
    # It leaves this one function to its reader.
    code += "\nwindow.got = []; function handleMessage(data) { got.push(data); }"
    (site[0] / "page.html").write_text(PAGE.format(code=code))
    page = open_page()
    page.wait_for_function("ws.readyState === WebSocket.OPEN")
    page.evaluate("ws.send(JSON.stringify({ type: 'ping' }))")
    page.wait_for_function("got.length === 1")
    (pong,) = page.evaluate("got")
    assert {key: pong[key] for key in ("type", "status")} == {"type": "status", "status": "pong"}
    assert page.problems == []


def test_the_documents_messages(open_page, site, server):
    """What it shows as JSON is what is sent, key for key."""
    shown = [json.loads(code) for code in blocks("json")]
    by_type = {(m["type"], m.get("status")): m for m in shown}
    (site[0] / "page.html").write_text(PAGE.format(code=(HERE / "older_tracker.js").read_text()))
    page = open_page(f"server=ws://localhost:{server.port}")
    got = page.evaluate(
        """async () => {
          const got = [];
          // One picture: the camera plays on, and on a busy machine shows somebody else next.
          const frame = asBase64(await camera());
          const { answer } = await upload(frame);
          const socket = new WebSocket(`${server}/video-stream/s`);
          const next = () => new Promise((r) => (socket.onmessage = (e) => r(JSON.parse(e.data))));
          await new Promise((resolve) => (socket.onopen = resolve));
          socket.send('{"type": "ping"}');
          got.push(await next());
          const person_embed = answer.embedding;
          socket.send(JSON.stringify({ type: "single_frame", frame, person_embed }));
          got.push(await next());
          return got;
        }"""
    )
    pong, matches = got
    assert set(by_type["status", "pong"]) <= set(pong)
    wanted = by_type["matches", None]
    assert set(wanted) == set(matches) - {"session_id"}
    assert set(wanted["frame_info"]) <= set(matches["frame_info"])
    assert matches["matches"]
    beside = {"bbox_format", "coordinate_info", "crop_info"}
    assert set(wanted["matches"][0]) == set(matches["matches"][0]) - beside


ROBUST = ("class RobustWebSocketClient", "class OptimizedTracker", "class MonitoredWebSocket")


def test_the_documents_clients_come_back_after_a_restart(
    open_page, site, chromium, tmp_path, monkeypatch
):
    port = support.free_port()
    monkeypatch.setattr(support, "free_port", lambda: port)
    code = "\n".join(block("javascript", words, port) for words in ROBUST)
    code += f"""
    const upload = async (image) => {{
      const url = "http://localhost:{port}/upload-embedding";
      const answer = await fetch(url, {{ method: "POST", body: JSON.stringify({{ image }}) }});
      return (await answer.json()).embedding;
    }};
    // The document's classes leave this to their readers.
    class Watched extends OptimizedTracker {{
      constructor() {{ super(); this.got = []; }}
      handleMessage(data) {{ this.got.push(data); }}
    }}
    const robust = new RobustWebSocketClient(), tracker = new Watched();
    const monitored = new MonitoredWebSocketClient();
    """
    (site[0] / "page.html").write_text(PAGE.format(code=code))
    flags = (*FLAGS, "--allow-origin", site[1])
    jpeg = picture()
    with running_server(tmp_path, *flags):
        page = open_page()
        page.evaluate(
            """async () => Promise.all([robust, tracker, monitored].map(
              (client, number) => client.connect(`client_${number}`)))"""
        )
        page.evaluate("async (jpeg) => { window.person = await upload(jpeg); }", jpeg)
        page.evaluate("jpeg => tracker.sendFrame(jpeg, person)", jpeg)
        page.evaluate("() => monitored.send({ type: 'ping' })")
        page.wait_for_function("tracker.got.some((m) => m.type === 'matches')")
        page.wait_for_function("monitored.stats.messagesReceived === 1")
        assert page.evaluate("tracker.got.at(-1).matches.length") == 1
    page.wait_for_function("[robust, tracker, monitored].every((client) => !client.isConnected)")
    page.evaluate("() => robust.send({ type: 'ping' })")
    assert page.evaluate("robust.messageQueue.length") == 1
    with running_server(tmp_path, *flags):
        page.wait_for_function("[robust, tracker, monitored].every((client) => client.isConnected)")
        assert page.evaluate("robust.messageQueue.length") == 0
        # The embedding is good for the new server, too.
        page.evaluate("() => { tracker.got = []; }")
        page.evaluate("jpeg => tracker.sendFrame(jpeg, person)", jpeg)
        page.wait_for_function("tracker.got.some((m) => m.type === 'matches' && m.matches.length)")
        page.evaluate("() => [robust, tracker, monitored].forEach((client) => client.close())")
    assert page.problems == []


def picture():
    return base64.b64encode(pictures.sample_jpegs(1)[0]).decode()
