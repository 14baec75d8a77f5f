"""The pose model is built once, whole, by whoever comes first."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.pose import Pose, weights
from analyzers.pose.on_mediapipe import bundle
from analyzers.registry import find, load
from tests.support.reference import MISSING

mediapipe = pytest.importorskip("mediapipe", reason=MISSING)

ROOT = Path(__file__).resolve().parents[4]
# Files to develop with are not in the repository; they lie beside it, or where this says.
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
LITE = DATA / "models" / "mediapipe" / "pose_landmarker_lite.task"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kinecast"


def bundles_in(cache):
    """What was built; the networks that it is built from are in a folder of their own."""
    return [entry.name for entry in cache.iterdir() if entry.name != "models"]


def test_it_is_built_into_the_cache_and_found_there(cache, monkeypatch):
    path = bundle.cached_bundle()
    assert path.parent == cache
    assert mediapipe.__version__ in path.name
    with zipfile.ZipFile(path) as content:
        assert [(entry.filename, entry.compress_type) for entry in content.infolist()] == [
            ("pose_detector.tflite", zipfile.ZIP_STORED),
            ("pose_landmarks_detector.tflite", zipfile.ZIP_STORED),
        ]

    def built_again(*args):
        raise AssertionError("built again")

    monkeypatch.setattr(bundle, "build", built_again)
    assert bundle.cached_bundle() == path


def test_a_damaged_file_is_replaced(cache):
    path = bundle.cached_bundle()
    whole = path.read_bytes()
    path.write_bytes(whole[:100_000])
    assert bundle.cached_bundle().read_bytes() == whole


def test_processes_that_build_at_once_get_the_same_whole_file(cache):
    code = "from analyzers.pose.on_mediapipe.bundle import cached_bundle; print(cached_bundle())"
    builders = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    paths = {builder.communicate(timeout=100)[0].strip() for builder in builders}
    assert [builder.returncode for builder in builders] == [0, 0, 0]
    (path,) = paths
    assert bundles_in(cache) == [Path(path).name]
    assert Path(path).read_bytes() == bundle.build(weights.load(None))


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path, monkeypatch):
    # A file in the place of the directory stops root as well.
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker))
    with pytest.raises(AnalyzerUnavailable, match=r"can not be written .*XDG_CACHE_HOME"):
        bundle.cached_bundle()


def test_nothing_is_left_behind_when_writing_fails(cache, monkeypatch):
    weights.load(None)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AnalyzerUnavailable, match="No space left on device"):
        bundle.cached_bundle()
    assert bundles_in(cache) == []


@pytest.mark.skipif(not LITE.exists(), reason=f"{LITE} is not on this machine")
def test_an_official_bundle_is_taken_as_it_is(cache, clip):
    pose = load(find(["pose"])[0], {"model": str(LITE)})
    assert isinstance(pose, Pose)
    pose.start("s", 0)
    assert pose.frame("s", clip[0], 0)["has_pose"]
    pose.end("s")
    assert not cache.exists()
