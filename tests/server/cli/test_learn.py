"""``kinecast learn`` as it is called: what it writes and prints, and its exit status."""

import json

import av
import numpy as np
import pytest

from analyzers.exercise.demonstration import read_exercise
from server.cli import learn as learn_command
from tests.support.server import ROOT, free_port, run_until_exit

SAMPLE = ROOT / "sample-video.mp4"


@pytest.fixture
def learn(capsys):
    def run(*arguments):
        status = learn_command.main([str(each) for each in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def empty_clip(tmp_path):
    path = tmp_path / "empty.mp4"
    with av.open(path, "w") as target:
        stream = target.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(10):
            picture = np.full((240, 320, 3), 90, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(stream.encode(None))
    return path


def test_the_samples_movement_is_learned(learn, tmp_path):
    file = tmp_path / "one.json"
    status, printed, problem = learn(SAMPLE, "--name", "my_move", "-o", file)
    assert (status, problem) == (0, "")
    assert "my_move, of 3 repetitions from" in printed
    exercise = read_exercise(json.loads(file.read_bytes()))
    assert (exercise.name, exercise.repetitions) == ("my_move", 3)


def test_a_clip_with_nobody_in_it_teaches_nothing(learn, empty_clip, tmp_path):
    file = tmp_path / "none.json"
    status, printed, problem = learn(empty_clip, "--name", "my_move", "-o", file)
    assert (status, printed) == (1, "")
    assert "there is nobody in" in problem
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.mp4", "--name", "a", "-o", "a.json"), "no file missing.mp4"),
        ((SAMPLE, "--name", "Band Pull", "-o", "a.json"), "no name for an exercise"),
        ((SAMPLE, "--name", "squat", "-o", "a.json"), "taken by Kinecast"),
        ((SAMPLE, "--name", "a", "-o", "no/such/a.json"), "no directory"),
        ((SAMPLE, "--name", "a", "-o", SAMPLE), "would replace the clip"),
        ((SAMPLE, "--name", "a", "-o", "a.json", "--repetitions", "9"), "2 to 5"),
        ((ROOT / "README.md", "--name", "a", "-o", "a.json"), "kinecast learn: "),
        ((SAMPLE, "-o", "a.json"), "--name"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(learn, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    status, printed, problem = learn(*arguments)
    assert (status, printed) == (2, "")
    assert says in problem
    assert problem.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_server_with_a_bad_file_does_not_start(tmp_path):
    (tmp_path / "mine.json").write_text('{"version": 4, "name": "mine"}')
    status, printed = run_until_exit("--exercises", str(tmp_path), "--port", str(free_port()))
    assert status == 2
    assert printed.count("\n") == 1
    assert "mine.json: the exercise 'mine' can not be used: its version is 4" in printed
