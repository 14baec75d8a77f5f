"""What ``kinecast models`` prints, and how it ends."""

import os
import subprocess
import sys

import pytest

from analyzers.networks import catalogue, fetching, model_cache, wheels
from server.cli.models import main
from tests.support.wheels import write_wheel

pytest.importorskip("pooch", reason="pooch is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kinecast" / "models"


def test_the_list_has_all_and_says_what_is_here(capsys, cache):
    cache.mkdir(parents=True)
    (cache / "yolox_nano.onnx").touch()
    for suffix in (".xml", ".bin"):
        (cache / f"person-reidentification-retail-0288{suffix}").touch()
    # Half of a network is none.
    (cache / "person-reidentification-retail-0287.xml").touch()
    assert main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == catalogue.names()
    assert lines["yolox_nano"].endswith("  here")
    assert lines["person-reidentification-retail-0288"].endswith("here, not as published")
    assert lines["person-reidentification-retail-0287"].endswith("not here")
    assert lines["pose"].endswith("not here")
    assert "9.4 MB" in lines["pose"]
    assert lines["osnet_x0_25_msmt17"].endswith("not here, can not be fetched")
    assert "3.4 MB" in lines["person-detection-retail-0013"]
    assert "Apache-2.0" in lines["person-detection-retail-0013"]


def test_who_reads_may_have_read_enough():
    """As `kinecast models list | head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "server", "models", "list"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60, text=True)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_path_is_printed(capsys, cache):
    assert main(["path"]) == 0
    assert capsys.readouterr().out == f"{cache}\n"
    cache.mkdir(parents=True)
    network = cache / "yolox_nano.onnx"
    network.touch()
    assert main(["path", "yolox_nano"]) == 0
    assert capsys.readouterr().out == f"{network}\n"


def test_a_path_to_nothing_is_an_error(capsys):
    assert main(["path", "yolox_nano"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "yolox_nano is not in" in told.err


def test_another_folder(capsys, tmp_path):
    (tmp_path / "pose_landmarker_lite.task").touch()
    assert main(["path", "pose_landmarker_lite", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'pose_landmarker_lite.task'}\n"


def test_what_a_wheel_has_is_fetched_and_where_it_is_printed(capsys, cache, monkeypatch):
    # The wheel is what the cache of this machine's user has the networks from.
    monkeypatch.delenv("XDG_CACHE_HOME")
    packed = catalogue.POSE.packed
    networks = wheels.read(packed, fetching.fetch(catalogue.POSE, model_cache.directory()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parents[1]))
    inside = {member.path: networks[member.name] for member in packed.members}
    write_wheel(cache, packed.release, inside)
    assert main(["fetch", "pose"]) == 0
    assert capsys.readouterr().out == f"{cache / 'pose.task'}\n"
    assert main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["pose"].endswith("here, as published")


def test_what_can_not_be_fetched_is_one_line(capsys):
    assert main(["fetch", "yolox_nano"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "required"),
        (["fetch"], "required: NAME"),
        (["fetch", "nothing"], "unknown network 'nothing'; there are pose, face, person-detection"),
        (["path", "nothing"], "unknown network 'nothing'"),
        (["remove"], "invalid choice"),
    ],
)
def test_wrong_arguments_are_one_line_and_status_2(capsys, arguments, complaint):
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert complaint in told
    assert told.count("\n") == 1


def test_help_is_no_error(capsys):
    assert main(["--help"]) == 0
    assert "fetch" in capsys.readouterr().out
