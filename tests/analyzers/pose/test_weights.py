"""The networks are found in the wheel and in bundles; what has none says so in a line."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue
from analyzers.pose import weights
from tests.support.wheels import only_from, write_wheel

ROOT = Path(__file__).resolve().parents[3]
# Files to develop with are not in the repository; they lie beside it, or where this says.
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
LITE = DATA / "models" / "mediapipe" / "pose_landmarker_lite.task"

DETECTOR, LANDMARKS = "pose_detector.tflite", "pose_landmarks_detector.tflite"


def write_bundle(path, compression=zipfile.ZIP_STORED, **networks):
    """Write a bundle with a file for each argument: its name without .tflite, and its content."""
    with zipfile.ZipFile(path, "w", compression) as bundle:
        for name, content in networks.items():
            bundle.writestr(f"{name}.tflite", content)
    return path


def refusal(model, error=ValueError):
    """Return what is said of a bundle that is refused."""
    with pytest.raises(error) as caught:
        weights.load(str(model))
    message = str(caught.value)
    assert str(model) in message
    assert len(message.splitlines()) == 1
    return message


@pytest.fixture(scope="module")
def wheel():
    """The networks of mediapipe's wheel."""
    return weights.load(None)


def in_wheel(networks):
    detector, landmarks = catalogue.POSE.packed.members
    return {detector.path: networks.detector, landmarks.path: networks.landmarks}


def test_they_are_taken_out_of_mediapipes_wheel_without_importing_it(wheel, tmp_path, monkeypatch):
    write_wheel(tmp_path / "published", catalogue.POSE.packed.release, in_wheel(wheel))
    only_from(monkeypatch, tmp_path / "published")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code = (
        "import hashlib, sys; from analyzers.pose import weights; loaded = weights.load(None);"
        "print(hashlib.sha256(loaded.detector).hexdigest());"
        "print(hashlib.sha256(loaded.landmarks).hexdigest());"
        "print(sorted(name for name in sys.modules if name.startswith('mediapipe')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        cwd=ROOT,
    )
    checksums = [member.sha256 for member in catalogue.POSE.packed.members]
    assert done.stdout.split("\n") == [*checksums, "[]", ""]


def test_a_wheel_can_be_named_itself(wheel, tmp_path):
    path = write_wheel(tmp_path, catalogue.POSE.packed.release, in_wheel(wheel))
    assert weights.load(str(path)) == wheel
    later = write_wheel(tmp_path / "later", catalogue.POSE.packed.release, {"mediapipe/a": b"b"})
    assert refusal(later).startswith(f"{later} is no wheel with pose networks: There is no item")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bundles_networks_are_loaded(tmp_path, compression):
    bundle = write_bundle(
        tmp_path / "pose.task",
        compression,
        something_else=b"no",
        pose_landmarks_detector=b"points" * 100,
        pose_detector=b"boxes" * 100,
    )
    assert weights.load(str(bundle)) == weights.Weights(b"boxes" * 100, b"points" * 100)


@pytest.mark.parametrize("name", ["missing.task", "folder", "folder/missing.task", ""])
def test_a_bundle_that_is_not_there_is_said_to_be(tmp_path, monkeypatch, name):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert refusal(name, FileNotFoundError) == f"there is no pose model {name}"


@pytest.mark.parametrize("content", [b"", b"hello", bytes(100_000), b"PK\x03\x04" + bytes(100)])
def test_what_is_no_zip_is_no_bundle(tmp_path, content):
    path = tmp_path / "pose.task"
    path.write_bytes(content)
    assert refusal(path) == f"{path} is no pose landmarker bundle: File is not a zip file"


@pytest.mark.parametrize(
    ("networks", "missing"),
    [
        ({}, DETECTOR),
        ({"hand_detector": b"boxes"}, DETECTOR),
        ({"pose_detector": b"boxes"}, LANDMARKS),
        ({"pose_landmarks_detector": b"points"}, DETECTOR),
    ],
)
def test_a_bundle_without_a_network_says_which(tmp_path, networks, missing):
    path = write_bundle(tmp_path / "pose.task", **networks)
    reason = f"There is no item named '{missing}' in the archive"
    assert refusal(path) == f"{path} is no pose landmarker bundle: {reason}"


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_bundle_is_none(tmp_path, damage):
    path = write_bundle(
        tmp_path / "pose.task", pose_detector=b"boxes" * 100, pose_landmarks_detector=b"points"
    )
    content = path.read_bytes()
    path.write_bytes(content[:400] if damage == "cut" else content.replace(b"boxes", b"b0xes", 1))
    assert refusal(path).startswith(f"{path} is no pose landmarker bundle: ")


def test_without_any_it_says_what_to_do(tmp_path, monkeypatch):
    only_from(monkeypatch, tmp_path)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(AnalyzerUnavailable) as caught:
        weights.load(None)
    assert str(caught.value) == (
        "pose has no networks: mediapipe==0.10.21, whose wheel has the networks, could not be"
        " fetched (pip says: No matching distribution found for mediapipe==0.10.21): put that"
        f" wheel, for whichever machine, into {tmp_path / 'cache' / 'kinecast' / 'models'}, or pass"
        " --pose-model FILE.task with a pose landmarker bundle from MediaPipe"
    )


def no_networks(path):
    """Return what OpenVINO's engine says of a bundle's networks."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    from analyzers.pose.on_openvino.engine import OpenvinoEngine

    with pytest.raises(ValueError, match="has no pose networks") as caught:
        OpenvinoEngine(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path} has no pose networks: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path} has no pose networks: ")


@pytest.mark.parametrize("network", ["pose_detector", "pose_landmarks_detector"])
@pytest.mark.parametrize("length", [0, 1000, -100_000])
def test_a_network_that_is_cut_off_is_refused(tmp_path, wheel, network, length):
    networks = {"pose_detector": wheel.detector, "pose_landmarks_detector": wheel.landmarks}
    networks[network] = networks[network][:length]
    path = write_bundle(tmp_path / "pose.task", **networks)
    assert no_networks(path) == (
        "OpenVINO can not read the TFLite network: it is damaged, or of another format"
    )


def test_garbage_is_refused(tmp_path):
    path = write_bundle(
        tmp_path / "pose.task", pose_detector=b"boxes", pose_landmarks_detector=b"points"
    )
    assert no_networks(path) == (
        "OpenVINO can not read the TFLite network: it is damaged, or of another format"
    )


@pytest.mark.parametrize(
    ("which", "shapes"),
    [
        ("detector", "[(2254, 1), (2254, 12)]"),
        ("landmarks", "[(1,), (64, 64, 39), (117,), (195,), (256, 256, 1)]"),
    ],
)
def test_one_network_in_the_place_of_both_is_refused(tmp_path, wheel, which, shapes):
    network = getattr(wheel, which)
    path = write_bundle(
        tmp_path / "pose.task", pose_detector=network, pose_landmarks_detector=network
    )
    assert no_networks(path) == f"it has outputs of shapes {shapes}"


@pytest.mark.skipif(not LITE.exists(), reason=f"{LITE} is not on this machine")
def test_an_official_bundle_has_both_networks(clip):
    lite = weights.load(str(LITE))
    assert lite.detector[4:8] == lite.landmarks[4:8] == b"TFL3"
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    from analyzers.pose.on_openvino.engine import OpenvinoEngine

    assert len(OpenvinoEngine(str(LITE)).open(1).detect(clip[0], 0)) == 1
