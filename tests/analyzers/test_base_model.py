"""What an analyzer gets from its base class."""

import subprocess
import sys

import numpy as np
import pytest

from analyzers.base_model import BaseModel, snake_case


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("MockModel1", "mock_model_1"),
        ("Pose", "pose"),
        ("HRVModel", "hrv_model"),
        ("ReID", "re_id"),
        ("Pose3D", "pose_3d"),
        ("Model2Fast", "model_2_fast"),
        ("already_snake", "already_snake"),
    ],
)
def test_a_name_is_made_from_the_class(class_name, name):
    assert snake_case(class_name) == name


def test_name_is_derived_unless_set_and_not_inherited():
    class HeartRate(BaseModel):
        def frame(self, sid, frame, timestamp):
            return None

    class Named(HeartRate):
        name = "pulse"

    class Derived(Named):
        pass

    assert (HeartRate.name, Named.name, Derived.name) == ("heart_rate", "pulse", "derived")


def test_frame_must_be_written():
    class Nothing(BaseModel):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()


def test_everything_but_frame_has_a_default():
    class OnlyFrame(BaseModel):
        def frame(self, sid, frame, timestamp, *args, **kwargs):
            return {"mean": float(frame.mean())}

    model = OnlyFrame()
    assert model.requires == ()
    assert model.start("s", 0) is None
    assert model.configure("s", {}) is None
    assert model.frame("s", np.ones((2, 2, 3), np.uint8), 0) == {"mean": 1.0}
    assert model.end("s") is None


def test_importing_it_and_the_registry_imports_nothing_heavy():
    code = (
        "import sys, analyzers.base_model, analyzers.registry as registry;"
        "registry.find(['pose', 'mock_model_2']);"
        "print([m for m in ('numpy', 'cv2', 'mediapipe', 'analyzers.pose') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
