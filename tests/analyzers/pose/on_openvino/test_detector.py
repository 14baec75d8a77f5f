"""The detector by itself: where people are in real frames, and when it looks twice."""

import numpy as np
import pytest

from analyzers.networks.runtime import Runtime
from analyzers.pose import weights
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.region import Region

pytest.importorskip("openvino", reason="OpenVINO is not installed")

HIPS = [23, 24]


@pytest.fixture(scope="module")
def runtime():
    return Runtime()


@pytest.fixture(scope="module")
def model(runtime):
    return runtime.read(weights.load(None).detector)


@pytest.fixture(scope="module")
def detector(runtime, model):
    return PoseDetector(runtime, model, quick=False)


class Fixed:
    """In a network's place: answers with one score, and counts how often it is asked."""

    def __init__(self, network, names, score=None):
        self.network, self.picture = network, network.picture
        self.outputs = dict(network.outputs)
        if score is not None:
            logit = np.log(score / (1 - score))
            self.outputs[names] = np.full_like(network.outputs[names], -50)
            self.outputs[names].flat[0] = logit
        self.runs = 0

    def run(self):
        self.runs += 1
        self.network.run()


def test_the_middle_of_a_region_is_that_of_the_hips(detector, clip, truth_px):
    for number in range(0, 120, 15):
        (region,) = detector.find(clip[number])
        hips = truth_px[number][HIPS].mean(axis=0)
        assert np.hypot(region.x - hips[0], region.y - hips[1]) < 0.06 * region.size
        height = np.ptp(truth_px[number][:, 1])
        assert 0.9 * height < region.size < 2.2 * height


def test_two_people_are_two_regions(detector, two_people):
    regions = detector.find(two_people[0])
    assert sorted(region.x > 320 for region in regions) == [False, True]


def test_a_part_of_the_frame_answers_in_the_frames_pixels(detector, clip):
    (whole,) = detector.find(clip[0])
    part = Region(whole.x + 20, whole.y - 10, 420)
    (found,) = detector.find(clip[0], part)
    assert np.hypot(found.x - whole.x, found.y - whole.y) < 0.05 * whole.size
    assert found.size == pytest.approx(whole.size, rel=0.1)


def test_nobody_is_no_region(detector):
    for level in (0, 128, 255):
        assert detector.find(np.full((480, 640, 3), level, np.uint8)) == []


@pytest.mark.parametrize(("score", "exact_runs"), [(0.1, 0), (0.19, 0), (0.21, 1), (0.9, 1)])
def test_the_exact_network_looks_where_the_quick_one_is_in_doubt(
    runtime, model, clip, score, exact_runs
):
    if not runtime.has_quick:
        pytest.skip("this CPU does not compute in bf16")
    detector = PoseDetector(runtime, model, quick=True)
    detector._quick = Fixed(detector._quick, detector._scores, score)
    detector._network = Fixed(detector._network, detector._scores)
    found = detector.find(clip[0])
    assert (detector._quick.runs, detector._network.runs) == (1, exact_runs)
    assert len(found) == exact_runs
    # Where somebody is, the exact network alone.
    detector.find(clip[0], nobody_is_likely=False)
    assert (detector._quick.runs, detector._network.runs) == (1, exact_runs + 1)


@pytest.mark.parametrize("score", [0.49, 0.51])
def test_half_a_score_is_asked_for(runtime, model, clip, score):
    detector = PoseDetector(runtime, model, quick=False)
    detector._network = Fixed(detector._network, detector._scores, score)
    assert len(detector.find(clip[0])) == (score > 0.5)


def test_a_network_of_another_kind_is_refused(runtime):
    with pytest.raises(ValueError, match="it has outputs of shapes"):
        PoseDetector(runtime, runtime.read(weights.load(None).landmarks), quick=False)
