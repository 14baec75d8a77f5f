"""Videos that a process of their own reads: what comes out, and what becomes of bad ones."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from bench.parts.video_lines import mp4_of_frames
from server.media.planes import planes_of
from server.search import isolated
from server.search.isolated import IsolatedVideo
from server.search.video import IndexedVideo
from server.sources.errors import SourceError
from tests.support.server import ROOT

SAMPLE = ROOT / "sample-video.mp4"
MAX_PIXELS = 1 << 22
WITHIN_S = 60.0
# As much as Python and FFmpeg take, and what they may allocate for a file of 650 bytes.
MOST_MB = 300


def made(path, width, height, count=24):
    """A video whose pictures differ."""
    with av.open(path, "w") as video:
        stream = video.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", 8
        for number in range(count):
            picture = np.full((height, width, 3), number * 9, np.uint8)
            picture[:, : width // 2] = 255 - number * 9
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        video.mux(stream.encode(None))
    return path


def frames(video, parts, rate_hz):
    wanted = video.sample(rate_hz)
    return [frame for part in video.split(parts) for frame in video.decode(part, wanted)]


@pytest.mark.parametrize(
    ("name", "size"), [("sample", None), ("a.mp4", (64, 48)), ("a.mkv", (67, 51))]
)
@pytest.mark.parametrize(("parts", "rate_hz"), [(1, 0), (3, 5)])
def test_it_is_what_this_process_would_have_read(tmp_path, name, size, parts, rate_hz):
    path = made(tmp_path / name, *size) if size else SAMPLE
    expected = IndexedVideo.read(path, MAX_PIXELS)
    video = IsolatedVideo.read(path, MAX_PIXELS)
    assert (video.width, video.height) == (expected.width, expected.height)
    assert list(video.times_s) == list(expected.times_s)
    assert video.keys_s == expected.keys_s
    got, wanted = frames(video, parts, rate_hz), frames(expected, parts, rate_hz)
    assert len(got) == len(wanted) > 10
    for one, other in zip(got, wanted, strict=True):
        assert (one.number, one.time_s) == (other.number, other.time_s)
        assert one.picture.time == other.picture.time
        assert np.array_equal(planes_of(one.picture), planes_of(other.picture))


def test_a_few_bytes_that_say_they_are_millions_of_frames_get_no_memory_for_them(tmp_path):
    (tmp_path / "a.mp4").write_bytes(mp4_of_frames(1000))
    assert len(IsolatedVideo.read(tmp_path / "a.mp4", MAX_PIXELS).times_s) > 0
    (tmp_path / "a.mp4").write_bytes(mp4_of_frames(50_000_000))
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from server.search.isolated import IsolatedVideo\n"
        "from server.sources.errors import SourceError\n"
        "try:\n"
        f"    IsolatedVideo.read(Path(sys.argv[1]), {MAX_PIXELS})\n"
        "except SourceError as error:\n"
        "    print(error.message)\n"
        # Of this process the first would tell what the one had that started it.
        "status = Path('/proc/self/status').read_text().split()\n"
        "print(int(status[status.index('VmHWM:') + 1]) // 1024)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "a.mp4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    message, own_mb, readers_mb = done.stdout.splitlines()
    assert message
    assert int(own_mb) < MOST_MB
    assert int(readers_mb) < MOST_MB


@pytest.fixture
def waiting(tmp_path):
    """A reader that waits for its file: its process, what comes of it, and what stops it."""
    fifo, stop = tmp_path / "fifo", threading.Event()
    os.mkfifo(fifo)
    before = set(psutil.Process().children())
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(IsolatedVideo.read, fifo, MAX_PIXELS, stop)
        began_s = time.monotonic()
        while not (new := set(psutil.Process().children()) - before):
            assert time.monotonic() < began_s + WITHIN_S
            time.sleep(0.01)
        (reader,) = new
        yield reader, result, stop
        stop.set()


def test_a_reader_that_crashes_is_an_error(waiting):
    reader, result, _ = waiting
    reader.send_signal(signal.SIGSEGV)
    with pytest.raises(SourceError, match="has crashed"):
        result.result(WITHIN_S)
    assert not reader.is_running()


def test_a_reader_that_stands_still_is_given_up(waiting, monkeypatch):
    reader, result, _ = waiting
    reader.suspend()
    monkeypatch.setattr(isolated, "SILENT_WITHIN_S", 0.0)
    with pytest.raises(SourceError, match="too long"):
        result.result(WITHIN_S)
    assert not reader.is_running()


def test_nobody_waits_for_it(waiting):
    reader, result, stop = waiting
    stop.set()
    with pytest.raises(SourceError, match="nobody waits"):
        result.result(WITHIN_S)
    assert not reader.is_running()


def ignores(pid, number):
    status = Path(f"/proc/{pid}/status").read_text().split()
    return bool(int(status[status.index("SigIgn:") + 1], 16) >> number - 1 & 1)


def test_who_ends_the_server_by_ctrl_c_does_not_end_it(waiting):
    reader, result, stop = waiting
    began_s = time.monotonic()
    while not ignores(reader.pid, signal.SIGINT):
        assert time.monotonic() < began_s + WITHIN_S
        time.sleep(0.01)
    reader.send_signal(signal.SIGINT)
    stop.set()
    with pytest.raises(SourceError, match="nobody waits"):
        result.result(WITHIN_S)


@pytest.fixture
def taken_over(tmp_path, monkeypatch):
    """In place of the reader a program of whoever has taken it over by a file: what it says."""

    def run(lines):
        program = tmp_path / "taken_over"
        program.write_text(f"#!/bin/sh\n{lines}\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return run


INDEX = '"frames": 1, "keys": 1, "tick_s": 0.1'


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "{}",
        "[]",
        "[" * 60_000,
        '{"frames": "many", "keys": 1}',
        '{"frames": 1e999, "keys": 1}',
        f'{{{INDEX}, "size": [-8, -8]}}',
        f'{{{INDEX}, "size": [1000000, 1000000]}}',
        f'{{{INDEX}, "size": 8}}',
    ],
)
def test_a_reader_that_says_nonsense_is_an_error(taken_over, said):
    taken_over(f"echo '{said}'; head -c 16 /dev/zero")
    with pytest.raises(SourceError, match="can not be read"):
        IsolatedVideo.read(SAMPLE, MAX_PIXELS)


@pytest.mark.parametrize("said", ["{}", '{"pts": -1, "size": [0, 8]}', '{"size": [2, 2]}'])
def test_one_that_says_nonsense_of_a_frame_is_an_error(taken_over, said):
    video = IsolatedVideo.read(SAMPLE, MAX_PIXELS)
    taken_over(f"echo '{said}'; head -c 6 /dev/zero")
    with pytest.raises(SourceError, match="can not be read"):
        frames(video, 1, 0)


def test_one_that_closes_its_output_and_goes_on_is_ended(taken_over, monkeypatch):
    monkeypatch.setattr(isolated, "_ENDS_WITHIN_S", 0.1)
    before = set(psutil.Process().children())
    taken_over("exec sleep 1000 >&-")
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(IsolatedVideo.read, SAMPLE, MAX_PIXELS)
        try:
            with pytest.raises(SourceError, match="can not be read"):
                result.result(WITHIN_S)
        finally:
            for each in set(psutil.Process().children()) - before:
                each.kill()


def test_frames_that_nobody_waits_for_are_not_waited_for(taken_over):
    stop = threading.Event()
    video = IsolatedVideo.read(SAMPLE, MAX_PIXELS, stop)
    taken_over("exec sleep 1000")
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(frames, video, 1, 0)
        stop.set()
        with pytest.raises(SourceError, match="nobody waits"):
            result.result(WITHIN_S)
