"""``kinecast find`` as it is called: what it prints, its exit status, what it leaves behind."""

import itertools
import json
import os
import pty
import signal
import subprocess
import time

import av
import numpy as np
import psutil
import pytest

from server.cli import find as find_command
from server.search.video import IndexedVideo
from tests.support import pictures
from tests.support.server import CONSOLE_SCRIPT, ROOT

SAMPLE = ROOT / "sample-video.mp4"
FLAGS = ("--reid-model", "appearance-1", "--workers", "1")
TWO = ("--workers", "2")
WITHIN_S = 100
CLIP_FRAMES = 120


def find(*arguments, cwd=ROOT):
    """Run it to its end."""
    return subprocess.run(
        [*CONSOLE_SCRIPT, "find", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )


@pytest.fixture
def here(capsys, monkeypatch):
    """Runs it in this process, which has imported it; gives its status and what it printed."""
    monkeypatch.chdir(ROOT)

    def find_here(*arguments):
        status = find_command.main([*map(str, arguments), *FLAGS])
        return status, *capsys.readouterr()

    return find_here


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """The person of the sample."""
    path = tmp_path_factory.mktemp("person") / "person.jpg"
    path.write_bytes(pictures.sample_jpegs(1)[0])
    return path


@pytest.fixture(scope="module")
def empty_clip(tmp_path_factory):
    """A video with nobody in it."""
    path = tmp_path_factory.mktemp("clip") / "empty.mp4"
    with av.open(path, "w") as target:
        stream = target.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(10):
            picture = np.full((240, 320, 3), 90, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The sample's first seconds, in two parts that can be decoded by themselves."""
    path = tmp_path_factory.mktemp("sample") / "clip.mp4"
    with av.open(SAMPLE) as source, av.open(path, "w") as target:
        played = source.streams.video[0]
        options = {"preset": "ultrafast", "crf": "18", "x264-params": "keyint=60:scenecut=0"}
        stream = target.add_stream("libx264", rate=played.average_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = played.width, played.height, "yuv420p"
        for frame in itertools.islice(source.decode(played), CLIP_FRAMES):
            frame.pict_type = av.video.frame.PictureType.NONE
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return path


def test_a_person_is_found(person, clip, tmp_path):
    copy = tmp_path / "copy.mp4"
    done = find(person, clip, *FLAGS, *TWO, "--annotate", copy)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("00:00 - 00:03")
    assert "nearest 0.0" in line
    assert "INFO" not in done.stderr
    # The copy has all frames, at their times, and boxes in them.
    original, annotated = (IndexedVideo.read(path, 1 << 24) for path in (clip, copy))
    assert annotated.times_s == pytest.approx(original.times_s, abs=0.001)
    first = next(annotated.decode(annotated.split(1)[0], [0])).picture.to_ndarray(format="rgb24")
    difference = np.abs(first.astype(int) - pictures.sample_frames(1)[0].astype(int))
    assert (difference.max(axis=2) > 80).sum() > 500


def test_as_json(person, clip, here):
    status, out, _ = here(person, clip, "--json", "--rate", "1")
    assert status == 0
    told = json.loads(out)
    assert told["total_matches"] == len(told["matches"]) == CLIP_FRAMES / 30
    assert told["matches"][0] == {
        **told["matches"][0],
        "frame_number": 1,
        "timestamp": 0.0,
        "time_formatted": "00:00",
    }
    assert set(told["matches"][0]) == {
        *("bbox", "distance", "confidence", "frame_number", "timestamp", "time_formatted")
    }


def test_nobody_is_found(person, empty_clip, here):
    status, out, err = here(person, empty_clip)
    assert (status, out) == (1, "")
    assert f"not found in {empty_clip}" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required"),
        (("nobody.jpg", SAMPLE), "there is no file nobody.jpg"),
        ((SAMPLE, "nothing.mp4"), "there is no file nothing.mp4"),
        ((SAMPLE, SAMPLE), "no picture"),
        ((SAMPLE, SAMPLE, "--annotate", SAMPLE), "would replace"),
        ((SAMPLE, SAMPLE, "--annotate", "no/where/out.mp4"), "no directory"),
        ((SAMPLE, SAMPLE, "--threshold", "3"), "--threshold"),
        ((SAMPLE, SAMPLE, "--rate", "-1"), "--rate"),
        ((SAMPLE, SAMPLE, "--reid-model", "nothing.onnx"), "nothing.onnx"),
        ((SAMPLE, SAMPLE, "--colour"), "--colour"),
    ],
)
def test_bad_usage(arguments, words, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert find_command.main([*map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert err.startswith("kinecast find: ")


def test_a_picture_without_anyone(empty_clip, tmp_path, here):
    (tmp_path / "wall.png").write_bytes(pictures.png(pictures.sample_frames(1)[0] * 0 + 90))
    status, _, err = here(tmp_path / "wall.png", empty_clip)
    assert status == 2
    assert "there is nobody in" in err


def test_a_file_that_is_no_video(person, tmp_path, here):
    (tmp_path / "text.mp4").write_text("nothing")
    status, _, err = here(person, tmp_path / "text.mp4")
    assert status == 2
    assert "no video" in err


def test_the_help_teaches(capsys):
    assert find_command.main(["--help"]) == 0
    printed = capsys.readouterr().out
    for words in ("examples:", "--annotate out.mp4", "exit status: 0 the person was found"):
        assert words in printed


def test_ctrl_c_ends_it_cleanly(person, tmp_path):
    """While it searches, with its bar in a terminal: no worker stays, and no half-written copy."""
    copy = tmp_path / "copy.mp4"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*CONSOLE_SCRIPT, "find", person, SAMPLE, *FLAGS, "--rate", "0", "--annotate", copy],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + WITHIN_S
    while b"searching" not in shown:
        assert time.monotonic() < deadline
        shown += os.read(ours, 4096)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    # As a terminal does: to the whole process group.
    os.killpg(process.pid, signal.SIGINT)
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait(WITHIN_S) == 130
    assert b"interrupted" in shown
    assert b"Traceback" not in shown
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert list(tmp_path.iterdir()) == []
    os.close(ours)
    process.stdout.close()


def test_what_a_server_is_set_to_does_not_matter(person, empty_clip, tmp_path):
    """A file .env of a server's beside the videos."""
    lines = "HOST=0.0.0.0\nANALYZERS=pose\nRECORD_TO=/nowhere\nMAX_SESSIONS=1\nCERT_FILE=none.pem\n"
    (tmp_path / ".env").write_text(lines)
    done = find("-q", person, empty_clip, *FLAGS, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "", "and quiet is quiet"
