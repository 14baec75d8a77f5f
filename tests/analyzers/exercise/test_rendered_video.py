"""The rendered athlete seen through pose, whose landmarks are not exact."""

import av
import numpy as np
import pytest

from analyzers.base_model import BaseModel
from analyzers.chain import arrange
from analyzers.exercise import Exercise
from analyzers.pose import Pose
from client_test.athlete import standing
from client_test.athlete.catalogue import STANDING
from client_test.athlete.clip import Clip, Shot
from client_test.athlete.people import MAN_IN_GREEN, WOMAN_IN_WHITE
from client_test.athlete.performance import Performance, Set

from .recordings import ROOT

_FPS = 10


@pytest.fixture(scope="module")
def pose():
    return Pose()


def final_of(pose, frames):
    """Run pictures, each with its time in milliseconds, through pose and exercise."""
    exercise = Exercise()
    pose.start("a", 0.0)
    exercise.start("a", 0.0)
    for rgb, time_ms in frames:
        seen = pose.frame("a", rgb, time_ms)
        exercise.frame("a", rgb, time_ms, results={"pose": seen})
    pose.end("a")
    return exercise.end("a")["exercise_summary"]


def test_the_sample_video_is_counted_and_has_no_fault(pose):
    with av.open(str(ROOT / "sample-video.mp4")) as container:
        frames = [
            (frame.to_ndarray(format="rgb24"), frame.time * 1000.0)
            for frame in container.decode(video=0)
        ]
    summary = final_of(pose, frames[::3])
    counts = {name: each["reps"] for name, each in summary["exercises"].items()}
    assert counts == {"squat": 2, "jumping_jack": 3, "bicep_curl": 2, "shoulder_press": 1}
    assert [each["faults"] for each in summary["repetitions"]] == [[]] * 8


@pytest.mark.parametrize(
    ("person", "exercise", "yaw_deg", "fault"),
    [
        (WOMAN_IN_WHITE, standing.KNEES_IN_SQUAT, 0.0, "squat_knees_in"),
        (MAN_IN_GREEN, standing.SHALLOW_SQUAT, 40.0, "squat_shallow"),
    ],
    ids=["knees in from in front", "shallow obliquely"],
)
def test_a_rendered_fault_is_named(pose, person, exercise, yaw_deg, fault):
    performance = Performance(person, (Set(exercise, 2),), yaw_deg=yaw_deg)
    clip = Clip("", "", (Shot((performance,), STANDING),))
    clip = clip.resized(width=240, height=180, fps=_FPS)
    frames = ((clip.picture(n).rgb, n * 1000.0 / _FPS) for n in range(clip.frame_count))
    summary = final_of(pose, frames)
    assert summary["main_exercise"] == "squat"
    assert [each["faults"] for each in summary["repetitions"]] == [[fault]] * 2


def test_exercise_runs_after_re_identification_where_that_is(pose):
    class Reid(BaseModel):
        name = "reid"
        requires = ("pose",)

        def frame(self, sid, frame, timestamp, *args, **kwargs):
            return {"matches": [], "reid": {"has_reference": True}}

    lanes = arrange([pose, Exercise(), Reid()])
    assert [[each.name for each in lane.analyzers] for lane in lanes] == [
        ["pose", "reid", "exercise"]
    ]
    [lane] = lanes
    lane.start("b", 0.0, ["pose", "exercise", "reid"])
    report = lane.frame("b", np.zeros((120, 160, 3), np.uint8), 0.0)
    assert list(report.fragments) == ["pose", "reid", "exercise"]
    assert report.problems == ()
