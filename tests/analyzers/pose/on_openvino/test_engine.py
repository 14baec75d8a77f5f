"""The engine as a whole: which detector it takes, and that sessions know nothing of each other."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import catalogue, fetching, model_cache
from analyzers.pose.engines import make_engine
from analyzers.pose.on_openvino.engine import OpenvinoEngine
from tests.support.reference import needs_mediapipe

pytest.importorskip("openvino", reason="OpenVINO is not installed")

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
DETECTOR = DATA / "models" / "openvino" / "person-detection-retail-0013.xml"


@pytest.fixture
def models(tmp_path, monkeypatch):
    networks = fetching.fetch(catalogue.POSE, model_cache.directory())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "kinecast" / "models"
    folder.mkdir(parents=True)
    shutil.copy(networks, folder)
    return folder


@pytest.mark.skipif(not DETECTOR.exists(), reason=f"{DETECTOR} is not on this machine")
def test_a_detector_in_the_cache_is_taken(models):
    assert OpenvinoEngine()._person_detector is None
    for path in (DETECTOR, DETECTOR.with_suffix(".bin")):
        shutil.copy(path, models)
    assert OpenvinoEngine()._person_detector is not None


def test_a_damaged_one_in_the_cache_is_left_out_and_said_so(models, caplog):
    for suffix in (".xml", ".bin"):
        (models / f"person-detection-retail-0013{suffix}").write_text("damaged")
    assert OpenvinoEngine()._person_detector is None
    assert "Pose goes without the person detector in the model cache" in caplog.text


def test_one_that_was_asked_for_is_an_error(tmp_path):
    path = tmp_path / "detector.xml"
    path.write_text("damaged")
    with pytest.raises(AnalyzerUnavailable, match=r"without its weights, detector\.bin"):
        OpenvinoEngine(detector=str(path))
    path.with_suffix(".bin").touch()
    with pytest.raises(ValueError, match=r"can not read .*detector\.xml"):
        OpenvinoEngine(detector=str(path))


@needs_mediapipe
def test_what_mediapipe_has_no_use_for_is_said(caplog):
    make_engine("mediapipe", device="GPU")
    assert "for openvino, not mediapipe" in caplog.text


def test_sessions_with_several_people_know_nothing_of_each_other(clip, two_people):
    engine = OpenvinoEngine(precision="f32")

    def run(trackers, videos):
        seen = [[] for _ in trackers]
        for number in range(20):
            for index, (tracker, video) in enumerate(zip(trackers, videos, strict=True)):
                seen[index].append(tracker.detect(video[number], 33 * number))
        return seen

    alone = [run([engine.open(n)], [video])[0] for n, video in ((2, two_people), (1, clip[40:]))]
    together = run([engine.open(2), engine.open(1)], [two_people, clip[40:]])
    for expected, got in zip(alone, together, strict=True):
        for before, after in zip(expected, got, strict=True):
            assert len(before) == len(after)
            for one, other in zip(before, after, strict=True):
                assert np.array_equal(one.landmarks, other.landmarks)
                assert np.array_equal(one.world_landmarks, other.world_landmarks)
