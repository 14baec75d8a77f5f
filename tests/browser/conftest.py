"""A headless Chromium whose camera plays the sample video, and a server for it."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.server import COUNTER, ROOT, Server, running_server

CHROMIUM = Path("/usr/bin/chromium")
PEER_SCRIPT = Path(__file__).with_name("peer.js")
EXAMPLES = ROOT / "client_test" / "examples"
CLIP_S = 4
# Lowest is best (2 to 31); at 4 a frame of 640x480 has 20 KB and no visible blocks.
CLIP_QUANTIZER = 4

FLAGS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Everything stays on this machine. ICE offers loopback addresses, too.
    "--allow-loopback-in-peer-connection",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    # The first announces the names it makes for local addresses by multicast, the others look for
    # television sets.
    "--disable-features=WebRtcHideLocalIpsWithMdns,MediaRouter,DialMediaRouteProvider",
)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable."""
    if CHROMIUM.exists():
        return CHROMIUM
    reason = f"there is no {CHROMIUM}: install the package chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def camera_clip(tmp_path_factory) -> Path:
    """The sample video's first seconds as the fake camera wants them."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    with av.open(ROOT / "sample-video.mp4") as source, av.open(path, "w", "mjpeg") as target:
        played = source.streams.video[0]
        stream = target.add_stream("mjpeg", rate=played.average_rate)
        stream.width, stream.height, stream.pix_fmt = played.width, played.height, "yuvj420p"
        stream.options = {"qmin": str(CLIP_QUANTIZER), "qmax": str(CLIP_QUANTIZER)}
        for frame in source.decode(played):
            if frame.time >= CLIP_S:
                break
            target.mux(stream.encode(frame.reformat(format="yuvj420p")))
        target.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def browser(chromium, camera_clip) -> Iterator[Browser]:
    """Chromium with a profile of its own, gone afterwards."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=[*FLAGS, f"--use-file-for-fake-video-capture={camera_clip}"],
        )
        yield running
        running.close()


@pytest.fixture(scope="module")
def server(chromium, examples_url, tmp_path_factory) -> Iterator[Server]:
    """A server that finds poses and counts; an offer can choose. The examples may use it."""
    flags = ("--analyzers", f"pose,{COUNTER}", "--workers", "1", "--allow-origin", examples_url)
    with running_server(tmp_path_factory.mktemp("server"), *flags) as running:
        yield running


@pytest.fixture
def open_tab(browser, server) -> Iterator[Callable[[], Page]]:
    """Opens a tab of the server's origin in which peer.js is there, after a reload too."""
    with contextlib.ExitStack() as contexts:

        def open_tab() -> Page:
            # Playwright evaluates the text of its conditions, which our pages' policy forbids.
            context = contexts.enter_context(
                contextlib.closing(browser.new_context(bypass_csp=True))
            )
            context.set_default_timeout(60_000)
            context.add_init_script(path=PEER_SCRIPT)
            page = context.new_page()
            page.goto(f"{server.url}/health")
            return page

        yield open_tab


@pytest.fixture(scope="module")
def examples_url() -> Iterator[str]:
    """The examples' folder, served from another origin than the server's."""
    with _served(EXAMPLES) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A folder, and the origin that serves what is in it: another than the server's."""
    folder = tmp_path_factory.mktemp("site")
    with _served(folder) as port:
        yield folder, f"http://localhost:{port}"


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[int]:
    """Serve a folder's files; yields the port."""
    handler = partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving.server_port
        serving.shutdown()
        thread.join()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        """The requests of a page interest nobody."""
