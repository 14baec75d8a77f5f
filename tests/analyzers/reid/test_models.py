"""Networks are chosen by name or by path; what is missing is said with what to do."""

import logging
import os
from pathlib import Path

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.catalogue import Task
from analyzers.networks.runtime import Runtime
from analyzers.reid import appearance
from analyzers.reid.models import make_detector, make_extractor, resolve

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
MODELS = DATA / "models"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "kinecast" / "models"
    folder.mkdir(parents=True)
    return folder


def no_runtime():
    raise AssertionError("nothing is to be computed")


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def test_without_weights_there_is_the_fallback_and_it_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        extractor = make_extractor(None, no_runtime)
    assert extractor.is_fallback
    assert extractor.name == appearance.NAME
    (record,) = caplog.records
    assert "kinecast models fetch person-reidentification-retail-0288" in record.getMessage()
    assert make_detector(None, no_runtime) is None


def test_weights_that_nobody_asked_for_and_are_damaged_are_done_without(cache, caplog):
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    for stem in ("person-reidentification-retail-0288", "person-detection-retail-0013"):
        touch(cache, f"{stem}.xml", f"{stem}.bin")
    with caplog.at_level(logging.WARNING):
        assert make_extractor(None, Runtime).is_fallback
        assert make_detector(None, Runtime) is None
    assert "goes without person-reidentification-retail-0288" in caplog.text
    assert "goes without person-detection-retail-0013" in caplog.text
    # Who asks for them is told.
    with pytest.raises(ValueError, match="OpenVINO can not read"):
        make_extractor("person-reidentification-retail-0288", Runtime)


def test_without_openvino_there_is_the_fallback(cache, caplog):
    def no_openvino():
        raise AnalyzerUnavailable("openvino is not installed: pip install it")

    stem = "person-reidentification-retail-0288"
    touch(cache, f"{stem}.xml", f"{stem}.bin")
    with caplog.at_level(logging.WARNING):
        assert make_extractor(None, no_openvino).is_fallback
    assert "openvino is not installed" in caplog.text
    with pytest.raises(AnalyzerUnavailable, match="not installed"):
        make_extractor(stem, no_openvino)


def test_the_fallback_can_be_asked_for(cache, caplog):
    stem = "person-reidentification-retail-0288"
    touch(cache, f"{stem}.xml", f"{stem}.bin")
    assert make_extractor(appearance.NAME, no_runtime).is_fallback
    assert caplog.records == []


def test_a_name_is_found_in_the_cache(cache):
    touch(cache, "osnet_x0_25_msmt17.onnx")
    path, wants = resolve("osnet_x0_25_msmt17", Task.REIDENTIFICATION)
    assert path == cache / "osnet_x0_25_msmt17.onnx"
    assert (wants.channels, wants.size, wants.threshold) == ("RGB", (128, 256), 0.32)


def test_a_sidecar_goes_before_the_catalogue(tmp_path):
    path = tmp_path / "osnet_x0_25_msmt17.onnx"
    path.touch()
    path.with_suffix(".toml").write_text(
        'task = "re-identification"\nsize = [64, 128]\nchannels = "BGR"\n'
    )
    assert resolve(str(path), Task.REIDENTIFICATION)[1].size == (64, 128)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("person-reidentification-retail-0288", "kinecast models fetch person-reidentification"),
        ("osnet_x0_25_msmt17", "put its file there"),
        ("nothing", "no network 'nothing' for re-identification; known by name are person-"),
        ("/nowhere/net.onnx", "there is no file /nowhere/net.onnx"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(name, complaint):
    with pytest.raises(AnalyzerUnavailable, match=complaint):
        make_extractor(name, no_runtime)


def test_half_a_network_is_none(tmp_path):
    touch(tmp_path, "net.xml")
    with pytest.raises(AnalyzerUnavailable, match=r"without its weights, net\.bin"):
        resolve(str(tmp_path / "net.xml"), Task.DETECTION)


def test_a_network_that_nobody_knows_needs_a_sidecar(tmp_path):
    touch(tmp_path, "net.onnx")
    with pytest.raises(ValueError, match=r"write net\.toml beside it"):
        resolve(str(tmp_path / "net.onnx"), Task.DETECTION)


def test_a_network_for_something_else_is_refused(cache):
    touch(cache, "yolox_nano.onnx")
    with pytest.raises(ValueError, match="is for detection, not for re-identification"):
        resolve("yolox_nano", Task.REIDENTIFICATION)


@pytest.mark.skipif(not MODELS.exists(), reason=f"{MODELS} is not on this machine")
@pytest.mark.parametrize(
    ("path", "name", "size"),
    [
        (
            "openvino/person-reidentification-retail-0288.xml",
            "person-reidentification-retail-0288",
            256,
        ),
        ("onnx/osnet_x0_25_msmt17.onnx", "osnet_x0_25_msmt17", 512),
    ],
)
def test_real_networks_are_taken_by_path(path, name, size):
    extractor = make_extractor(str(MODELS / path), Runtime)
    assert (extractor.name, extractor.size, extractor.is_fallback) == (name, size, False)
