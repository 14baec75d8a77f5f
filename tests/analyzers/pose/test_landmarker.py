"""Landmarkers are ready before a session wants one, quiet, and fed with rising times."""

import os
import subprocess
import sys

import pytest

from analyzers.pose import landmarker
from analyzers.pose.bundle import cached_bundle
from analyzers.pose.landmarker import Landmarker, LandmarkerPool

mediapipe = pytest.importorskip("mediapipe", reason="MediaPipe is not installed")


@pytest.fixture
def made(monkeypatch):
    """Record how many people each landmarker is made for."""
    made = []
    original = Landmarker.__init__

    def recording(self, mediapipe, model, num_poses):
        made.append(num_poses)
        original(self, mediapipe, model, num_poses)

    monkeypatch.setattr(Landmarker, "__init__", recording)
    return made


def test_spares_are_made_only_while_there_is_no_session(made):
    pool = LandmarkerPool(None, 1)
    assert made == [1, 1]
    taken = [pool.take(1), pool.take(1)]
    assert made == [1, 1]
    taken.append(pool.take(1))
    assert made == [1] * 3
    assert len(set(taken)) == 3
    for one in taken[:2]:
        pool.give_back(one)
    assert made == [1] * 3
    pool.give_back(taken[2])
    assert made == [1] * 5


def test_another_number_of_people_gets_a_landmarker_of_its_own(made):
    pool = LandmarkerPool(None, 1)
    several = pool.take(3)
    assert several.num_poses == 3
    assert made == [1, 1, 3]
    assert pool.take(1).num_poses == 1
    assert made == [1, 1, 3]


def test_warming_up_leaves_no_trace(clip):
    tasks = mediapipe.tasks
    cold = tasks.vision.PoseLandmarker.create_from_options(
        tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(cached_bundle())),
            running_mode=tasks.vision.RunningMode.VIDEO,
        )
    )
    warm = LandmarkerPool(None, 1).take(1)
    for number, frame in enumerate(clip[:5], 1):
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)
        expected = cold.detect_for_video(image, 33 * number)
        (person,) = warm.detect(frame, 33 * number)
        assert person.landmarks == expected.pose_landmarks[0]
        assert person.world_landmarks == expected.pose_world_landmarks[0]
    cold.close()


def test_a_session_after_another_starts_from_nothing(clip):
    pool = LandmarkerPool(None, 1)
    first = pool.take(1)
    before = [first.detect(frame, 33 * n) for n, frame in enumerate(clip[:5], 1)]
    for frame in clip[60:70]:
        first.detect(frame, 10_000)
    pool.give_back(first)
    second = pool.take(1)
    assert [second.detect(frame, 33 * n) for n, frame in enumerate(clip[:5], 1)] == before


@pytest.mark.parametrize(
    ("times_ms", "ticks"),
    [
        ([0, 33.4, 66.7], [0, 33, 66]),
        ([10, 10, 10.9, 12], [10, 11, 12, 14]),
        ([5000, 0, 33, 66], [5000, 5001, 5034, 5067]),
        ([-40, -7, 26], [0, 33, 66]),
    ],
)
def test_times_rise_and_keep_their_steps(times_ms, ticks):
    clock = landmarker._RisingClock()
    assert [clock.tick(time_ms) for time_ms in times_ms] == ticks


def test_making_landmarkers_leaves_standard_error_alone():
    code = "import numpy as np; from analyzers.pose import Pose; Pose().start('s', 0)"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        env=environment,
    )
    assert done.stderr == ""


def test_errors_still_reach_standard_error_afterwards(capfd):
    pool = LandmarkerPool(None, 1)
    pool.give_back(pool.take(1))
    os.write(2, b"still here\n")
    assert "still here" in capfd.readouterr().err
