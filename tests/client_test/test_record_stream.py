"""Recording MJPEG: of a real server, and of one as older ones are; broken off in every way."""

import contextlib
import http.server
import io
import itertools
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.support.server import COUNTER, ROOT, free_port, running_server

FPS = 25
CAMERA = ("--camera", "pattern", "--camera-size", "320x180", "--camera-fps", str(FPS))
FLAGS = ("--analyzers", COUNTER, "--workers", "1", *CAMERA)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("mjpeg"), *FLAGS) as running:
        yield running


def command(*arguments):
    return [sys.executable, "-m", "client_test.record_stream", *map(str, arguments)]


def record(*arguments, within_s=60):
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=within_s
    )


@contextlib.contextmanager
def recording(*arguments):
    """A recorder that runs; its output so far is in `lines`, which `until` waits for."""
    process = subprocess.Popen(
        command(*arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_frames(process, count):
    """Read lines of progress until so many frames are written."""
    for line in process.stdout:
        found = re.match(r"(\d+)", line)
        if found and int(found[1]) >= count:
            return
    pytest.fail(f"it ended: {process.stderr.read()}")


def read(path):
    """Times of the frames that PyAV finds; OpenCV finds as many."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    capture = cv2.VideoCapture(str(path))
    found = sum(1 for _ in itertools.takewhile(lambda got: got[0], iter(capture.read, None)))
    capture.release()
    assert found == len(frames)
    return [float(frame.time) for frame in frames], frames


def test_so_many_frames_of_this_server(server, tmp_path):
    path = tmp_path / "recording.mp4"
    done = record("--url", f"{server.url}/stream.mjpg", "--output", path, "--limit-frames", 40)
    assert done.returncode == 0, done.stderr
    assert "recording.mp4: 40 frames" in done.stdout.replace("\n", " ")
    times, frames = read(path)
    assert len(frames) == 40
    assert (frames[0].width, frames[0].height) == (320, 180)
    assert times[0] == 0
    assert np.median(np.diff(times)) == pytest.approx(1 / FPS, abs=0.005)
    # The pattern's bars, left and right.
    picture = frames[-1].to_ndarray(format="rgb24").astype(int)
    assert picture[90, 10] == pytest.approx([191, 191, 191], abs=25)
    assert picture[90, 310] == pytest.approx([0, 0, 191], abs=25)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_the_file(server, tmp_path, number):
    path = tmp_path / "recording.mp4"
    with recording("--url", f"{server.url}/stream.mjpg", "--output", path) as process:
        until_frames(process, 10)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""
    times, frames = read(path)
    assert int(re.search(r": (\d+) frames", out)[1]) == len(frames) >= 10
    with av.open(path) as container:
        assert container.streams.video[0].frames == len(times), "it has its index"


def test_a_killed_one_leaves_a_file_that_plays(server, tmp_path):
    path = tmp_path / "recording.mp4"
    with recording("--url", f"{server.url}/stream.mjpg", "--output", path) as process:
        until_frames(process, 50)
        process.kill()
        process.wait(60)
    assert len(read(path)[0]) >= 50 - FPS


def test_a_terminal_gets_a_live_line(server, tmp_path):
    ours, theirs = pty.openpty()
    arguments = ("--url", f"{server.url}/stream.mjpg", "--limit-frames", 30)
    process = subprocess.Popen(
        command(*arguments, "--output", tmp_path / "a.mp4"),
        cwd=ROOT,
        stdout=theirs,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while data := os.read(ours, 4096):
            shown += data
    os.close(ours)
    assert process.wait(60) == 0
    assert b"30/30 frames" in shown
    assert b"\x1b[" in shown, "it changes in place"


class OlderServer(http.server.ThreadingHTTPServer):
    """Sends parts without lengths, and without times unless told, as older camera servers do."""

    daemon_threads = True

    def __init__(self, pictures, *, then="end", pause_s=0.05, stamps=()):
        self.pictures, self.then, self.pause_s, self.stamps = pictures, then, pause_s, stamps
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), OlderHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/stream.mjpg"


class OlderHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):
            stamps = [f"X-Timestamp: {stamp}\r\n".encode() for stamp in self.server.stamps]
            for picture, stamp in itertools.zip_longest(
                self.server.pictures, stamps, fillvalue=b""
            ):
                head = b"--frame\r\nContent-Type: image/jpeg\r\n" + stamp + b"\r\n"
                self.wfile.write(head + picture + b"\r\n")
                self.wfile.flush()
                self.server.over.wait(self.server.pause_s)
            if self.server.then == "hang":
                self.server.over.wait(60)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def older_server(*arguments, **options):
    with OlderServer(*arguments, **options) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            made.over.set()
            made.shutdown()
            thread.join()


def jpeg(level, width=160, height=120):
    data = io.BytesIO()
    Image.new("RGB", (width, height), (level, level, level)).save(data, "JPEG")
    return data.getvalue()


LEVELS = [20 * number for number in range(1, 12)]


def test_of_an_older_server_until_it_ends(tmp_path):
    path = tmp_path / "recording.mp4"
    with older_server([jpeg(level) for level in LEVELS]) as server:
        done = record("--url", server.url, "--output", path)
    assert done.returncode == 1
    assert "the server ended the stream" in done.stderr
    times, frames = read(path)
    assert len(frames) == len(LEVELS)
    # JPEGs use other levels than video does.
    shown = [frame.to_ndarray(format="rgb24").mean() for frame in frames]
    assert shown == pytest.approx(LEVELS, abs=4)
    # The times at which they came.
    assert np.diff(times).min() >= 0.02
    assert times[-1] >= 0.05 * (len(LEVELS) - 1) - 0.02


def test_of_an_older_server_so_many(tmp_path):
    path = tmp_path / "recording.mp4"
    with older_server([jpeg(level) for level in LEVELS], then="hang") as server:
        done = record("--url", server.url, "--output", path, "--limit-frames", 5)
    assert done.returncode == 0, done.stderr
    assert len(read(path)[0]) == 5


def test_the_times_that_the_server_gives_count(tmp_path):
    path = tmp_path / "recording.mp4"
    stamps = [1000, 1000.5, 1003, 1003.04]
    with older_server([jpeg(90)] * 4, stamps=stamps, pause_s=0.01) as server:
        record("--url", server.url, "--output", path)
    assert read(path)[0] == pytest.approx([0, 0.5, 3, 3.04], abs=1e-3)


def test_damaged_pictures_are_left_out_and_other_sizes_are_fitted_in(tmp_path):
    path = tmp_path / "recording.mp4"
    pictures = [jpeg(100, 161, 121), b"no picture", jpeg(100, 320, 240), jpeg(100)[:300], jpeg(50)]
    with older_server(pictures) as server:
        done = record("--url", server.url, "--output", path)
    assert "unreadable" in done.stdout
    _, frames = read(path)
    assert {(frame.width, frame.height) for frame in frames} == {(162, 122)}
    assert len(frames) >= 3


def test_a_server_that_goes_away_is_told(tmp_path):
    path = tmp_path / "recording.mp4"
    with (
        running_server(tmp_path, *FLAGS) as server,
        recording("--url", f"{server.url}/stream.mjpg", "--output", path) as process,
    ):
        until_frames(process, 10)
        server.process.kill()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the stream" in err
    assert err.count("\n") == 1
    assert len(read(path)[0]) >= 10


def test_what_is_no_stream(server, tmp_path):
    path = tmp_path / "recording.mp4"
    for url, says in (
        (f"{server.url}/health", "application/json"),
        (f"{server.url}/nothing", "404"),
        (f"http://127.0.0.1:{free_port()}/", "Connection refused"),
        (f"https://127.0.0.1:{server.port}/", "can not be reached"),
    ):
        done = record("--url", url, "--output", path)
        assert done.returncode == 1, url
        assert says in done.stderr, (url, done.stderr)
        assert "no picture came" in done.stderr
        assert "Traceback" not in done.stderr
        assert not path.exists()


def test_wrong_arguments(tmp_path):
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"precious")
    for arguments, says in (
        (("--url", "ftp://x/"), "no address"),
        (("--url", "nothing"), "no address"),
        (("--limit-frames", "-1"), "no number of frames"),
        (("--limit-frames", "many"), "no number of frames"),
        (("--output", taken), "--overwrite"),
        (("--output", tmp_path), "is a directory"),
        (("--output", tmp_path / "no" / "a.mp4"), "no directory"),
        (("--colour", "blue"), "unrecognized"),
    ):
        done = record(*arguments)
        assert done.returncode == 2, arguments
        assert says in done.stderr
    assert taken.read_bytes() == b"precious"


def test_help_teaches():
    done = record("--help")
    assert done.returncode == 0
    for word in ("--limit-frames", "Ctrl-C", "Exit status", "--token", "http://localhost:8083"):
        assert word in done.stdout


def test_over_tls_with_a_token(tmp_path):
    secret = "0123456789abcdef0123456789abcdef"
    made = subprocess.run(
        [sys.executable, "-m", "server", "token", "--scope", "view", "--ttl", "10m"],
        cwd=ROOT,
        env={**os.environ, "AUTH_SECRET": secret},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    token, path = made.stdout.strip(), tmp_path / "recording.mp4"
    flags = ("--self-signed", "--auth-secret", secret)
    with running_server(tmp_path, *FLAGS, *flags, scheme="https") as server:
        wait_until_it_listens(server)
        url = ("--url", f"{server.url}/stream.mjpg", "--output", path, "--limit-frames", 5)
        untrusted = record(*url, "--token", token)
        assert untrusted.returncode == 1
        assert "--insecure" in untrusted.stderr
        unknown = record(*url, "--insecure")
        assert unknown.returncode == 1
        assert "401" in unknown.stderr
        done = record(*url, "--insecure", "--token", token)
        assert done.returncode == 0, done.stderr
    assert len(read(path)[0]) == 5


def wait_until_it_listens(server):
    deadline = time.monotonic() + 60
    while "serves https" not in server.log:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)


def test_the_older_recorders_flags(server, tmp_path):
    movie = tmp_path / "recording.mp4"
    flags = ("--limit-frames", 12, "--fps", 5, "--boundary", "frame", "--verbose")
    done = record("--url", f"{server.url}/stream.mjpg", "--output", movie, *flags)
    assert done.returncode == 0, done.stderr
    assert "Picture 1: " in done.stderr
    with av.open(movie) as recorded:
        times = [frame.time for frame in recorded.decode(video=0)]
    assert len(times) == 12
    assert times == pytest.approx([number / 5 for number in range(12)], abs=0.01)


@pytest.mark.parametrize("flags", [("--fps", "0"), ("--fps", "fast"), ("--limit-frames", "-1")])
def test_older_flags_that_make_no_sense(flags, tmp_path):
    done = record("--output", tmp_path / "recording.mp4", *flags)
    assert done.returncode == 2
    assert "no number of frames" in done.stderr
