"""Differences and errors of engines that are off by a known amount."""

import numpy as np
import pytest

from analyzers.pose.engine import Person
from bench.poses.accuracy import ALL, Accuracy
from bench.poses.clips import PoseClip, Source
from bench.poses.compare import Agreement
from bench.poses.turns import Answers

WIDTH, HEIGHT, FRAMES = 640, 480, 6
REFERENCE, NOISY, ENGINE = "reference", "noisy", "engine"


@pytest.fixture
def true_px() -> np.ndarray:
    """Landmarks in a random but fixed arrangement, (FRAMES, 33, 2)."""
    return np.random.default_rng(5).uniform(100, 400, (FRAMES, 33, 2))


def answers(points_px: np.ndarray, *, world_m: float = 0.0, lost: tuple[int, ...] = ()) -> Answers:
    """An engine's answers at these points, and nobody in the frames `lost`."""
    result = Answers()
    for number, points in enumerate(points_px):
        landmarks, world = np.zeros((33, 4)), np.zeros((33, 4))
        landmarks[:, :2] = points / (WIDTH, HEIGHT)
        world[:, 0] = world_m
        result.people.append([] if number in lost else [Person(landmarks, world)])
    return result


def clip(source: Source, truth_px: np.ndarray | None = None) -> PoseClip:
    frames = np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    return PoseClip("clip", source, frames, np.arange(FRAMES) * 33.0, truth_px)


@pytest.fixture
def accuracy() -> Accuracy:
    return Accuracy(REFERENCE, NOISY, [ENGINE])


def test_differences_are_told_of_noises(accuracy: Accuracy, true_px: np.ndarray) -> None:
    accuracy.add(
        clip(Source.REAL),
        {
            REFERENCE: answers(true_px),
            NOISY: answers(np.add(true_px, (0, 2)), world_m=0.02),
            ENGINE: answers(np.add(true_px, (3, 4)), world_m=0.01, lost=(0,)),
        },
    )
    figures = {(f.clips, f.engine): f for f in accuracy.differences()}
    assert sorted(figures) == [(c, e) for c in (ALL, "real") for e in (ENGINE, NOISY)]
    engine = figures["real", ENGINE]
    assert engine.spreads["px"].median == pytest.approx(5.0)
    assert engine.spreads["world_cm"].p95 == pytest.approx(1.0)
    assert engine.of_noise["px"].median == pytest.approx(2.5)
    assert engine.of_noise["world_cm"].p95 == pytest.approx(0.5)
    assert engine.agreement == Agreement(both=FRAMES - 1, only_first=1)
    assert figures["real", NOISY].of_noise["px"].p95 == 1.0
    assert accuracy.errors() == []


def test_all_clips_together(accuracy: Accuracy, true_px: np.ndarray) -> None:
    for source, shift in ((Source.REAL, 1), (Source.RENDERED, 9)):
        accuracy.add(
            clip(source),
            {
                REFERENCE: answers(true_px),
                NOISY: answers(np.add(true_px, (2, 0))),
                ENGINE: answers(np.add(true_px, (shift, 0))),
            },
        )
    median_px = {
        f.clips: f.spreads["px"].median for f in accuracy.differences() if f.engine == ENGINE
    }
    assert median_px == pytest.approx({"real": 1.0, "rendered": 9.0, ALL: 5.0})


def test_errors_are_of_frames_that_all_found_someone_in(
    accuracy: Accuracy, true_px: np.ndarray
) -> None:
    off = np.add(true_px, (4, 0))
    # In the one frame that another engine lost, this one is far off: it does not count.
    off[2] += 500
    accuracy.add(
        clip(Source.RENDERED, true_px),
        {
            REFERENCE: answers(np.add(true_px, (0, 5)), lost=(1,)),
            NOISY: answers(np.add(true_px, (0, 5)), lost=(2,)),
            ENGINE: answers(off),
        },
    )
    errors = {f.engine: f for f in accuracy.errors()}
    assert list(errors) == [REFERENCE, NOISY, ENGINE]
    assert {f.frames for f in errors.values()} == {FRAMES - 2}
    assert errors[REFERENCE].spreads["px"].p95 == pytest.approx(5.0)
    assert errors[ENGINE].spreads["px"].p95 == pytest.approx(4.0)
    assert errors[ENGINE].of_mediapipe["px"].median == pytest.approx(0.8)


def test_nothing_is_told_of_nothing(accuracy: Accuracy) -> None:
    assert accuracy.differences() == []
    assert accuracy.errors() == []
