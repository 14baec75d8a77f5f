"""The person detector: its answer's rows by hand, and real pedestrians."""

import os
from pathlib import Path

import av
import numpy as np
import pytest

from analyzers.networks.boxes import Box, pair
from analyzers.networks.person_detector import PersonDetector
from analyzers.networks.runtime import Runtime

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
ops = openvino.opset8

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
WEIGHTS = DATA / "models" / "openvino" / "person-detection-retail-0013.xml"
CAMPUS = DATA / "people_videos" / "TUD-Campus.mp4"


@pytest.fixture(scope="module")
def runtime():
    return Runtime(precision="f32")


@pytest.fixture
def network_of(tmp_path):
    """Write a network that answers with the mean of its picture, and these rows."""

    def write(rows, shape=(1, 3, 4, 8)):
        picture = ops.parameter(shape, openvino.Type.f32)
        # The first row's score becomes the picture's mean over 255, to see that it is looked at.
        mean = ops.reduce_mean(picture, np.arange(len(shape)))
        mean = ops.multiply(mean, ops.constant(np.float32(1 / 255)))
        table = np.array(rows, np.float32)
        first_score = np.zeros_like(table)
        first_score[0, 2] = 1
        answer = ops.add(ops.constant(table), ops.multiply(ops.constant(first_score), mean))
        answer = ops.reshape(answer, np.array([1, 1, *table.shape]), False)
        path = tmp_path / "detector.xml"
        openvino.save_model(
            openvino.Model([answer], [picture], "detector"), path, compress_to_fp16=False
        )
        return path

    return write


def test_rows_become_boxes_in_pixels_surest_first(runtime, network_of):
    path = network_of(
        [
            (0, 1, 0.0, 0.1, 0.2, 0.5, 0.6),
            (0, 1, 0.9, 0.0, 0.0, 0.25, 1.0),
            (0, 1, 0.3, 0.5, 0.5, 0.6, 0.6),
            (-1, 0, 0.99, 0, 0, 1, 1),
            (0, 1, 0.99, 0, 0, 1, 1),
        ]
    )
    detector = PersonDetector(runtime, path, quick=False, min_score=0.5)
    frame = np.full((100, 200, 3), 153, np.uint8)
    first, second = detector.find(frame)
    for found, expected in ((first, (0, 0, 50, 100, 0.9)), (second, (20, 20, 100, 60, 0.6))):
        got = (found.x0, found.y0, found.x1, found.y1, found.score)
        assert got == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "shape"),
    [([(0.0,) * 6], (1, 3, 4, 8)), ([(0.0,) * 7], (1, 1, 4, 8)), ([(0.0,) * 7], (1, 12))],
)
def test_a_network_of_another_kind_is_refused(runtime, network_of, rows, shape):
    with pytest.raises(ValueError, match=r"is no person detector of a known kind: it takes"):
        PersonDetector(runtime, network_of(rows, shape), quick=False)


@pytest.mark.skipif(not WEIGHTS.exists(), reason=f"{WEIGHTS} is not on this machine")
@pytest.mark.parametrize("quick", [False, True])
def test_pedestrians_are_found(quick):
    runtime = Runtime()
    if quick and not runtime.has_quick:
        pytest.skip("this CPU does not compute in bf16")
    detector = PersonDetector(runtime, WEIGHTS, quick=quick)
    with av.open(str(CAMPUS)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    found = there = 0
    for number, frame in enumerate(frames[::10]):
        truth = _true_boxes(1 + 10 * number)
        there += len(truth)
        found += len(pair(truth, detector.find(frame), 0.5))
    # Measured 0.84.
    assert found / there > 0.75


def _true_boxes(number):
    text = CAMPUS.with_name("TUD-Campus_gt.txt").read_text()
    rows = [list(map(float, line.split(","))) for line in text.splitlines()]
    return [Box(x, y, x + w, y + h) for n, _, x, y, w, h, *_ in rows if n == number]
