"""Pictures that have nothing to do with each other, and people who fill theirs."""

import numpy as np
import pytest

from analyzers.pose import Pose
from analyzers.pose.landmarks import INDEX
from tests.support.reference import ENGINES

pytest.importorskip("openvino", reason="OpenVINO is not installed")


@pytest.fixture(scope="module", params=ENGINES)
def pose(request):
    return Pose(request.param)


@pytest.fixture
def sid(pose):
    pose.start("s", 0, options={"still": True})
    yield "s"
    pose.end("s")


def pixels(result, frame):
    height, width = frame.shape[:2]
    points = [(point["x"] * width, point["y"] * height) for point in result["landmarks"]]
    return np.array(points)


def test_someone_who_fills_the_picture_is_found_where_they_are(pose, sid, clip, truth_px):
    frame, truth = clip[0], truth_px[0]
    (x0, y0), (x1, y1) = (truth.min(axis=0) - 20).astype(int), (truth.max(axis=0) + 12).astype(int)
    # Small, and cut out tightly, as from a surveillance camera.
    crop = frame[y0:y1:2, x0:x1:2]
    result = pose.frame(sid, crop, 0)
    assert result["has_pose"]
    found = pixels(result, crop) * 2 + (x0, y0)
    joints = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("shoulder", "hip", "ankle")]
    assert np.linalg.norm(found - truth, axis=1)[joints].max() < 40


def test_a_picture_says_nothing_of_the_next_one(pose, sid, clip, two_people):
    first = pose.frame(sid, clip[0], 0)
    pose.frame(sid, two_people[0], 10)
    assert not pose.frame(sid, np.zeros((480, 640, 3), np.uint8), 20)["has_pose"]
    again = pose.frame(sid, clip[0], 30)
    assert again["track_id"] == first["track_id"] == 1
    assert np.abs(pixels(again, clip[0]) - pixels(first, clip[0])).max() < 0.5


def test_several_people_are_found_in_one_picture(pose, sid, two_people):
    pose.configure(sid, {"num_poses": 4})
    assert len(pose.frame(sid, two_people[0], 0)["people"]) == 2
    # It stays still, and can be told to follow again.
    assert pose._sessions[sid].is_still
    pose.configure(sid, {"still": False})
    assert not pose._sessions[sid].is_still


@pytest.mark.parametrize("value", [1, "true", None])
def test_a_wrong_value_is_refused(pose, value):
    with pytest.raises(ValueError, match=r"still is .* must be true or false"):
        pose.start("refused", 0, options={"still": value})


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (600, 2), (1, 5000)])
def test_odd_pictures_are_survived(pose, sid, shape):
    assert not pose.frame(sid, np.full((*shape, 3), 90, np.uint8), 0)["has_pose"]
