"""Embeddings of networks that are made here, whose answers are known by hand."""

import numpy as np
import pytest

from analyzers.networks.boxes import Box, cut
from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar
from analyzers.reid.network_extractor import NetworkExtractor

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
ops = openvino.opset8

PLAIN = Sidecar(task="re-identification", size=(4, 2), channels="RGB")


@pytest.fixture(scope="module")
def runtime():
    return Runtime(precision="f32")


@pytest.fixture
def network_of(tmp_path):
    """Write a network that answers with what `answer` makes of its picture."""

    def write(answer, shape=(-1, 3, 2, 4)):
        picture = ops.parameter(list(shape), openvino.Type.f32)
        path = tmp_path / "net.xml"
        model = openvino.Model([answer(picture)], [picture], "net")
        openvino.save_model(model, path, compress_to_fp16=False)
        return path

    return write


def mean_colour(picture):
    return ops.reduce_mean(picture, np.array([2, 3]))


def columns(picture):
    """The mean of each column."""
    return ops.reduce_mean(picture, np.array([1, 2]))


def test_a_picture_becomes_a_vector_of_length_one(runtime, network_of):
    extractor = NetworkExtractor(runtime, network_of(mean_colour), PLAIN)
    assert (extractor.name, extractor.size, extractor.threshold) == ("net", 3, 0.5)
    frame = np.zeros((20, 30, 3), np.uint8)
    frame[5:15, 10:20] = 30, 0, 40
    vector = extractor.describe(frame, Box(10, 5, 20, 15)).vector
    assert vector.dtype == np.float32
    assert vector == pytest.approx([0.6, 0, 0.8])


def test_the_sidecar_is_followed(runtime, network_of):
    wants = PLAIN.model_copy(
        update={"channels": "BGR", "mean": (10.0, 0.0, 0.0), "scale": (1.0, 1.0, 2.0), "name": "n"}
    )
    extractor = NetworkExtractor(runtime, network_of(mean_colour), wants)
    frame = np.full((8, 8, 3), (80, 0, 40), np.uint8)
    # Blue comes first: 40 - 10, 0, 80 / 2.
    assert extractor.describe(frame, Box(0, 0, 8, 8)).vector == pytest.approx([0.6, 0, 0.8])
    assert extractor.name == "n"


def test_someone_in_a_mirror_is_the_same(runtime, network_of):
    extractor = NetworkExtractor(runtime, network_of(columns), PLAIN)
    frame = np.random.default_rng(1).integers(0, 255, (16, 32, 3), np.uint8)
    whole = Box(0, 0, 32, 16)
    mirrored = np.ascontiguousarray(frame[:, ::-1])
    first, second = (extractor.describe(picture, whole).vector for picture in (frame, mirrored))
    assert first == pytest.approx(second, abs=1e-6)


def test_embeddings_are_not_overwritten_by_the_next(runtime, network_of):
    extractor = NetworkExtractor(runtime, network_of(mean_colour), PLAIN)
    red, blue = (np.full((8, 8, 3), c, np.uint8) for c in ((9, 0, 0), (0, 0, 9)))
    first = extractor.describe(red, Box(0, 0, 8, 8))
    extractor.describe(blue, Box(0, 0, 8, 8))
    assert first.vector.tolist() == [1, 0, 0]


def test_a_box_beyond_the_frame_is_cut():
    frame = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert cut(frame, Box(-3, 1.2, 2, 99)).shape == (3, 2, 3)
    with pytest.raises(ValueError, match="nothing of"):
        cut(frame, Box(6, 0, 9, 4))


@pytest.mark.parametrize(
    ("answer", "shape", "complaint"),
    [
        (lambda p: ops.relu(p), (-1, 3, 2, 4), "is no re-identification network"),
        (mean_colour, (-1, 1, 2, 4), "no picture of 4x2 in three channels"),
        (mean_colour, (1, 3, 2, 5), "no picture of 4x2 in three channels"),
    ],
)
def test_a_network_of_another_kind_is_refused(runtime, network_of, answer, shape, complaint):
    with pytest.raises(ValueError, match=complaint):
        NetworkExtractor(runtime, network_of(answer, shape), PLAIN)
