"""The Python code in the person search API's document, as it stands but for the port."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from tests.support import pictures, snippets
from tests.support.server import ROOT, running_server

FLAGS = ("--analyzers", "pose,reid", "--reid-model", "appearance-1", "--workers", "1")
WITHIN_S = 60
# The camera that the document's reader has: the sample.
CAMERA = f"""
import cv2
capture = cv2.VideoCapture
cv2.VideoCapture = lambda source: capture({str(ROOT / "sample-video.mp4")!r})
"""


def python_code(words, port):
    document = snippets.document_with("/video-stream/")
    pattern = r"^\.\. code-block:: python\n\n((?:   .*\n|\s*\n)+)"
    found = [textwrap.dedent(code) for code in re.findall(pattern, document, re.MULTILINE)]
    (code,) = [code for code in found if words in code]
    return code.replace("localhost:5000", f"localhost:{port}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("server"), *FLAGS) as running:
        yield running


@contextlib.contextmanager
def running(folder, code):
    """The code in a process of its own; gives its lines so far, and an event for each."""
    (folder / "example.py").write_text(code, encoding="utf-8")
    (folder / "sitecustomize.py").write_text(CAMERA)
    (folder / "reference_person.jpg").write_bytes(pictures.sample_jpegs(1)[0])
    environment = {"PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "example.py"],
        cwd=folder,
        env={**os.environ, **environment, "NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    lines = Lines(process)
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        lines.thread.join()
        process.stdout.close()


class Lines:
    """What a process prints."""

    def __init__(self, process):
        self.text = ""
        self._news = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(process.stdout,))
        self.thread.start()

    def _read(self, stream):
        for line in stream:
            with self._news:
                self.text += line
                self._news.notify_all()

    def wait_for(self, pattern, count=1):
        with self._news:
            found = self._news.wait_for(
                lambda: len(re.findall(pattern, self.text)) >= count, WITHIN_S
            )
        assert found, self.text


def interrupt(process):
    """Press Ctrl-C; again if need be: the document's code waits with `asyncio.wait_for`, which in
    Python 3.11 can lose a cancellation."""
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(WITHIN_S / 3)
            return
    raise AssertionError("it does not end")


def test_the_first_connection(server, tmp_path):
    with running(tmp_path, python_code('"type": "ping"', server.port)) as (process, lines):
        assert process.wait(WITHIN_S) == 0
        lines.wait_for(r'Server response: {"type":"status",.*"status":"pong"')


def test_the_tracker(server, tmp_path):
    with running(tmp_path, python_code("class AsyncPersonTracker", server.port)) as (
        process,
        lines,
    ):
        lines.wait_for("Person embedding created")
        lines.wait_for("Live tracking started")
        lines.wait_for(r"Found 1 matches in frame \d+", 3)
        lines.wait_for(r"Match 1: bbox=\[\d+, \d+, \d+, \d+\], distance=0\.\d{3}", 3)
        interrupt(process)
        lines.wait_for("Tracking stopped")
        assert "KeyError" not in lines.text
    server.wait_until("/sessions", lambda answer: not answer["sessions"])
