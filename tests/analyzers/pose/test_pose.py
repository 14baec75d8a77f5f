"""Pose on real frames: what it answers, how it keeps sessions apart, what it survives."""

import itertools

import numpy as np
import pytest

from analyzers.chain import arrange
from analyzers.encode import encode
from analyzers.pose import Pose
from analyzers.pose.landmarks import INDEX, NAMES
from analyzers.registry import AnalyzerLoadError, find, load
from tests.support.reference import ENGINES, MISSING

pytest.importorskip("openvino", reason="OpenVINO is not installed")

FRAME_MS = 1000 / 30
EMPTY = {"has_pose": False, "track_id": None, "landmarks": [], "world_landmarks": []}
BLACK = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(scope="module", params=ENGINES)
def pose(request):
    return Pose(request.param)


@pytest.fixture
def session(pose):
    """Start sessions; each is ended after the test."""
    numbers = itertools.count()
    open_sids = []

    def start(options=None):
        sid = f"session {next(numbers)}"
        pose.start(sid, 0, options=options)
        open_sids.append(sid)
        return sid

    yield start
    for sid in open_sids:
        pose.end(sid)


def run(pose, sid, frames, begin_ms=0.0):
    return [
        pose.frame(sid, frame, begin_ms + number * FRAME_MS) for number, frame in enumerate(frames)
    ]


def xy(landmarks):
    return np.array([(point["x"], point["y"]) for point in landmarks])


def test_every_frame_has_landmarks_where_the_joints_are(pose, session, clip, truth_px):
    results = run(pose, session(), clip)
    assert all(result["has_pose"] for result in results)
    found_px = np.array([xy(result["landmarks"]) for result in results]) * (640, 480)
    joints = [
        INDEX[f"{side}_{joint}"]
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    ]
    error_px = np.linalg.norm(found_px - truth_px[: len(clip)], axis=2)[:, joints]
    assert np.median(error_px) < 8
    assert np.percentile(error_px, 95) < 25


def test_a_result_has_its_form(pose, session, clip):
    result = pose.frame(session(), clip[0], 0)
    assert list(result) == ["has_pose", "track_id", "landmarks", "world_landmarks"]
    assert result["track_id"] == 1
    for key in ("landmarks", "world_landmarks"):
        assert [point["name"] for point in result[key]] == list(NAMES)
        assert [point["index"] for point in result[key]] == list(range(33))
        assert {tuple(point) for point in result[key]} == {
            ("index", "name", "x", "y", "z", "visibility")
        }
        assert all(0 <= point["visibility"] <= 1 for point in result[key])
    encoded = encode(result)
    assert encoded.problems == []
    # Rounded, so that it fits a handful of SCTP packets.
    assert sum(map(len, encoded.fragments.values())) < 7000


def test_world_landmarks_are_metres_around_the_hips(pose, session, clip):
    world = run(pose, session(), clip[:5])[-1]["world_landmarks"]
    position = np.array([(point["x"], point["y"], point["z"]) for point in world])
    hips = (position[INDEX["left_hip"]] + position[INDEX["right_hip"]]) / 2
    assert np.linalg.norm(hips) < 0.05
    height_m = np.ptp(position[:, 1])
    assert 1.2 < height_m < 2.0


def test_nobody_in_view_is_said_so_and_counted(pose, clip):
    pose.start("s", 0)
    results = run(pose, "s", [BLACK, *clip[:2]])
    assert results[0] == EMPTY
    assert [result["has_pose"] for result in results] == [False, True, True]
    assert pose.end("s", 100) == {"pose_summary": {"frames": 3, "frames_with_pose": 2}}
    pose.start("s", 0)
    assert pose.end("s", 0) == {"pose_summary": {"frames": 0, "frames_with_pose": 0}}


@pytest.mark.parametrize(
    "shape", [(64, 64), (1, 1), (2, 2), (63, 65), (481, 641), (500, 1), (1080, 1920)]
)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_odd_and_empty_frames_are_survived(pose, session, clip, shape, level):
    sid = session()
    results = run(pose, sid, [clip[0], np.full((*shape, 3), level, np.uint8), clip[1], clip[2]])
    assert results[1] == EMPTY
    assert results[3]["has_pose"]


def test_a_frame_may_change_size_in_mid_stream(pose, session, clip, truth_px):
    cropped = [frame[:, 100:540] for frame in clip[10:20]]
    halved = [frame[::2, ::2] for frame in clip[20:30]]
    results = run(pose, session(), [*clip[:10], *cropped, *halved])
    assert all(result["has_pose"] for result in results)
    sizes_px = [(640, 480)] * 10 + [(440, 480)] * 10 + [(640, 480)] * 10
    offsets_px = [(0, 0)] * 10 + [(100, 0)] * 10 + [(0, 0)] * 10
    for number in (9, 19, 29):
        where = xy(results[number]["landmarks"]) * sizes_px[number] + offsets_px[number]
        error_px = np.linalg.norm(where - truth_px[number], axis=1)
        assert np.median(error_px) < 15, number


def test_times_may_repeat_and_go_back(pose, session, clip):
    sid = session()
    times_ms = [0, 0, 33.2, 33.4, 5000, 100, 133, 0, -50, 33]
    results = [pose.frame(sid, clip[n], time_ms) for n, time_ms in enumerate(times_ms)]
    assert all(result["has_pose"] for result in results)


def test_a_source_that_starts_over_is_smoothed_like_one_that_goes_on(pose, session, clip):
    goes_on, starts_over = session(), session()
    run(pose, goes_on, clip[:10])
    run(pose, starts_over, clip[:10], begin_ms=60_000)
    expected = run(pose, goes_on, clip[10:30], begin_ms=10 * FRAME_MS)
    result = run(pose, starts_over, clip[10:30])
    difference = xy(result[-1]["landmarks"]) - xy(expected[-1]["landmarks"])
    assert np.abs(difference).max() < 0.005


def test_sessions_know_nothing_of_each_other(pose, session, clip):
    alone = run(pose, session(), clip[:20])
    first, second = session(), session()
    interleaved = []
    for number in range(20):
        interleaved.append(pose.frame(first, clip[number], number * FRAME_MS))
        pose.frame(second, clip[-1 - number], number * FRAME_MS)
    assert interleaved == alone
    pose.end(first)
    pose.start(first, 0)
    assert run(pose, first, clip[:20]) == alone


def test_several_people_keep_their_ids(pose, session, two_people):
    results = run(pose, session({"num_poses": 2}), two_people)
    both = [result for result in results if len(result["people"]) == 2]
    assert len(both) > 50
    sides = {
        (person["id"], sum(person["box"][::2]) / 2 > 0.5)
        for result in both
        for person in result["people"]
    }
    assert len(sides) == 2
    assert {number for number, _ in sides} == {1, 2}
    for result in both:
        assert [person["id"] for person in result["people"]] == [1, 2]


def test_the_largest_person_is_the_one_at_the_top(pose, session, two_people):
    small = [np.hstack([frame[:, :320], frame[:, 320:] // 255]) for frame in two_people[:1]]
    result = pose.frame(session({"num_poses": 2}), two_people[0], 0)
    areas = {
        (box[2] - box[0]) * (box[3] - box[1]): person
        for person in result["people"]
        for box in [person["box"]]
    }
    largest = areas[max(areas)]
    assert result["landmarks"] == largest["landmarks"]
    assert result["world_landmarks"] == largest["world_landmarks"]
    alone = pose.frame(session({"num_poses": 2}), small[0], 0)
    assert len(alone["people"]) == 1
    nobody = pose.frame(session({"num_poses": 2}), BLACK, 0)
    assert nobody == {**EMPTY, "people": []}


def test_who_leaves_and_comes_back_within_three_seconds_keeps_their_number(pose, session, clip):
    sid = session()
    away = [BLACK] * 75
    numbers = [result["track_id"] for result in run(pose, sid, [*clip[:10], *away, *clip[10:20]])]
    assert numbers == [1] * 10 + [None] * 75 + [1] * 10
    # And a second one in other clothes does not get it.
    shown = [np.ascontiguousarray(frame[..., ::-1]) for frame in clip[20:30]]
    numbers = [result["track_id"] for result in run(pose, sid, [*away, *shown], 4000)]
    assert numbers == [None] * 75 + [2] * 10


def test_num_poses_can_be_changed_in_mid_session(pose, session, two_people):
    sid = session()
    assert "people" not in pose.frame(sid, two_people[0], 0)
    pose.configure(sid, {"num_poses": 2})
    counts = [len(result["people"]) for result in run(pose, sid, two_people[1:8], 100)]
    assert max(counts) == 2
    pose.configure(sid, {"num_poses": 1})
    assert "people" not in pose.frame(sid, two_people[9], 1000)


@pytest.mark.parametrize("value", [0, 9, -1, 2.0, "2", None, True])
def test_a_wrong_num_poses_is_refused_and_changes_nothing(pose, session, clip, value):
    with pytest.raises(ValueError, match="whole number from 1 to 8"):
        pose.start("refused", 0, options={"num_poses": value})
    sid = session()
    with pytest.raises(ValueError, match=f"num_poses is {value!r}"):
        pose.configure(sid, {"num_poses": value})
    assert pose.frame(sid, clip[0], 0)["has_pose"]


def test_an_unknown_option_is_refused(pose, session):
    with pytest.raises(ValueError, match="pose has no option 'speed', only 'num_poses', 'still'"):
        pose.configure(session(), {"speed": 2})


def test_it_runs_in_a_lane(pose, clip):
    (lane,) = arrange([pose])
    assert lane.start("s", 0, ["pose"], {"pose": {"num_poses": 2}}).problems == ()
    report = lane.frame("s", clip[0], 0)
    assert report.problems == ()
    assert report.fragments["pose"]["has_pose"] == b"true"
    assert set(report.fragments["pose"]) == {
        "has_pose",
        "track_id",
        "landmarks",
        "world_landmarks",
        "people",
    }
    assert b'"frames_with_pose":1' in lane.end("s", 33).fragments["pose"]["pose_summary"]


def test_a_landmarker_that_failed_is_replaced(clip):
    mediapipe = pytest.importorskip("mediapipe", reason=MISSING)
    pose, sid = Pose("mediapipe"), "s"
    pose.start(sid, 0)
    grey = mediapipe.Image(
        image_format=mediapipe.ImageFormat.GRAY8, data=np.zeros((480, 640), np.uint8)
    )
    # The network wants colour: this breaks MediaPipe's graph for good.
    with pytest.raises(ValueError, match="failed"):
        pose._sessions[sid].tracker._landmarker.detect_for_video(grey, 1)
    with pytest.raises(ValueError, match="Graph has errors"):
        pose.frame(sid, clip[0], 33)
    assert pose.frame(sid, clip[1], 66)["has_pose"]


def test_frames_that_are_not_contiguous_are_taken(pose, session, clip):
    mirrored = clip[0][:, ::-1]
    assert not mirrored.flags.c_contiguous
    assert pose.frame(session(), mirrored, 0) == pose.frame(session(), mirrored.copy(), 0)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 1), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
    ],
)
def test_what_is_no_frame_is_refused_and_changes_nothing(pose, session, clip, frame):
    sid = session()
    with pytest.raises(
        ValueError, match=r"a frame is uint8 RGB of shape \(height, width, 3\), not"
    ):
        pose.frame(sid, frame, 0)
    assert pose.frame(sid, clip[0], 33)["has_pose"]


def test_a_wrong_model_is_one_clear_line(tmp_path):
    (spec,) = find(["pose"])
    with pytest.raises(AnalyzerLoadError, match=r"there is no pose model .*missing\.task"):
        load(spec, {"model": str(tmp_path / "missing.task")})
    text = tmp_path / "text.task"
    text.write_text("no zip")
    with pytest.raises(AnalyzerLoadError, match=r"text\.task is no pose landmarker bundle") as info:
        load(spec, {"model": str(text)})
    assert "\n" not in str(info.value)
