"""Landmarkers are ready before a session wants one, quiet, and fed with rising times."""

import os
import subprocess
import sys

import numpy as np
import pytest

from analyzers.pose.on_mediapipe.bundle import cached_bundle
from analyzers.pose.on_mediapipe.engine import Landmarker, MediapipeEngine
from tests.support.reference import MISSING

mediapipe = pytest.importorskip("mediapipe", reason=MISSING)


@pytest.fixture
def made(monkeypatch):
    """Record how many people each landmarker is made for."""
    made = []
    original = Landmarker.__init__

    def recording(self, mediapipe, model, num_poses, on_close):
        made.append(num_poses)
        original(self, mediapipe, model, num_poses, on_close)

    monkeypatch.setattr(Landmarker, "__init__", recording)
    return made


def test_spares_are_made_only_while_there_is_no_session(made):
    engine = MediapipeEngine()
    assert made == [1, 1]
    taken = [engine.open(1), engine.open(1)]
    assert made == [1, 1]
    taken.append(engine.open(1))
    assert made == [1] * 3
    assert len(set(taken)) == 3
    for one in taken[:2]:
        one.close()
    assert made == [1] * 3
    taken[2].close()
    assert made == [1] * 5


def test_another_number_of_people_gets_a_landmarker_of_its_own(made):
    engine = MediapipeEngine()
    several = engine.open(3)
    assert several.num_poses == 3
    assert made == [1, 1, 3]
    assert engine.open(1).num_poses == 1
    assert made == [1, 1, 3]


def test_warming_up_leaves_no_trace(clip):
    tasks = mediapipe.tasks
    cold = tasks.vision.PoseLandmarker.create_from_options(
        tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(cached_bundle())),
            running_mode=tasks.vision.RunningMode.VIDEO,
        )
    )
    warm = MediapipeEngine().open(1)
    for number, frame in enumerate(clip[:5], 1):
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame)
        expected = cold.detect_for_video(image, 33 * number)
        (person,) = warm.detect(frame, 33 * number)
        for ours, theirs in (
            (person.landmarks, expected.pose_landmarks[0]),
            (person.world_landmarks, expected.pose_world_landmarks[0]),
        ):
            assert ours.tolist() == [[p.x, p.y, p.z, p.visibility] for p in theirs]
    cold.close()


def test_a_session_after_another_starts_from_nothing(clip):
    engine = MediapipeEngine()
    first = engine.open(1)
    before = [first.detect(frame, 33 * n)[0] for n, frame in enumerate(clip[:5], 1)]
    for frame in clip[60:70]:
        first.detect(frame, 10_000)
    first.close()
    second = engine.open(1)
    for number, (frame, expected) in enumerate(zip(clip[:5], before, strict=False), 1):
        (person,) = second.detect(frame, 33 * number)
        assert np.array_equal(person.landmarks, expected.landmarks)
        assert np.array_equal(person.world_landmarks, expected.world_landmarks)


def test_making_landmarkers_leaves_standard_error_alone():
    code = "import numpy as np; from analyzers.pose import Pose; Pose('mediapipe').start('s', 0)"
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
    engine = MediapipeEngine()
    engine.open(1).close()
    os.write(2, b"still here\n")
    assert "still here" in capfd.readouterr().err
