"""The landmark network by itself: quick and exact, sharp and blurred."""

import os
from pathlib import Path

import numpy as np
import pytest

from analyzers.base_model import AnalyzerUnavailable
from analyzers.networks.runtime import Runtime
from analyzers.pose import weights
from analyzers.pose.on_openvino import landmark_network
from analyzers.pose.on_openvino.detector import PoseDetector
from analyzers.pose.on_openvino.landmark_network import LandmarkNetwork

pytest.importorskip("openvino", reason="OpenVINO is not installed")

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("KINECAST_DATA", ROOT.parent / "shared" / "data"))
LITE = DATA / "models" / "mediapipe" / "pose_landmarker_lite.task"


@pytest.fixture(scope="module")
def runtime():
    return Runtime()


@pytest.fixture(scope="module")
def exact():
    runtime = Runtime(precision="f32")
    return LandmarkNetwork(runtime, runtime.read(weights.load(None).landmarks))


@pytest.fixture(scope="module")
def regions(clip):
    runtime = Runtime(precision="f32")
    detector = PoseDetector(runtime, runtime.read(weights.load(None).detector), quick=False)
    return [detector.find(frame)[0] for frame in clip[:60:6]]


@pytest.fixture
def quick():
    runtime = Runtime()
    if not runtime.has_quick:
        pytest.skip("this CPU does not compute in bf16")
    runtime.quick_must_prove_itself = False
    return LandmarkNetwork(runtime, runtime.read(weights.load(None).landmarks))


def test_the_quick_network_answers_like_the_exact_one(quick, exact, clip, regions):
    assert quick.is_quick
    assert not exact.is_quick
    for frame, region in zip(clip[:60:6], regions, strict=True):
        ours, theirs = quick.look(frame, region), exact.look(frame, region)
        off = (ours.landmarks - theirs.landmarks)[:, :2]
        assert np.median(np.abs(off)) < 0.005 * region.size
        # With the heads in bf16 it would be 9 cm.
        metres = np.linalg.norm(ours.world_landmarks - theirs.world_landmarks, axis=1)
        assert np.median(metres) < 0.02
        assert abs(ours.score - theirs.score) < 0.1


@pytest.mark.parametrize(
    ("score", "looks_again"), [(0.01, False), (0.06, True), (0.69, True), (0.71, False)]
)
def test_a_doubtful_score_is_computed_exactly(quick, exact, clip, regions, score, looks_again):
    names = quick._names
    original = quick._quick.output
    quick._quick.output = lambda name: (
        np.array([[score]], np.float32) if name == names.score else original(name)
    )
    sight = quick.look(clip[0], regions[0])
    if looks_again:
        expected = exact.look(clip[0], regions[0])
        assert sight.score == expected.score
        assert np.array_equal(sight.landmarks, expected.landmarks)
    else:
        assert sight.score == pytest.approx(score)


def test_what_is_kept_does_not_change_with_the_next_look(exact, clip, regions):
    sight = exact.look(clip[0], regions[0])
    before = sight.landmarks.copy(), sight.world_landmarks.copy()
    exact.look(clip[54], regions[9])
    assert np.array_equal(sight.landmarks, before[0])
    assert np.array_equal(sight.world_landmarks, before[1])


def test_bf16_that_is_no_faster_is_not_used(monkeypatch, runtime):
    if not runtime.has_quick:
        pytest.skip("this CPU does not compute in bf16")
    monkeypatch.setattr(landmark_network, "faster", lambda quick, exact: False)
    model = runtime.read(weights.load(None).landmarks)
    assert not LandmarkNetwork(runtime, model).is_quick


def test_bf16_that_does_not_compile_is_not_used_unless_asked_for(monkeypatch, caplog):
    def refuse(self, *args):
        raise AnalyzerUnavailable("no bf16 today")

    monkeypatch.setattr(Runtime, "compile_quick", refuse)
    runtime = Runtime()
    runtime.has_quick = True
    model = runtime.read(weights.load(None).landmarks)
    assert not LandmarkNetwork(runtime, model).is_quick
    assert "pose is computed in f32: no bf16 today" in caplog.text
    runtime.quick_must_prove_itself = False
    with pytest.raises(AnalyzerUnavailable, match="no bf16 today"):
        LandmarkNetwork(runtime, model)


def test_all_but_the_person_is_blurred(exact, clip, regions):
    """The picture that the network got: sharp around the person, blurred elsewhere."""
    region = regions[0]
    sharp_look = exact.look(clip[0], region)
    sharp = exact._picture.astype(int).copy()
    exact.look(clip[0], region, focus=sharp_look.landmarks[:, :2])
    changed = np.abs(exact._picture - sharp).max(axis=2) > 0
    in_region = region.from_frame(sharp_look.landmarks[:, :2])
    low, high = in_region.min(axis=0), in_region.max(axis=0)
    # A margin of 0.15 of the larger side; a pixel for rounding.
    margin = 0.15 * (high - low).max()
    (x0, y0), (x1, y1) = (np.array([low - margin, high + margin]) * 256).round().astype(int)
    assert not changed[max(y0, 0) : y1, max(x0, 0) : x1].any()
    outside = np.ones((256, 256), bool)
    outside[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = False
    assert changed[outside].mean() > 0.2


def test_with_focus_the_person_beside_is_not_taken(exact, clip):
    """Two people close together: the region of one, larger than it should be, holds both."""
    left, right = clip[0][:, 240:400], clip[0][:, 240:400]
    frame = np.hstack([np.full((480, 240, 3), 190, np.uint8), left, right, left[:, :80]])
    runtime = Runtime(precision="f32")
    detector = PoseDetector(runtime, runtime.read(weights.load(None).detector), quick=False)
    alone = frame.copy()
    alone[:, 400:] = 190
    (region,) = detector.find(alone)
    truth = exact.look(alone, region).landmarks[:, :2]
    errors = [
        np.median(np.linalg.norm(exact.look(frame, region, focus).landmarks[:, :2] - truth, axis=1))
        for focus in (None, truth)
    ]
    assert errors[1] <= errors[0]
    assert errors[1] < 0.02 * region.size


def test_a_network_of_another_kind_is_refused(runtime):
    with pytest.raises(ValueError, match="it has outputs of shapes"):
        LandmarkNetwork(runtime, runtime.read(weights.load(None).detector))


@pytest.mark.skipif(not LITE.exists(), reason=f"{LITE} is not on this machine")
def test_the_lite_network_is_read_and_cut_too(runtime, exact, clip, regions):
    lite = LandmarkNetwork(runtime, runtime.read(weights.load(str(LITE)).landmarks))
    for frame, region in zip(clip[:60:6], regions, strict=True):
        off = lite.look(frame, region).landmarks - exact.look(frame, region).landmarks
        assert np.median(np.linalg.norm(off[:, :2], axis=1)) < 0.04 * region.size
