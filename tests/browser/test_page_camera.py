"""The page's camera view, with a real camera behind it: the pattern."""

import contextlib
import io
import json
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.views import opened
from tests.support.server import COUNTER, free_port, running_server

FLAGS = ("--analyzers", COUNTER, "--workers", "1")
SIZE = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", "10")
NO_WEBRTC = "delete globalThis.RTCPeerConnection"
PLAYED = "document.querySelector('.screen video').getVideoPlaybackQuality().totalVideoFrames"


@pytest.fixture(scope="module")
def bare_server(chromium, tmp_path_factory):
    """A server whose camera is switched off, and which lets no other pages in."""
    folder = tmp_path_factory.mktemp("bare")
    with running_server(folder, *FLAGS, "--no-camera-enabled") as running:
        yield running


@pytest.fixture(scope="module")
def server(bare_server, tmp_path_factory):
    """A server with a camera, for pages of the other one, too."""
    folder = tmp_path_factory.mktemp("camera")
    recordings = str(folder / "recordings")
    with running_server(
        folder, *FLAGS, *SIZE, "--recordings", recordings, "--allow-origin", bare_server.url
    ) as running:
        yield running


@pytest.fixture
def view(browser, server):
    with opened(browser, server.url, "camera") as view:
        yield view
    if server.get("/camera/status")["state"] != "stopped":
        post(server, "/camera/stop")


def post(server, path):
    """Ask for something to be done."""
    urllib.request.urlopen(urllib.request.Request(server.url + path, method="POST")).close()


def start(view):
    """Start the camera as people do; returns when its picture moves."""
    view.page.get_by_role("button", name="Start Camera").click()
    view.wait_until(f"{PLAYED} > 5")


def test_start_capture_and_stop(view, server):
    page, status = view.page, view.page.locator(".main header p")
    expect(status).to_have_text("Stopped")
    expect(page.get_by_role("button", name="Capture Frame")).to_be_disabled()
    start(view)
    expect(status).to_contain_text(re.compile("Runs on pattern · 320 . 180"))
    expect(page.locator(".badge")).to_have_text("Live")
    page.get_by_role("button", name="Capture Frame").click()
    view.wait_until("document.querySelector('.still img')?.naturalWidth === 320")
    with page.expect_download() as download:
        page.locator(".still").get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".jpg")
    with av.open(download.value.path()) as still:
        assert still.streams.video[0].width == 320
    page.get_by_role("button", name="Stop Camera").click()
    expect(status).to_have_text("Stopped")
    expect(page.locator(".screen video")).to_be_hidden()
    assert server.get("/camera/status")["state"] == "stopped"
    assert server.get("/camera/status")["viewers"] == 0
    view.check()


def test_a_camera_that_others_start_and_stop(view, server):
    post(server, "/camera/start")
    view.wait_until(f"{PLAYED} > 5")
    post(server, "/camera/stop")
    expect(view.page.locator(".screen .empty")).to_have_text("The camera is off.")
    view.check()


def test_record_play_download_and_delete(view, server, tmp_path):
    page = view.page
    start(view)
    page.get_by_role("button", name="Record", exact=True).click()
    recording = page.get_by_role("button", name="Stop recording")
    expect(recording).to_be_visible()
    server.wait_until("/recordings", lambda answer: answer["recordings"][0]["frames"] > 10)
    recording.click()
    row = page.locator(".recordings li")
    play = row.get_by_role("button", name="Play")
    expect(play).to_be_visible()
    expect(row).to_contain_text("MB")
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".mp4")
    with av.open(download.value.path()) as movie:
        assert sum(1 for _ in movie.decode(video=0)) > 10
    play.click()
    view.wait_until("document.querySelector('.recordings video').currentTime > 0.2")
    view.check_looks(tmp_path, "camera")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert len(server.get("/recordings")["recordings"]) == 1
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert server.get("/recordings")["recordings"] == []
    view.check()


def test_analyze(view, server):
    start(view)
    switch = view.page.get_by_role("switch", name="Analyze")
    switch.click()
    view.wait_until(
        "performance.getEntriesByType('resource').some(e => e.name.includes('/camera/annotated'))"
    )
    view.wait_until(f"{PLAYED} > 10")
    (session,) = server.get("/sessions")["sessions"]
    assert session["name"] == "camera"
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    server.wait_until("/sessions", lambda answer: answer["sessions"] == [])
    view.wait_until(f"{PLAYED} > 20")
    view.check()


def test_mjpeg_where_webrtc_does_not_get_through(browser, server):
    with opened(browser, server.url, "camera", script=NO_WEBRTC) as view:
        view.page.get_by_role("button", name="Start Camera").click()
        view.wait_until("document.querySelector('.screen img').naturalWidth === 320")
        expect(view.page.locator(".badge")).to_contain_text("MJPEG")
        view.page.get_by_role("button", name="Stop Camera").click()
        expect(view.page.locator(".screen img")).to_be_hidden()
        view.check()


def test_a_server_that_is_started_again(browser, chromium, tmp_path):
    port, flags = free_port(), (*FLAGS, *SIZE, "--recordings", str(tmp_path / "recordings"))
    with contextlib.ExitStack() as tabs:
        with running_server(tmp_path, *flags, port=port) as first:
            view = tabs.enter_context(opened(browser, first.url, "camera"))
            start(view)
            first.stop()
            expect(view.page.locator(".main header p")).to_contain_text("can not be reached")
        with running_server(tmp_path, *flags, port=port) as second:
            expect(view.page.get_by_role("button", name="Start Camera")).to_be_enabled()
            start(view)
            assert second.get("/camera/status")["running"]
            view.check(failing=True)


def test_leaving_the_view_leaves_the_camera(view, server):
    start(view)
    server.wait_until("/camera/status", lambda status: status["viewers"] == 1)
    view.page.get_by_role("link", name="Sessions").click()
    server.wait_until("/camera/status", lambda status: status["viewers"] == 0)
    view.check()


def test_a_camera_that_is_switched_off(browser, bare_server, tmp_path):
    with opened(browser, bare_server.url, "camera") as view:
        status = view.page.locator(".main header p")
        expect(status).to_contain_text("No camera: it is switched off")
        for name in ("Start Camera", "Capture Frame", "Record"):
            expect(view.page.get_by_role("button", name=name, exact=True)).to_be_disabled()
        view.check_looks(tmp_path, "no-camera")
        view.check()


def connect(page, url):
    page.get_by_role("textbox", name="Server").fill(url)
    page.get_by_role("button", name="Connect").click()


def test_the_camera_of_another_server(browser, bare_server, server):
    with opened(browser, bare_server.url, "camera") as view:
        connect(view.page, server.url)
        start(view)
        view.page.get_by_role("button", name="Capture Frame").click()
        view.wait_until("document.querySelector('.still img')?.naturalWidth === 320")
        assert view.problems == []
        # It is kept.
        view.page.goto(f"{bare_server.url}/#sessions")
        view.page.goto(f"{bare_server.url}/#camera")
        expect(view.page.get_by_role("textbox", name="Server")).to_have_value(server.url)
        view.wait_until(f"{PLAYED} > 5")
        connect(view.page, "")
        status = view.page.locator(".main header p")
        expect(status).to_contain_text("No camera: it is switched off")
        assert view.problems == []
    post(server, "/camera/stop")


def test_a_server_that_lets_this_page_not_in(browser, bare_server, server):
    with opened(browser, server.url, "camera") as view:
        connect(view.page, bare_server.url)
        status = view.page.locator(".main header p")
        expect(status).to_contain_text(f"--allow-origin {server.url}")
        connect(view.page, "ftp://nowhere")
        expect(view.page.get_by_role("alert").first).to_contain_text("no address of a server")


@pytest.mark.parametrize(
    "address", ["my pi", "192.168.1.300", "http://", "pi:99999", "p<i", "ftp://pi", "höhle pi"]
)
def test_an_address_that_is_none_is_said_so_and_leads_nowhere(browser, server, address):
    with opened(browser, server.url, "camera") as view:
        page = view.page
        connect(page, address)
        expect(page.locator(".server [role=alert]")).to_contain_text("no address of a server")
        expect(page).to_have_url(f"{server.url}/#camera")
        page.reload()
        expect(page.locator(".main header p")).to_have_text("Stopped")
        view.check()


def test_an_address_that_was_kept_though_it_is_none(browser, server):
    script = "if (!localStorage.length) localStorage.setItem('kinecast.camera', 'http://my%20pi')"
    with opened(browser, server.url, "camera", script=script) as view:
        expect(view.page.locator(".main header p")).to_have_text("Stopped")
        # And as a link; the browser itself tells of the answer's status.
        view.page.goto(f"{server.url}/?server=http://my%20pi#camera")
        expect(view.page.locator(".main header p")).to_have_text("Stopped")
        view.check(failing=True)


def test_back_from_a_server_that_is_not_there(browser, server):
    with opened(browser, server.url, "camera") as view:
        page = view.page
        connect(page, f"127.0.0.1:{free_port()}")
        expect(page.locator(".main header p")).to_contain_text("does not answer this page")
        page.get_by_role("button", name="Back to this server's camera").click()
        expect(page.locator(".main header p")).to_have_text("Stopped")
        expect(page).to_have_url(f"{server.url}/#camera")


@pytest.fixture
def older_server():
    """An older camera server: MJPEG, stills, and no more."""
    with ThreadingHTTPServer(("127.0.0.1", 0), OlderServer) as serving:
        serving.daemon_threads = True
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_servers_token_is_for_that_server_alone(browser, bare_server, server, older_server):
    with opened(browser, bare_server.url, "camera") as view:
        asked = []
        view.page.on("request", lambda request: asked.append(request))
        with view.page.expect_request(lambda r: "secret" in str(r.headers)):
            connect(view.page, f"{older_server}/?token=secret")
        # Another server is chosen in another tab, which all of them then show.
        other = view.page.context.new_page()
        other.goto(f"{bare_server.url}/#camera")
        connect(other, server.url)
        expect(other.locator(".main header p")).to_have_text("Stopped")
        asked.clear()
        view.page.goto(f"{bare_server.url}/#sessions")
        view.page.goto(f"{bare_server.url}/#camera")
        expect(view.page.locator(".main header p")).to_have_text("Stopped")
        told = [r for r in asked if r.url.startswith(server.url)]
        assert told
        for request in told:
            assert "secret" not in request.url + str(request.headers)


class OlderServer(BaseHTTPRequestHandler):
    """What it answers."""

    def do_GET(self) -> None:
        match self.path:
            case "/camera/status":
                self._answer(json.dumps({"backend": "picamera2"}).encode())
            case "/frame":
                self._answer(self._picture(), "image/jpeg")
            case "/stream.mjpg":
                self._answer(b"", "multipart/x-mixed-replace; boundary=frame")
                with contextlib.suppress(OSError):
                    for _ in range(3):
                        head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
                        self.wfile.write(head + self._picture() + b"\r\n")
            case _:
                self._answer(b"{}", status=404)

    def do_POST(self) -> None:
        known = self.path in ("/camera/start", "/camera/stop")
        self._answer(b"{}", status=200 if known else 404)

    def do_OPTIONS(self) -> None:
        self._answer(b"", status=200 if self.path.startswith("/camera") else 404)

    def _picture(self) -> bytes:
        into = io.BytesIO()
        Image.new("RGB", (64, 36), "teal").save(into, "JPEG")
        return into.getvalue()

    def _answer(
        self, body: bytes, content_type: str = "application/json", status: int = 200
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name in ("Origin", "Methods", "Headers"):
            self.send_header(f"Access-Control-Allow-{name}", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """The requests of a page interest nobody."""


def test_an_older_camera_server(browser, bare_server, older_server):
    with opened(browser, bare_server.url, "camera") as view:
        page = view.page
        connect(page, older_server)
        page.get_by_role("button", name="Start Camera").click()
        view.wait_until("document.querySelector('.screen img').naturalWidth === 64")
        expect(page.locator(".main header p")).to_have_text("Runs on picamera2")
        page.get_by_role("button", name="Capture Frame").click()
        view.wait_until("document.querySelector('.still img')?.naturalWidth === 64")
        expect(page.get_by_role("button", name="Record")).to_have_count(0)
        expect(page.locator(".recordings")).to_contain_text("That server can not do this.")
        page.get_by_role("button", name="Stop Camera").click()
        expect(page.locator(".screen img")).to_be_hidden()


def test_the_page_may_talk_to_one_other_server_if_it_is_told_so(server):
    def policy(path):
        with urllib.request.urlopen(server.url + path) as answer:
            return answer.headers["Content-Security-Policy"]

    other = "http://pi.local:8000"
    assert other not in policy("/")
    told = policy(f"/?server={other}")
    for what in ("img-src", "media-src", "connect-src"):
        assert re.search(rf"{what} 'self'[^;]* {other}(;|$)", told)
    assert "script-src 'self';" in told
    for wrong in ("*", "null", "nonsense", f"{other}/;%20script-src%20*", ""):
        with pytest.raises(urllib.error.HTTPError) as refused:
            policy(f"/?server={wrong}")
        assert refused.value.code == 400


def test_in_german(browser, server):
    with opened(browser, server.url, "camera", language="de-DE") as view:
        expect(view.page.get_by_role("button", name="Kamera starten")).to_be_visible()
        expect(view.page.locator(".main header p")).to_have_text("Angehalten")
        view.check()
