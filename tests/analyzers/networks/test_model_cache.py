"""Networks are found in the user's cache."""

import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks import model_cache


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kinecast" / "models"


def test_nothing_is_found_where_there_is_nothing(models):
    assert model_cache.find("some-network") is None
    models.mkdir(parents=True)
    (models / "some-network.xml").touch()
    (models / "another-network.xml").touch()
    assert model_cache.find("some-network") is None


@pytest.mark.parametrize("suffix", [".xml", ".onnx"])
def test_a_network_is_found_by_its_name(models, suffix):
    models.mkdir(parents=True)
    path = models / f"person-detection-retail-0013{suffix}"
    path.touch()
    path.with_suffix(".bin").touch()
    assert model_cache.find("person-detection-retail-0013") == path


def test_what_is_asked_for_is_a_path_or_a_name(models, tmp_path):
    models.mkdir(parents=True)
    (models / "known.onnx").touch()
    assert model_cache.locate("known") == models / "known.onnx"
    assert model_cache.locate("unknown") is None
    path = tmp_path / "net.xml"
    for missing in (
        "there is no file .*net.xml",
        r"net\.xml is there without its weights, net\.bin",
    ):
        with pytest.raises(AnalyzerUnavailable, match=missing):
            model_cache.locate(str(path))
        path.touch()
    path.with_suffix(".bin").touch()
    assert model_cache.locate(str(path)) == path
