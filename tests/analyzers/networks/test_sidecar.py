"""Sidecars are read, and what is wrong with one is said in a line."""

import json

import pytest

from analyzers.networks import sidecar
from analyzers.networks.runtime import Picture
from analyzers.networks.sidecar import Sidecar

TOML = """
task = "re-identification"
size = [128, 256]
channels = "RGB"
mean = [123.675, 116.28, 103.53]
scale = [58.395, 57.12, 57.375]
name = "osnet"
threshold = 0.4
"""
GIVEN = {
    "task": "re-identification",
    "size": [128, 256],
    "channels": "RGB",
    "mean": [123.675, 116.28, 103.53],
    "scale": [58.395, 57.12, 57.375],
    "name": "osnet",
    "threshold": 0.4,
}


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_both_forms_say_the_same(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_text(TOML if suffix == ".toml" else json.dumps(GIVEN))
    assert sidecar.find(tmp_path / "net.onnx") == path
    read = sidecar.read(path)
    assert (read.size, read.name, read.threshold) == ((128, 256), "osnet", 0.4)
    assert read.picture == Picture(
        "NCHW", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), "RGB"
    )


def test_one_number_is_for_all_channels():
    short = Sidecar(task="detection", size=(8, 4), channels="BGR", family="ssd", mean=127, scale=2)
    assert short.picture == Picture("NCHW", (127, 127, 127), (2, 2, 2), "BGR")


def test_no_sidecar_is_none(tmp_path):
    assert sidecar.find(tmp_path / "net.onnx") is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"channels": "GRAY"}, "channels: "),
        ({"size": [128]}, "size.1: "),
        ({"size": [0, 256]}, "size.0: "),
        ({"scale": [1, 0, 1]}, "scale.1: "),
        ({"mean": [1, 2]}, "mean.2: "),
        ({"threshold": 3}, "threshold: "),
        ({"std": 1}, "std: "),
        ({"task": "detection"}, "'family' is for detection, and detection needs it"),
        ({"family": "ssd"}, "'family' is for detection, and detection needs it"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(tmp_path, change, complaint):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(GIVEN | change))
    with pytest.raises(ValueError, match=r"net\.json") as raised:
        sidecar.read(path)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "text"), [("net.json", "{"), ("net.toml", "= 1")])
def test_what_is_no_such_file_is_said_so(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match="can not be read"):
        sidecar.read(tmp_path / name)
