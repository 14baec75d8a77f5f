"""Which engine is taken, and what is said when one can not be."""

import sys

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.pose.engines import make_engine
from tests.support.reference import ENGINES, needs_mediapipe

pytest.importorskip("openvino", reason="OpenVINO is not installed")


def test_openvino_is_taken_where_it_imports():
    assert make_engine().name == "openvino"


@pytest.mark.parametrize("choice", ENGINES)
def test_the_one_that_was_asked_for_is_taken(choice):
    assert make_engine(choice).name == choice


@needs_mediapipe
def test_without_openvino_mediapipe_runs_and_says_so(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert make_engine().name == "mediapipe"
    assert "pose runs on MediaPipe, at half the speed: openvino is not installed" in caplog.text


def test_without_either_it_is_openvino_that_is_to_be_installed(monkeypatch):
    for name in ("openvino", "mediapipe"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(AnalyzerUnavailable, match=r"^openvino is not installed: pip install"):
        make_engine()


def test_openvino_that_is_asked_for_and_missing_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(AnalyzerUnavailable, match=r"not installed: pip install 'kinecast\[pose\]'"):
        make_engine("openvino")


def test_mediapipe_that_is_asked_for_and_missing_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    needed = r"not installed: pip install 'kinecast\[mediapipe\]', or choose --pose-engine openvino"
    with pytest.raises(AnalyzerUnavailable, match=needed):
        make_engine("mediapipe")


def test_on_a_python_without_a_build_of_mediapipe_it_says_which_to_use(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(sys, "version_info", (3, 13, 1))
    with pytest.raises(AnalyzerUnavailable, match=r"this is Python 3\.13: choose .*openvino"):
        make_engine("mediapipe")


@pytest.mark.parametrize("choice", ["", "OpenVINO", "tensorrt"])
def test_an_unknown_engine_is_refused(choice):
    with pytest.raises(ValueError, match="not one of auto, openvino, mediapipe"):
        make_engine(choice)
