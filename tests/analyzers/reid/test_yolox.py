"""The YOLOX detector: rows by hand, and real pedestrians."""

import numpy as np
import pytest

from analyzers.networks.runtime import Runtime
from analyzers.networks.sidecar import Sidecar
from analyzers.reid.yolox import YoloxDetector

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
ops = openvino.opset8

# 64 x 64 has 8 x 8, 4 x 4 and 2 x 2 cells.
WANTS = Sidecar(task="detection", size=(64, 64), channels="BGR", family="yolox")
CELLS = 64 + 16 + 4


@pytest.fixture(scope="module")
def runtime():
    return Runtime(precision="f32")


@pytest.fixture
def network_of(tmp_path):
    """Write a network that answers with these rows, and zeros for all other cells."""

    def write(rows, cells=CELLS):
        table = np.zeros((1, cells, 7), np.float32)
        for cell, row in rows.items():
            table[0, cell] = row
        picture = ops.parameter([1, 3, 64, 64], openvino.Type.f32)
        nothing = ops.multiply(ops.reduce_mean(picture, np.arange(4)), ops.constant(np.float32(0)))
        path = tmp_path / "net.xml"
        model = openvino.Model([ops.add(ops.constant(table), nothing)], [picture], "net")
        openvino.save_model(model, path, compress_to_fp16=False)
        return path

    return write


def test_rows_become_boxes_in_pixels_surest_first(runtime, network_of):
    path = network_of(
        {
            # Row 2, column 3 of the grid of 8: the middle at (3.5, 2.5) cells, 2 x 4 of them.
            2 * 8 + 3: (0.5, 0.5, np.log(2), np.log(4), 0.8, 0.5, 1),
            # Nearly the same, less sure.
            2 * 8 + 4: (-0.5, 0.5, np.log(2), np.log(4), 0.8, 0.4, 0),
            # The grid of 32: the middle at (48, 16), one cell large.
            64 + 16 + 1: (0.5, 0.5, 0, 0, 1, 0.9, 0),
            # Something else than a person.
            0: (0.5, 0.5, 0, 0, 1, 0.1, 1),
        }
    )
    detector = YoloxDetector(runtime, path, WANTS, min_score=0.3)
    # Twice the size of the network's picture.
    first, second = detector.find(np.zeros((128, 128, 3), np.uint8))
    for found, expected in ((first, (64, 0, 128, 64, 0.9)), (second, (40, 8, 72, 72, 0.4))):
        got = (found.x0, found.y0, found.x1, found.y1, found.score)
        assert got == pytest.approx(expected, abs=1e-3)


def test_a_wide_frame_keeps_its_shape(runtime, network_of):
    detector = YoloxDetector(runtime, network_of({80: (1, 0.5, 0, 0, 1, 0.9, 0)}), WANTS)
    # 256 x 64 becomes 64 x 16: what is below is grey.
    (box,) = detector.find(np.zeros((64, 256, 3), np.uint8))
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((64, 0, 192, 128))


def test_nobody_is_no_box(runtime, network_of):
    detector = YoloxDetector(runtime, network_of({}), WANTS)
    assert detector.find(np.zeros((64, 64, 3), np.uint8)) == []


def test_a_network_of_another_kind_is_refused(runtime, network_of):
    with pytest.raises(ValueError, match=r"is no detector of the YOLOX family: it answers"):
        YoloxDetector(runtime, network_of({}, cells=80), WANTS)
